import { createHash } from 'node:crypto'
import { decodeJwt, errors, type JWTPayload } from 'jose'
import { clockToleranceSeconds, publicKeyAlgorithms, readHeader, TokenError, verifyJwt } from '../../crypto/jwt.ts'
import { KeysUnavailableError } from '../../ports/issuer-keys.ts'
import { inProviderTime, ProviderUnavailableError } from '../../ports/providers.ts'
import type { AuthenticationScope } from '../authentication.ts'
import type { ChangeScope } from '../change.ts'
import { isOpenId } from '../connection/strategy.ts'
import { DomainError, invalidInput } from '../errors.ts'
import { useOnce } from '../rate-limit.ts'
import type { ProviderConnection } from './provider-connection.ts'
import { type ProviderPerson, readPerson } from './provider-person.ts'
import { recordRefusal } from './record-refusal.ts'

/** An ID token that an application has got from a provider, and the nonce that it had asked with, if it had. */
export type SentIdToken = Readonly<{ idToken: string; nonce: string | null }>

/** Whom it vouches for, and how to use it up. */
export type VerifiedIdToken = Readonly<{
  person: ProviderPerson
  /** @throws {DomainError} TOKEN_NOT_VALID when it was used before */
  use: (tx: ChangeScope) => Promise<void>
}>

/** A day; a token for longer is no ID token. */
const maxLifetimeSeconds = 86_400
const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * Verifies an ID token by the keys of the connection's provider: algorithm, signature, issuer, audience, time and nonce (OpenID Connect
 * Core 1.0 §3.1.3.7). A token with a nonce needs it, as it is or as the provider was sent it: hashed, the hexadecimal SHA-256. What is
 * wrong with a token whose signature holds is written into the history of the user whom it names.
 *
 * @throws {DomainError} INVALID_INPUT for a connection without ID tokens; TOKEN_EXPIRED; TOKEN_NOT_VALID; PROVIDER_UNAVAILABLE
 */
export async function verifyIdToken(
  scope: AuthenticationScope,
  connection: ProviderConnection,
  sent: SentIdToken,
): Promise<VerifiedIdToken> {
  if (!isOpenId(connection.strategy)) throw invalidInput(['input', 'idToken'], 'This provider has no ID tokens.')
  try {
    const claims = await readClaims(scope, connection, sent.idToken)
    const person = readPerson(connection, claims)
    if (person === null || !isIdToken(connection, claims)) throw new TokenError('invalid')
    if (!isNonce(claims['nonce'], sent.nonce)) throw await recordRefusal(scope, connection, person.subject, tokenNotValid('nonce'))
    const expiresAt = new Date((claims.exp + clockToleranceSeconds) * 1000)
    return { person, use: (tx) => useUp(tx, sent.idToken, expiresAt) }
  } catch (error) {
    throw await explain(scope, connection, error)
  }
}

async function readClaims(scope: AuthenticationScope, connection: ProviderConnection, token: string) {
  const { alg, kid, typ } = readHeader(token, publicKeyAlgorithms)
  if (typ !== null && typ.toLowerCase() !== 'jwt') throw new TokenError('invalid')
  const { key, issuer } = await inProviderTime(findKey(scope, connection, { alg, ...(kid === null ? {} : { kid }) }))
  if (key === null) throw new TokenError('invalid')
  return verifyJwt(token, key, {
    algorithms: publicKeyAlgorithms,
    type: null,
    issuer: issuersOf(connection, issuer, token),
    audience: connection.clientId,
    requiredClaims: [],
    maxLifetimeSeconds,
    now: scope.clock.now(),
  })
}

async function findKey(
  { providers }: AuthenticationScope,
  { issuer, clientId }: ProviderConnection,
  header: { alg: string; kid?: string },
) {
  const configuration = await providers.configuration({ issuer, clientId, clientSecret: null })
  return { key: await providers.keys(configuration)(header), issuer: configuration.serverMetadata().issuer }
}

/** Google names itself in two ways; Entra ID's tenant is named by each token, which its keys sign. */
function issuersOf({ strategy }: ProviderConnection, issuer: string, token: string): readonly string[] {
  if (strategy === 'GOOGLE') return [issuer, 'accounts.google.com']
  if (strategy !== 'MICROSOFT') return [issuer]
  const tenant = unverifiedClaims(token)['tid']
  if (typeof tenant !== 'string' || !guid.test(tenant)) throw new TokenError('invalid')
  return [issuer.replace('{tenantid}', tenant)]
}

function unverifiedClaims(token: string): JWTPayload {
  try {
    return decodeJwt(token)
  } catch (error) {
    throw new TokenError('invalid', error)
  }
}

/**
 * For us, and no other kind of token (RFC 8725 §3.11): Keycloak names the kind in a claim, logout tokens have `events`. A token for several
 * audiences must have been asked for by us; so must any, but for those of Google, which an app of the same project asks for.
 */
function isIdToken({ strategy, clientId }: ProviderConnection, { aud, azp, typ, events }: JWTPayload): boolean {
  const isOwn = azp === clientId || (!(Array.isArray(aud) && aud.length > 1) && (azp === undefined || strategy === 'GOOGLE'))
  return isOwn && (typ === undefined || typ === 'ID') && events === undefined
}

function isNonce(claimed: unknown, sent: string | null): boolean {
  if (claimed === undefined || sent === null) return claimed === undefined && sent === null
  return claimed === sent || claimed === createHash('sha256').update(sent).digest('hex')
}

/** By what was signed: a signature has more than one spelling. */
async function useUp(tx: ChangeScope, idToken: string, until: Date): Promise<void> {
  const signed = idToken.slice(0, idToken.lastIndexOf('.'))
  if (!(await useOnce(tx, 'idToken', signed, until))) throw tokenNotValid('idToken')
}

async function explain(scope: AuthenticationScope, connection: ProviderConnection, error: unknown): Promise<unknown> {
  if (error instanceof ProviderUnavailableError || error instanceof KeysUnavailableError) return providerUnavailable(error)
  if (!(error instanceof TokenError)) return error
  if (!(error.cause instanceof errors.JWTExpired)) return tokenNotValid('idToken', error)
  const expired = new DomainError('TOKEN_EXPIRED', 'The ID token is too old. Get a new one from the provider.', ['input', 'idToken'], {})
  return recordRefusal(scope, connection, error.cause.payload.sub, expired)
}

function providerUnavailable(cause: unknown): DomainError<'PROVIDER_UNAVAILABLE'> {
  const message = 'The provider does not answer now. Try again later, or sign in in another way.'
  return new DomainError('PROVIDER_UNAVAILABLE', message, [], {}, cause)
}

/** What exactly is wrong is not told: the cause is for the log. */
function tokenNotValid(field: 'idToken' | 'nonce', cause?: unknown): DomainError<'TOKEN_NOT_VALID'> {
  const messages = { idToken: 'The ID token is not valid, or was used before.', nonce: 'The nonce is not the one of the ID token.' }
  return new DomainError('TOKEN_NOT_VALID', messages[field], ['input', field], {}, cause)
}
