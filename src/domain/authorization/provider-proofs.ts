import type { Configuration } from 'openid-client'
import type { Secrets } from '../../crypto/secrets.ts'
import { isOpenId, type ProviderStrategy } from '../connection/strategy.ts'

/** What ties a provider's answer to the request that it is for, beside the state. Null where the provider does not know it. */
export type ProviderProofs = Readonly<{ nonce: string | null; codeVerifier: string | null }>

/**
 * The nonce and the PKCE verifier of one state. Only this Roster can say them again, so that neither has to be kept. PKCE is left out
 * only for Apple, which does not announce it: there the nonce keeps a foreign code out (RFC 9700 §2.1.1).
 */
export function providerProofs(
  secrets: Secrets,
  { strategy, configuration, state }: Readonly<{ strategy: ProviderStrategy; configuration: Configuration; state: string }>,
): ProviderProofs {
  const derive = (purpose: string) => secrets.digest(purpose, state).toString('base64url')
  const hasPkce = strategy !== 'APPLE' || configuration.serverMetadata().supportsPKCE()
  return {
    nonce: isOpenId(strategy) ? derive('authorization nonce') : null,
    codeVerifier: hasPkce ? derive('authorization code verifier') : null,
  }
}
