import type { Secrets } from '../../crypto/secrets.ts'
import { isOpenId, type ProviderStrategy } from '../connection/strategy.ts'

/** What ties a provider's answer to the request that it is for, beside the state. The nonce is null where the provider has no ID tokens. */
export type ProviderProofs = Readonly<{ nonce: string | null; codeVerifier: string }>

/**
 * The nonce and the PKCE verifier of one state. Only this Roster can say them again, so that neither has to be kept. PKCE is asked of
 * providers that do not announce it, too: those that do not know it pass it over (RFC 6749 §3.1, §3.2).
 */
export function providerProofs(
  secrets: Secrets,
  { strategy, state }: Readonly<{ strategy: ProviderStrategy; state: string }>,
): ProviderProofs {
  const derive = (purpose: string) => secrets.digest(purpose, state).toString('base64url')
  return { nonce: isOpenId(strategy) ? derive('authorization nonce') : null, codeVerifier: derive('authorization code verifier') }
}
