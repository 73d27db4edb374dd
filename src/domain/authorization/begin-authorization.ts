import { newOpaqueToken } from '../../crypto/opaque-token.ts'
import { authorizationUrl } from '../../ports/provider-authorization.ts'
import { inProviderTime } from '../../ports/providers.ts'
import type { AuthenticationScope } from '../authentication.ts'
import { findProviderConnection, readProviderClient } from '../federation/provider-connection.ts'
import { networkOf } from '../network.ts'
import { spend } from '../rate-limit.ts'
import { type AuthorizationIntent, keepRequest } from './authorization-request.ts'
import { callbackUrl } from './callback-url.ts'
import { challengeOf } from './code-challenge.ts'
import { providerProofs } from './provider-proofs.ts'

/** What an application asks for. */
export type BeginAuthorizationInput = Readonly<{
  /** The connection's key. */
  connection: string
  intent: AuthorizationIntent
  /** One of the allowed URLs, parsed. */
  redirectTo: string
  codeChallenge: string
  /** The application's own, which it gets back. */
  appState: string | null
  loginHint: string | null
  /** The cookie of the browser. */
  browser: string
}>

type Begun = Readonly<{ url: string; isFormPost: boolean }>

/**
 * Writes down that somebody is on his way to a provider.
 * @returns where his browser is sent, and whether it comes back with a form
 * @throws {DomainError} CONNECTION_NOT_FOUND when there is none of this key, or it is disabled
 * @throws {RequestError} RATE_LIMITED
 * @throws {ProviderUnavailableError}
 */
export async function beginAuthorization(scope: AuthenticationScope, input: BeginAuthorizationInput): Promise<Begun> {
  await spend(scope, scope.budgets, [{ budget: 'signIn.network', of: networkOf(scope.caller.ip) }])
  const connection = await findProviderConnection(scope, input.connection)
  const { id: connectionId, key, strategy, scopes } = connection
  const configuration = await inProviderTime(scope.providers.configuration(await readProviderClient(scope, connection)))
  const { browser, intent, redirectTo, appState, codeChallenge, loginHint } = input
  const state = newOpaqueToken()
  const { nonce, codeVerifier } = providerProofs(scope.secrets, { strategy, state })
  await keepRequest(scope, { state, browser }, { connectionId, key, intent, redirectTo, appState, codeChallenge })
  const isFormPost = strategy === 'APPLE'
  const asked = {
    redirectUri: callbackUrl(scope.links, key),
    scopes,
    state,
    nonce,
    codeChallenge: challengeOf(codeVerifier),
    loginHint,
    isFormPost,
  }
  return { url: authorizationUrl(configuration, asked), isFormPost }
}
