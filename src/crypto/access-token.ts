import { type JWTPayload, SignJWT } from 'jose'
import { readHeader, TokenError, verifyJwt } from './jwt.ts'
import { type SigningKeys, signingAlgorithm } from './signing-keys.ts'
import { createVerifiedTokens, type VerifiedToken } from './verified-tokens.ts'

/** RFC 9068 §2.1: what keeps other kinds of tokens, signed with the same key, from passing for access tokens. */
const accessTokenType = 'at+jwt'

/** The longest lives of the two kinds of own tokens, whatever is configured: an hour, and 400 days. */
export const maxUserTokenSeconds = 3600
export const maxAdminTokenSeconds = 400 * 86_400

/** The client that is named in users' tokens as long as there are no others, RFC 9068 §2.2. */
const ownClient = 'roster'

/** What a user's token says. `id` is its `jti`. */
export type UserTokenClaims = Readonly<{
  kind: 'user'
  id: string
  userId: string
  sessionId: string
  scopes: readonly string[]
  aal: string
  amr: readonly string[]
}>

/** What a token without a user says. `id` is its `jti` and the admin token's id. */
export type AdminTokenClaims = Readonly<{ kind: 'admin'; id: string; scopes: readonly string[] }>

export type AccessTokenClaims = UserTokenClaims | AdminTokenClaims

export type AccessTokenSettings = Readonly<{
  /** The `iss`. */
  issuer: string
  /** The `aud`. */
  audience: string
  /** How long a user's token lives. */
  accessTokenSeconds: number
}>

/** Signs and verifies own access tokens. */
export type AccessTokens = AccessTokenSettings &
  Readonly<{
    sign: (claims: AccessTokenClaims, issuedAt: Date, expiresAt: Date) => Promise<string>
    /** Whether it has been verified before, so that it is known whose it is. Whether it still holds, `verify` says. */
    isKnown: (token: string, now: Date) => boolean
    /** Says what the token says once all of it holds, but not whether it was revoked. @throws {TokenError} */
    verify: (token: string, now: Date) => Promise<AccessTokenClaims>
  }>

/** Access tokens of RFC 9068, signed with the key that is current when they are issued and verified with any of our own. */
export function createAccessTokens(settings: AccessTokenSettings, keys: SigningKeys): AccessTokens {
  const verified = createVerifiedTokens<AccessTokenClaims>()
  return Object.freeze({
    ...settings,
    sign: (claims: AccessTokenClaims, issuedAt: Date, expiresAt: Date) => sign(settings, keys, claims, issuedAt, expiresAt),
    isKnown: (token: string, now: Date) => verified.get(token, now) !== null,
    verify: async (token: string, now: Date) => {
      const known = verified.get(token, now)
      // A key that was dropped verifies nothing, not even what it has verified.
      if (known !== null && (await keys.find(known.key.id)) === known.key) return known.claims
      const fresh = await verify(settings, keys, token, now)
      verified.set(token, fresh)
      return fresh.claims
    },
  })
}

async function sign(
  { issuer, audience }: AccessTokenSettings,
  keys: SigningKeys,
  claims: AccessTokenClaims,
  issuedAt: Date,
  expiresAt: Date,
): Promise<string> {
  const { id, privateKey } = await keys.current(issuedAt)
  return new SignJWT({ ...subjectClaims(claims), scope: claims.scopes.join(' ') })
    .setProtectedHeader({ alg: signingAlgorithm, typ: accessTokenType, kid: id })
    .setIssuer(issuer)
    .setAudience(audience)
    .setJti(claims.id)
    .setIssuedAt(issuedAt)
    .setExpirationTime(expiresAt)
    .sign(privateKey)
}

function subjectClaims(claims: AccessTokenClaims): JWTPayload {
  if (claims.kind === 'admin') return { sub: adminSubject(claims.id), client_id: adminSubject(claims.id) }
  return { sub: claims.userId, client_id: ownClient, sid: claims.sessionId, aal: claims.aal, amr: [...claims.amr] }
}

/** Another namespace than users' ids, so that neither can stand for the other (RFC 9700 §4.15). */
function adminSubject(id: string): string {
  return `admin-token:${id}`
}

async function verify(
  { issuer, audience }: AccessTokenSettings,
  keys: SigningKeys,
  token: string,
  now: Date,
): Promise<VerifiedToken<AccessTokenClaims>> {
  const { kid } = readHeader(token, [signingAlgorithm])
  const key = kid === null ? null : await keys.find(kid)
  if (key === null) throw new TokenError('invalid')
  const payload = await verifyJwt(token, key.publicKey, {
    algorithms: [signingAlgorithm],
    type: accessTokenType,
    issuer,
    audience,
    requiredClaims: ['jti', 'client_id', 'scope'],
    maxLifetimeSeconds: maxAdminTokenSeconds,
    now,
  })
  const claims = payload.aud === audience ? (adminClaims(payload) ?? userClaims(payload)) : null
  const isTooLong = claims?.kind === 'user' && payload.exp - payload.iat > maxUserTokenSeconds
  if (claims === null || isTooLong) throw new TokenError('invalid')
  return { claims: Object.freeze(claims), key, issuedAtMs: payload.iat * 1000, expiresAtMs: payload.exp * 1000 }
}

function adminClaims(payload: JWTPayload): AdminTokenClaims | null {
  const { sub, jti, scope, client_id: clientId, sid } = payload as Record<string, unknown>
  if (!isUuid(jti) || typeof scope !== 'string' || sid !== undefined) return null
  if (sub !== adminSubject(jti) || clientId !== sub) return null
  return { kind: 'admin', id: jti, scopes: scopeList(scope) }
}

function userClaims(payload: JWTPayload): UserTokenClaims | null {
  const { sub, jti, scope, client_id: clientId, sid, aal, amr } = payload as Record<string, unknown>
  if (!isUuid(sub) || !isUuid(sid) || !isUuid(jti) || clientId !== ownClient) return null
  if (typeof scope !== 'string' || typeof aal !== 'string' || !isTextList(amr)) return null
  return { kind: 'user', id: jti, userId: sub, sessionId: sid, scopes: scopeList(scope), aal, amr }
}

function scopeList(scope: string): string[] {
  return scope.split(' ').filter((name) => name !== '')
}

function isTextList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

function isUuid(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value)
}
