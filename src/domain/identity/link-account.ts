import type { AuthenticationScope } from '../authentication.ts'
import { DomainErrors, invalidInput, RequestError } from '../errors.ts'
import { linkByProvider } from '../federation/link-by-provider.ts'
import { findProviderConnection } from '../federation/provider-connection.ts'
import { verifyIdToken } from '../federation/verify-id-token.ts'
import { networkOf } from '../network.ts'
import { spend } from '../rate-limit.ts'
import type { SelfProof } from '../user/prove-self.ts'
import { type LinkIdentityInput, linkIdentity } from './link-identity.ts'

/** An account at a provider, and what shows whose it is: the provider's ID token, or an administrator's word. */
export type LinkAccountInput = SelfProof &
  Omit<LinkIdentityInput, 'userId' | 'providerUserId'> &
  Readonly<{
    /** Absent: the caller. */
    userId?: string | null
    idToken?: string | null
    idTokenNonce?: string | null
    /** Only an administrator may send it; that is declared on the field, and checked before this runs. */
    providerUserId?: string | null
  }>

/**
 * Links an account at a provider to a user: see link-by-provider.ts for what the provider vouches for, and link-identity.ts for what an
 * administrator says.
 *
 * @throws {DomainErrors} without exactly one of `idToken` and `providerUserId`, or what `linkIdentity` finds wrong
 * @throws {DomainError} what `verifyIdToken`, `linkByProvider` and `linkIdentity` throw
 * @throws {RequestError} RATE_LIMITED; BAD_USER_INPUT when nobody is named
 */
export async function linkAccount(scope: AuthenticationScope, input: LinkAccountInput): Promise<{ userId: string; identityId: string }> {
  const userId = input.userId ?? scope.caller.principal.userId
  if (userId === null)
    throw new RequestError('BAD_USER_INPUT', 'This token has no user: name one in `input.userId`.', { field: 'input.userId' })
  const { idToken, providerUserId } = input
  if ((idToken == null) === (providerUserId == null))
    throw new DomainErrors([invalidInput(['input', 'idToken'], 'Send `idToken`; an administrator may send `providerUserId` in its place.')])
  if (providerUserId != null) return linkIdentity(scope, { ...input, userId, providerUserId })
  return linkWithIdToken(scope, { ...input, userId, idToken: idToken ?? '' })
}

async function linkWithIdToken(scope: AuthenticationScope, input: LinkAccountInput & Readonly<{ userId: string; idToken: string }>) {
  await spend(scope, scope.budgets, [{ budget: 'signIn.network', of: networkOf(scope.caller.ip) }])
  const { userId, idToken, idTokenNonce = null, currentPassword, nonce } = input
  const connection = await findProviderConnection(scope, input.provider, ['input', 'provider'])
  const { person, use } = await verifyIdToken(scope, connection, { idToken, nonce: idTokenNonce })
  return linkByProvider(scope, { userId, proof: { currentPassword, nonce }, arrival: { connection, person }, use })
}
