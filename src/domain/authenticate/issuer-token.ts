import { publicKeyAlgorithms, readHeader, TokenError, verifyJwt } from '../../crypto/jwt.ts'
import { createIssuerKeys, type IssuerKeys } from '../../ports/issuer-keys.ts'
import type { Logger } from '../../ports/logger.ts'
import type { TrustedIssuer } from '../../trusted-issuers.ts'
import type { PermissionScope } from '../principal.ts'

/** What a trusted issuer says of who calls. */
export type IssuerCaller = Readonly<{
  issuer: TrustedIssuer
  /** The issuer's `sub`. */
  subject: string
  email: string | null
  emailVerified: boolean
  /** What both the token and the issuer's configuration allow. */
  scopes: readonly PermissionScope[]
}>

/** Verifies tokens of one trusted issuer. @throws {TokenError} @throws {KeysUnavailableError} */
export type IssuerVerifier = (token: string, now: Date) => Promise<IssuerCaller>

const sharedSecretAlgorithms = ['HS256']

/** 30 days, the longest that issuers commonly sell; a token for longer is a mistake. */
const maxLifetimeSeconds = 30 * 86_400

/** The verifier of an issuer, which keeps the issuer's keys while it is used. */
export function createIssuerVerifier(issuer: TrustedIssuer, logger: Logger): IssuerVerifier {
  const keys = issuer.jwksUrl === null ? null : createIssuerKeys(issuer.jwksUrl, logger)
  const algorithms = keys === null ? sharedSecretAlgorithms : publicKeyAlgorithms
  return async (token, now) => {
    const header = readHeader(token, algorithms)
    assertAccessTokenType(header.typ)
    const key = keys === null ? Buffer.from(issuer.secret ?? '') : await findKey(keys, header)
    const rules = { algorithms, type: null, issuer: issuer.issuer, audience: issuer.audience, requiredClaims: [], maxLifetimeSeconds, now }
    return caller(issuer, await verifyJwt(token, key, rules))
  }
}

async function findKey(keys: IssuerKeys, { alg, kid }: { alg: string; kid: string | null }): Promise<CryptoKey> {
  const key = kid === null ? null : await keys({ alg, kid })
  if (key === null) throw new TokenError('invalid')
  return key
}

/** ID, logout, refresh and other special tokens are no access tokens (RFC 8725 §3.11). Many issuers still say `JWT` or nothing. */
function assertAccessTokenType(typ: string | null): void {
  const type = typ?.toLowerCase().replace(/^application\//, '')
  if (type !== undefined && type !== 'jwt' && type !== 'at+jwt') throw new TokenError('invalid')
}

function caller(issuer: TrustedIssuer, payload: Readonly<Record<string, unknown>> & { sub: string }): IssuerCaller {
  // Keycloak names the kind in a claim of that name. A token that is bound to a key or certificate is no bearer token (RFC 9449 §7.1).
  const kind = payload['typ'] ?? 'Bearer'
  if (kind !== 'Bearer' || payload['cnf'] !== undefined) throw new TokenError('invalid')
  // OpenID Connect Core 1.0 §2: at most 255 ASCII characters.
  if (!/^[\x20-\x7e]{1,255}$/.test(payload.sub)) throw new TokenError('invalid')
  const email = payload['email']
  return {
    issuer,
    subject: payload.sub,
    email: typeof email === 'string' ? email : null,
    emailVerified: payload['email_verified'] === true,
    scopes: grantedScopes(issuer, payload),
  }
}

function grantedScopes({ scopeClaim, scopes }: TrustedIssuer, payload: Readonly<Record<string, unknown>>): readonly PermissionScope[] {
  const claim = scopeClaim !== null && Object.hasOwn(payload, scopeClaim) ? payload[scopeClaim] : []
  const names: unknown[] = typeof claim === 'string' ? claim.split(' ') : Array.isArray(claim) ? claim : []
  return scopes.filter((scope) => names.includes(scope))
}
