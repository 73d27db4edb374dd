import type { AuthenticationScope } from '../authentication.ts'
import { DomainError } from '../errors.ts'
import { networkOf } from '../network.ts'
import { spend } from '../rate-limit.ts'
import type { AuthTokens } from '../session.ts'
import { arriveByProvider } from './arrive-by-provider.ts'
import { findProviderConnection } from './provider-connection.ts'
import { recordRefusal } from './record-refusal.ts'
import { startProviderSession } from './start-provider-session.ts'
import { verifyIdToken } from './verify-id-token.ts'

/** The key of a connection, and what an application has got from its provider. */
export type SignInWithIdTokenInput = Readonly<{ connection: string; idToken: string; nonce?: string | null }>

type Result = Readonly<{ userId: string; tokens: AuthTokens }>

/**
 * Signs in with an ID token that an application holds already. It is good for one sign-in. Who it is, and what is written down, is
 * decided as for every arrival; see arrive-by-provider.ts.
 *
 * @throws {DomainError} CONNECTION_NOT_FOUND, TOKEN_EXPIRED, TOKEN_NOT_VALID, PROVIDER_UNAVAILABLE, SIGN_UP_DISABLED; INVALID_CREDENTIALS
 * for a user who is blocked or deleted; INVALID_INPUT for a connection without ID tokens
 * @throws {RequestError} RATE_LIMITED
 */
export async function signInWithIdToken(scope: AuthenticationScope, input: SignInWithIdTokenInput): Promise<Result> {
  await spend(scope, scope.budgets, [{ budget: 'signIn.network', of: networkOf(scope.caller.ip) }])
  const connection = await findProviderConnection(scope, input.connection)
  const { person, use } = await verifyIdToken(scope, connection, { idToken: input.idToken, nonce: input.nonce ?? null })
  try {
    return await arriveByProvider(scope, { connection, person }, async (tx, { userId }) => {
      await use(tx)
      return { result: { userId, tokens: await startProviderSession(tx, scope, userId, connection.key) } }
    })
  } catch (error) {
    const wasUsed = error instanceof DomainError && error.code === 'TOKEN_NOT_VALID'
    throw wasUsed ? await recordRefusal(scope, connection, person.subject, error) : error
  }
}
