import { base64url, decodeProtectedHeader, errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose'
import { hasDuplicateKeys } from './duplicate-keys.ts'

/** Why a token is refused. The cause is for the log; the caller learns the reason only. */
export class TokenError extends Error {
  override readonly name = 'TokenError'
  readonly reason: 'expired' | 'invalid'

  constructor(reason: 'expired' | 'invalid', cause?: unknown) {
    super(reason === 'expired' ? 'The token has expired.' : 'The token is not understood.', { cause })
    this.reason = reason
  }
}

/** The algorithms that others sign with and publish the keys of. */
export const publicKeyAlgorithms = ['RS256', 'PS256', 'ES256', 'EdDSA']

/** How far the clocks of who signs and who verifies may differ, in seconds. */
export const clockToleranceSeconds = 30

/** What a token must say. All of it is checked; nothing is left to a library's default. */
export type JwtRules = Readonly<{
  algorithms: readonly string[]
  /** The header's `typ`; null: the caller checks it. */
  type: string | null
  /** The exact `iss`, or several where one issuer is known by several. */
  issuer: string | readonly string[]
  /** The `aud`, or one of several where the issuer gives several. */
  audience: string
  /** Claims that must be there beside iss, aud, sub, exp and iat. */
  requiredClaims: readonly string[]
  /** The longest that `exp` may lie after `iat`. */
  maxLifetimeSeconds: number
  now: Date
}>

/** The header's `alg`, `kid` and `typ`, not verified: enough to choose a key by. Whatever key the token brings along is ignored (RFC 8725 §3.10). */
export type JwtHeader = Readonly<{ alg: string; kid: string | null; typ: string | null }>

/** Reads the header to choose a key by. @throws {TokenError} when it cannot be read or the algorithm is not allowed (RFC 8725 §3.1) */
export function readHeader(token: string, algorithms: readonly string[]): JwtHeader {
  try {
    const { alg, kid, typ } = decodeProtectedHeader(token)
    if (typeof alg !== 'string' || !algorithms.includes(alg)) throw new TokenError('invalid')
    return { alg, kid: typeof kid === 'string' ? kid : null, typ: typeof typ === 'string' ? typ : null }
  } catch (error) {
    throw new TokenError('invalid', error)
  }
}

/** Verifies the signature, then the claims, and answers them. @throws {TokenError} */
export async function verifyJwt(token: string, key: CryptoKey | Uint8Array, rules: JwtRules): Promise<JWTPayload & VerifiedClaims> {
  try {
    const { payload } = await jwtVerify(token, key, joseOptions(rules))
    if (token.split('.', 2).some((part) => hasDuplicateKeys(decodeText(part)))) throw new Error('a name is there twice')
    if (!isVerified(payload)) throw new Error('a claim has the wrong type')
    if (payload.exp - payload.iat > rules.maxLifetimeSeconds) throw new Error('it lives too long')
    return payload
  } catch (error) {
    throw new TokenError(error instanceof errors.JWTExpired ? 'expired' : 'invalid', error)
  }
}

type VerifiedClaims = { sub: string; exp: number; iat: number }

function isVerified(payload: JWTPayload): payload is JWTPayload & VerifiedClaims {
  return typeof payload.sub === 'string' && typeof payload.exp === 'number' && typeof payload.iat === 'number'
}

function joseOptions({ algorithms, type, issuer, audience, requiredClaims, maxLifetimeSeconds, now }: JwtRules): JWTVerifyOptions {
  return {
    algorithms: [...algorithms],
    issuer: typeof issuer === 'string' ? issuer : [...issuer],
    audience,
    requiredClaims: ['iss', 'aud', 'sub', 'exp', 'iat', ...requiredClaims],
    clockTolerance: clockToleranceSeconds,
    // Also refuses an `iat` in the future, which jose otherwise does not look at.
    maxTokenAge: maxLifetimeSeconds,
    currentDate: now,
    ...(type === null ? {} : { typ: type }),
  }
}

function decodeText(part: string): string {
  return new TextDecoder().decode(base64url.decode(part))
}
