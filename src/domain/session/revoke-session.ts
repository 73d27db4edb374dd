import type { AuthenticationScope } from '../authentication.ts'
import { change } from '../change.ts'
import { DomainError, DomainErrors, invalidInput } from '../errors.ts'
import { isUuid } from '../normalize.ts'
import { hasScope } from '../principal.ts'
import { standingSessions, stillStood } from '../session.ts'
import { lockUser } from '../user/user-record.ts'
import { endSessionsWhere } from './end-sessions.ts'

/**
 * Ends one session; its access tokens are refused at their next request. The caller ends their own, and anybody's with
 * `delete:sessions`. Writes `session.revoked`.
 *
 * @throws {DomainError} SESSION_NOT_FOUND when there is none, it has ended, or it is none of the caller's
 */
export async function revokeSession(scope: AuthenticationScope, { id }: { id: string }): Promise<{ sessionId: string }> {
  const userId = await ownerOf(scope, id)
  return change(scope, 'session.revoked', async (tx) => {
    await lockUser(tx.db, userId, { deleted: true })
    const { ended, before, after } = await endSessionsWhere(tx, userId, { id })
    if (ended[0] === undefined) throw sessionNotFound()
    return { result: { sessionId: ended[0].id }, subjectId: userId, userId, before, after }
  })
}

async function ownerOf({ db, clock, caller: { principal }, sessionLifetime }: AuthenticationScope, id: string): Promise<string> {
  const where = { ...standingSessions(sessionLifetime, clock.now()), id }
  const session = isUuid(id) ? await db.session.findUnique({ where, select: { userId: true } }) : null
  const isReached = session !== null && (session.userId === principal.userId || hasScope(principal, 'delete:sessions'))
  if (!isReached) throw sessionNotFound()
  return session.userId
}

/** Whose sessions, and which of them stay. */
export type RevokeSessionsInput = Readonly<{ userId: string; exceptSessionIds?: readonly string[] | null }>

/** More than a person has devices. */
const exceptMax = 100

/**
 * Ends a user's sessions, but for those that are excepted; ids of no session of the user's except nothing. Writes `session.revoked`,
 * unless there was nothing to end. Answers how many stood until now.
 *
 * @throws {DomainErrors} INVALID_INPUT for exceptions that are no ids, or too many
 * @throws {DomainError} USER_NOT_FOUND
 */
export async function revokeSessions(
  scope: AuthenticationScope,
  { userId, exceptSessionIds }: RevokeSessionsInput,
): Promise<{ userId: string; sessionsEnded: number }> {
  const except = parseExcept(exceptSessionIds ?? [])
  return change(scope, 'session.revoked', async (tx) => {
    const { id } = await lockUser(tx.db, userId, { path: ['input', 'userId'] })
    const { ended, before, after } = await endSessionsWhere(tx, id, { id: { notIn: except } })
    const sessionsEnded = ended.filter(stillStood(scope.sessionLifetime, tx.now)).length
    return { result: { userId: id, sessionsEnded }, subjectId: id, userId: id, before, after }
  })
}

function parseExcept(ids: readonly string[]): string[] {
  const path = ['input', 'exceptSessionIds']
  if (ids.length > exceptMax) throw invalidInput(path, `At most ${exceptMax} sessions can be excepted.`)
  const problems = ids.flatMap((id, index) => (isUuid(id) ? [] : [invalidInput([...path, String(index)], 'A session has a UUID.')]))
  if (problems.length > 0) throw new DomainErrors(problems)
  return [...ids]
}

function sessionNotFound(): DomainError<'SESSION_NOT_FOUND'> {
  return new DomainError('SESSION_NOT_FOUND', 'There is no such session, or it has ended.', ['input', 'id'], {})
}
