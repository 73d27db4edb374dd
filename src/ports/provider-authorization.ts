import { AuthorizationResponseError, authorizationCodeGrant, buildAuthorizationUrl, type Configuration, fetchUserInfo } from 'openid-client'
import { readGitHubClaims } from './github-claims.ts'

/** What a provider is asked for. */
export type AuthorizationParameters = Readonly<{
  redirectUri: string
  scopes: readonly string[]
  state: string
  /** Null: the provider has no ID tokens. */
  nonce: string | null
  /** Null: the provider knows no PKCE. */
  codeChallenge: string | null
  loginHint: string | null
  /** Whether the browser brings the answer as a form, and not in the URL. */
  isFormPost: boolean
}>

/** Where the browser is sent. */
export function authorizationUrl(configuration: Configuration, parameters: AuthorizationParameters): string {
  const { redirectUri, scopes, state, nonce, codeChallenge, loginHint, isFormPost } = parameters
  return buildAuthorizationUrl(configuration, {
    redirect_uri: redirectUri,
    scope: scopes.join(' '),
    state,
    ...(nonce === null ? {} : { nonce }),
    ...(codeChallenge === null ? {} : { code_challenge: codeChallenge, code_challenge_method: 'S256' }),
    ...(loginHint === null ? {} : { login_hint: loginHint }),
    ...(isFormPost ? { response_mode: 'form_post' } : {}),
  }).href
}

/** The provider let nobody in, and says why: `access_denied`, RFC 6749 §4.1.2.1. Its own words are not passed on. */
export class ProviderRefusedError extends Error {
  override readonly name = 'ProviderRefusedError'
  readonly code: string

  constructor(code: string, cause: unknown) {
    super('The provider let nobody in.', { cause })
    this.code = code
  }
}

/** What the browser has brought back, and what it has to match. */
export type ProviderAnswer = Readonly<{
  /** The redirect URI with what the provider has added. */
  url: URL
  state: string
  nonce: string | null
  codeVerifier: string | null
  /** Whether claims are read from GitHub's API, its userinfo endpoint, or the ID token alone. */
  claimsFrom: 'github' | 'userinfo' | 'idToken'
}>

/**
 * Trades the code for tokens, and reads who it is. `iss` (RFC 9207), `state`, and of the ID token signature, issuer, audience, nonce and
 * times are checked. The tokens are not kept.
 *
 * @throws {ProviderRefusedError}
 * @throws what openid-client throws, for an answer that does not hold or does not come
 */
export async function readAuthorization(
  configuration: Configuration,
  { url, state, nonce, codeVerifier, claimsFrom }: ProviderAnswer,
): Promise<Record<string, unknown>> {
  const checks = {
    expectedState: state,
    ...(nonce === null ? {} : { expectedNonce: nonce, idTokenExpected: true }),
    ...(codeVerifier === null ? {} : { pkceCodeVerifier: codeVerifier }),
  }
  const tokens = await authorizationCodeGrant(configuration, url, checks).catch((error: unknown) => {
    throw error instanceof AuthorizationResponseError ? new ProviderRefusedError(error.error, error) : error
  })
  if (claimsFrom === 'github') return readGitHubClaims(configuration, tokens.access_token)
  const claims = { ...tokens.claims() }
  if (claimsFrom === 'idToken' || configuration.serverMetadata().userinfo_endpoint === undefined) return claims
  return join(claims, await fetchUserInfo(configuration, tokens.access_token, String(claims['sub'])))
}

/** The ID token is believed first. Of an address, whoever names it says whether it is verified; one doubt is enough. */
function join(claims: Record<string, unknown>, userInfo: Record<string, unknown>): Record<string, unknown> {
  const { email, email_verified: isVerified, ...rest } = userInfo
  if (claims['email'] === undefined) return { ...userInfo, ...claims, email_verified: isVerified }
  const isDoubted = email === claims['email'] && isVerified === false
  return { ...rest, ...claims, email_verified: isDoubted ? false : (claims['email_verified'] ?? (email === claims['email'] && isVerified)) }
}
