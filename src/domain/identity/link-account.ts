import type { AuthenticationScope } from '../authentication.ts'
import { findCode, useCode } from '../authorization/authorization-code.ts'
import type { ChangeScope } from '../change.ts'
import { DomainErrors, invalidInput, RequestError } from '../errors.ts'
import { linkByProvider } from '../federation/link-by-provider.ts'
import { findProviderConnection } from '../federation/provider-connection.ts'
import { verifyIdToken } from '../federation/verify-id-token.ts'
import { networkOf } from '../network.ts'
import { spend } from '../rate-limit.ts'
import type { SelfProof } from '../user/prove-self.ts'
import { type LinkIdentityInput, linkIdentity } from './link-identity.ts'

/**
 * An account at a provider, and what shows whose it is: the provider's ID token, the code that somebody came back from the provider with,
 * or an administrator's word.
 */
export type LinkAccountInput = SelfProof &
  Omit<LinkIdentityInput, 'userId' | 'provider' | 'providerUserId'> &
  Readonly<{
    /** Absent: the caller. */
    userId?: string | null
    /** Needed but with `code`, which says it by itself. */
    provider?: string | null
    /** Of `GET /auth/authorize` with `intent=link`. */
    code?: string | null
    codeVerifier?: string | null
    idToken?: string | null
    idTokenNonce?: string | null
    /** Only an administrator may send it; that is declared on the field, and checked before this runs. */
    providerUserId?: string | null
  }>

/**
 * Links an account at a provider to a user: see link-by-provider.ts for what the provider vouches for, and link-identity.ts for what an
 * administrator says.
 *
 * @throws {DomainErrors} without exactly one of `code`, `idToken` and `providerUserId`, or what `linkIdentity` finds wrong
 * @throws {DomainError} what `findCode`, `verifyIdToken`, `linkByProvider` and `linkIdentity` throw
 * @throws {RequestError} RATE_LIMITED; BAD_USER_INPUT when nobody is named
 */
export async function linkAccount(scope: AuthenticationScope, input: LinkAccountInput): Promise<{ userId: string; identityId: string }> {
  const userId = input.userId ?? scope.caller.principal.userId
  if (userId === null)
    throw new RequestError('BAD_USER_INPUT', 'This token has no user: name one in `input.userId`.', { field: 'input.userId' })
  const { code, idToken, provider, providerUserId } = input
  if ([code, idToken, providerUserId].filter((shown) => shown != null).length !== 1) throw refused('code', exactlyOne)
  if (code != null) return linkWithCode(scope, { ...input, userId, code })
  if (provider == null) throw refused('provider', 'Name the provider.')
  if (providerUserId != null) return linkIdentity(scope, { ...input, userId, provider, providerUserId })
  return linkWithIdToken(scope, { ...input, userId, provider, idToken: idToken ?? '' })
}

const exactlyOne = 'Send `code` or `idToken`; an administrator may send `providerUserId` in their place.'

function refused(field: string, message: string): DomainErrors {
  return new DomainErrors([invalidInput(['input', field], message)])
}

type With<Name extends 'code' | 'provider' | 'idToken'> = LinkAccountInput & Readonly<{ userId: string } & Record<Name, string>>

/** The code is used up when the account is linked, so that who has to prove himself first can send it again. */
async function linkWithCode(scope: AuthenticationScope, { userId, code, codeVerifier, currentPassword, nonce }: With<'code'>) {
  const { key, person } = await findCode(scope, { code, codeVerifier: codeVerifier ?? '' }, 'LINK')
  const connection = await findProviderConnection(scope, key, ['input', 'code'])
  const use = (tx: ChangeScope) => useCode(tx, code)
  return linkByProvider(scope, { userId, proof: { currentPassword, nonce }, arrival: { connection, person }, use })
}

async function linkWithIdToken(scope: AuthenticationScope, input: With<'provider' | 'idToken'>) {
  await spend(scope, scope.budgets, [{ budget: 'signIn.network', of: networkOf(scope.caller.ip) }])
  const { userId, provider, idToken, idTokenNonce = null, currentPassword, nonce } = input
  const connection = await findProviderConnection(scope, provider, ['input', 'provider'])
  const { person, use } = await verifyIdToken(scope, connection, { idToken, nonce: idTokenNonce })
  return linkByProvider(scope, { userId, proof: { currentPassword, nonce }, arrival: { connection, person }, use })
}
