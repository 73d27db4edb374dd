import type { AuthenticationScope } from '../authentication.ts'
import type { ChangeScope } from '../change.ts'
import { DomainError } from '../errors.ts'
import { type AuthTokens, startSession } from '../session.ts'
import { countSignIn } from '../user/count-sign-in.ts'

/** RFC 8176 has no name for what a provider has asked for; this one says that it was a provider. */
const federated = ['fed']

/**
 * Starts the session of a user who came by a connection, inside the change that lets him in.
 * @throws {DomainError} INVALID_CREDENTIALS when he was blocked or deleted since he came
 */
export async function startProviderSession(
  tx: ChangeScope,
  scope: AuthenticationScope,
  userId: string,
  connection: string,
): Promise<AuthTokens> {
  if (!(await countSignIn(tx, userId, connection)))
    throw new DomainError('INVALID_CREDENTIALS', 'Nobody is signed in by this account.', ['input'], {})
  const { ip, userAgent } = tx.caller
  const { sessionId: _, ...tokens } = await startSession(tx, scope, { userId, connection, aal: 'aal1', amr: federated, ip, userAgent })
  return tokens
}
