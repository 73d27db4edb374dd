import type { AuthenticationScope } from '../authentication.ts'
import { change } from '../change.ts'
import { DomainError, RequestError } from '../errors.ts'
import { stillStood } from '../session.ts'
import { lockUser } from '../user/user-record.ts'
import { endSessionsWhere } from './end-sessions.ts'

/** Which of the caller's sessions: all of them, the one the call is made in, or all but that one. */
export type SignOutScope = 'GLOBAL' | 'LOCAL' | 'OTHERS'

/**
 * Ends the caller's sessions; their access tokens are refused at their next request. Writes `user.signedOut`, unless there was
 * nothing to end. Answers how many stood until now.
 *
 * @throws {DomainError} SESSION_NOT_FOUND for LOCAL and OTHERS when the caller's token belongs to no session, as one of another issuer
 */
export async function signOut(
  scope: AuthenticationScope,
  { scope: which }: { scope?: SignOutScope | null },
): Promise<{ sessionsEnded: number }> {
  const { userId, sessionId } = scope.caller.principal
  if (userId === null) throw new RequestError('FORBIDDEN', 'Only a user can sign out.')
  const chosen = which ?? 'GLOBAL'
  if (chosen !== 'GLOBAL' && sessionId === null) throw noSession()
  return change(scope, 'user.signedOut', async (tx) => {
    await lockUser(tx.db, userId)
    const { ended, before, after } = await endSessionsWhere(tx, userId, sessionsOf(chosen, sessionId ?? ''))
    const sessionsEnded = ended.filter(stillStood(scope.sessionLifetime, tx.now)).length
    return { result: { sessionsEnded }, subjectId: userId, userId, before, after }
  })
}

function sessionsOf(scope: SignOutScope, sessionId: string) {
  if (scope === 'GLOBAL') return {}
  return { id: scope === 'LOCAL' ? sessionId : { not: sessionId } }
}

function noSession(): DomainError<'SESSION_NOT_FOUND'> {
  const message = 'Your token is of another issuer and belongs to no session here. GLOBAL ends the sessions you have here.'
  return new DomainError('SESSION_NOT_FOUND', message, ['input', 'scope'], {})
}
