import {
  AuthorizationResponseError,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  ClientError,
  type Configuration,
  fetchUserInfo,
  ResponseBodyError,
  WWWAuthenticateChallengeError,
} from 'openid-client'
import { readGitHubClaims } from './github-claims.ts'
import { ProviderUnavailableError } from './providers.ts'

/** What a provider is asked for. */
export type AuthorizationParameters = Readonly<{
  redirectUri: string
  scopes: readonly string[]
  state: string
  /** Null: the provider has no ID tokens. */
  nonce: string | null
  codeChallenge: string
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
    code_challenge: codeChallenge,
    code_challenge_method: 'S256',
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

/** What the provider answers does not hold: it is signed with another key, is for somebody else, or refuses Roster itself. */
export class ProviderAnswerError extends Error {
  override readonly name = 'ProviderAnswerError'
  /** What the provider calls it: `invalid_client`, RFC 6749 §5.2; else what of its answer does not hold. */
  readonly code: string

  constructor(code: string, cause?: unknown) {
    super('The answer of the provider does not hold.', { cause })
    this.code = code
  }
}

/** What the browser has brought back, and what it has to match. */
export type ProviderAnswer = Readonly<{
  /** The redirect URI with what the provider has added. */
  url: URL
  state: string
  nonce: string | null
  codeVerifier: string
  /** Whether claims are read from GitHub's API, its userinfo endpoint, or the ID token alone. */
  claimsFrom: 'github' | 'userinfo' | 'idToken'
}>

/**
 * Trades the code for tokens, and reads who it is. `iss` (RFC 9207), `state`, and of the ID token signature, issuer, audience, nonce and
 * times are checked. The tokens are not kept.
 *
 * @throws {ProviderRefusedError}
 * @throws {ProviderAnswerError}
 * @throws {ProviderUnavailableError}
 */
export async function readAuthorization(configuration: Configuration, answer: ProviderAnswer): Promise<Record<string, unknown>> {
  try {
    return await readClaims(configuration, answer)
  } catch (error) {
    throw translate(error)
  }
}

async function readClaims(
  configuration: Configuration,
  { url, state, nonce, codeVerifier, claimsFrom }: ProviderAnswer,
): Promise<Record<string, unknown>> {
  const checks = {
    expectedState: state,
    ...(nonce === null ? {} : { expectedNonce: nonce, idTokenExpected: true }),
    pkceCodeVerifier: codeVerifier,
  }
  const tokens = await authorizationCodeGrant(configuration, url, checks)
  if (claimsFrom === 'github') return readGitHubClaims(configuration, tokens.access_token)
  const claims = { ...tokens.claims() }
  if (claimsFrom === 'idToken' || configuration.serverMetadata().userinfo_endpoint === undefined) return claims
  return join(claims, await fetchUserInfo(configuration, tokens.access_token, String(claims['sub'])))
}

function translate(error: unknown): Error {
  if (error instanceof AuthorizationResponseError) return new ProviderRefusedError(plain(error.error), error)
  if (error instanceof ResponseBodyError && error.status < 500) return new ProviderAnswerError(plain(error.error), error)
  if (error instanceof WWWAuthenticateChallengeError && error.status < 500) return new ProviderAnswerError('challenge', error)
  if (error instanceof ClientError && !isOutage(error)) return new ProviderAnswerError(plain(error.code ?? ''), error)
  return new ProviderUnavailableError('The provider cannot be used now.', { cause: error })
}

/** It took too long, or said that it is down. */
function isOutage({ code, cause }: ClientError): boolean {
  return code === 'OAUTH_TIMEOUT' || code === 'OAUTH_ABORT' || (cause instanceof Response && cause.status >= 500)
}

/** A code that may stand in a log. */
function plain(code: string): string {
  return /^[A-Za-z_]{1,64}$/.test(code) ? code : 'unknown'
}

/** The ID token is believed first. Of an address, whoever names it says whether it is verified; one doubt is enough. */
function join(claims: Record<string, unknown>, userInfo: Record<string, unknown>): Record<string, unknown> {
  const { email, email_verified: isVerified, ...rest } = userInfo
  if (claims['email'] === undefined) return { ...userInfo, ...claims, email_verified: isVerified }
  const isDoubted = email === claims['email'] && isVerified === false
  return { ...rest, ...claims, email_verified: isDoubted ? false : (claims['email_verified'] ?? (email === claims['email'] && isVerified)) }
}
