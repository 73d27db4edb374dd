import type { AuthenticationScope } from '../authentication.ts'
import { type Changed, type ChangeScope, change, recordFailure } from '../change.ts'
import { DomainError } from '../errors.ts'
import { holdProviderConnection } from '../federation/provider-connection.ts'
import { startProviderSession } from '../federation/start-provider-session.ts'
import type { AuthTokens } from '../session.ts'
import { lockRow } from '../user/user-record.ts'
import { type CodeInput, codeNotValid, findCode, useCode } from './authorization-code.ts'

type SignedIn = Readonly<{ userId: string; tokens: AuthTokens }>

/**
 * Trades the code that somebody came back with from a provider for a session, once. Writes `user.signedIn`, or `user.signInFailed`.
 *
 * @throws {DomainError} TOKEN_NOT_VALID for a code that is not there, was tried before, is another application's (its verifier is not the
 * one), or whose identity was unlinked; TOKEN_EXPIRED; CONNECTION_NOT_FOUND when the connection was disabled meanwhile;
 * INVALID_CREDENTIALS for a user who was blocked or deleted meanwhile
 * @throws {RequestError} RATE_LIMITED
 */
export async function exchangeCode(scope: AuthenticationScope, input: CodeInput): Promise<SignedIn> {
  const found = await findCode(scope, input, 'SIGN_IN')
  try {
    return await change(scope, 'user.signedIn', (tx) => admit(tx, scope, { ...found, code: input.code }))
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    await recordFailure(scope, 'user.signInFailed', found.userId, found.key)
    throw error.code === 'USER_NOT_FOUND' ? codeNotValid() : new DomainError(error.code, error.message, ['input', 'code'], error.details)
  }
}

type Admitted = Readonly<{ connectionId: string; identityId: string; userId: string; code: string }>

/** Connection, user and code are locked in this order everywhere. */
async function admit(
  tx: ChangeScope,
  scope: AuthenticationScope,
  { connectionId, identityId, userId, code }: Admitted,
): Promise<Changed<SignedIn>> {
  const { key: connection } = await holdProviderConnection(tx, connectionId)
  await lockRow(tx.db, userId, { deleted: true })
  await useCode(tx, code)
  // It may have gone over to another user.
  const identity = await tx.db.identity.findUnique({ where: { id: identityId }, select: { userId: true } })
  if (identity?.userId !== userId) throw codeNotValid()
  const tokens = await startProviderSession(tx, scope, userId, connection)
  return { result: { userId, tokens }, subjectId: userId, userId, actorUserId: userId, connection, before: null, after: null }
}
