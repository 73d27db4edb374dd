import { decodeJwt } from 'jose'
import { ConfigError } from '../config-error.ts'
import type { AccessTokens } from '../crypto/access-token.ts'
import { TokenError } from '../crypto/jwt.ts'
import type { Database } from '../database/database.ts'
import { isRetryable, isUnavailable } from '../database/errors.ts'
import type { PrismaClient } from '../generated/prisma/client.ts'
import type { Clock } from '../ports/clock.ts'
import { KeysUnavailableError } from '../ports/issuer-keys.ts'
import type { Logger } from '../ports/logger.ts'
import type { TrustedIssuer } from '../trusted-issuers.ts'
import { type AdminTokenLookup, createAdminTokenLookup } from './authenticate/admin-token-lookup.ts'
import { createIssuerVerifier, type IssuerCaller, type IssuerVerifier } from './authenticate/issuer-token.ts'
import { createIssuerUser, findIssuerUser, type IssuerUser } from './authenticate/issuer-user.ts'
import { createLastUsed, type LastUsed } from './authenticate/last-used.ts'
import { createSessionLookup, type SessionLookup } from './authenticate/session-lookup.ts'
import { DomainError, RequestError, serviceUnavailable } from './errors.ts'
import { anonymous, isPermissionScope, type Principal } from './principal.ts'
import type { Standing } from './session.ts'

/** Says who calls. */
export type Authenticator = Readonly<{
  /**
   * Null is nobody. A token is verified, and what it stands on is looked up, at each request.
   * @throws {RequestError} UNAUTHENTICATED for any token that does not hold; SERVICE_UNAVAILABLE when the database or an issuer's
   * keys do not answer, which says nothing about the token
   */
  authenticate: (token: string | null) => Promise<Principal>
  /** Resolves when nothing is left to write, so that the database can be closed. */
  settled: () => Promise<void>
}>

type Parts = Readonly<{
  accessTokens: AccessTokens
  trustedIssuers: readonly TrustedIssuer[]
  database: Pick<Database, 'prisma' | 'lookUp'>
  clock: Clock
  logger: Logger
}>
type Verifiers = Parts &
  Readonly<{
    db: PrismaClient
    issuers: ReadonlyMap<string, IssuerVerifier>
    lookUpSession: SessionLookup
    lookUpAdminToken: AdminTokenLookup
    lastUsed: LastUsed
  }>

/** Made once for the process. @throws {ConfigError} when a trusted issuer has the name of our own */
export function createAuthenticator(parts: Parts): Authenticator {
  const { trustedIssuers, accessTokens, logger } = parts
  if (trustedIssuers.some(({ issuer }) => issuer === accessTokens.issuer))
    throw new ConfigError([`TRUSTED_ISSUERS: ${accessTokens.issuer} is Roster itself`])
  const issuers = new Map(trustedIssuers.map((issuer) => [issuer.issuer, createIssuerVerifier(issuer, logger)]))
  const { prisma: db, lookUp } = parts.database
  const of = { ...parts, db, lookUp }
  const lookups = { lookUpSession: createSessionLookup(of), lookUpAdminToken: createAdminTokenLookup(of) }
  const verifiers = { ...of, issuers, ...lookups, lastUsed: createLastUsed(of) }
  return Object.freeze({
    authenticate: async (token: string | null) => (token === null ? anonymous : identify(verifiers, token).catch(refuse)),
    settled: verifiers.lastUsed.settled,
  })
}

/** The `iss`, not verified, only chooses who verifies. */
async function identify(verifiers: Verifiers, token: string): Promise<Principal> {
  if (verifiers.accessTokens.isKnown(token, verifiers.clock.now())) return ownPrincipal(verifiers, token)
  const issuer = readIssuer(token)
  if (issuer === verifiers.accessTokens.issuer) return ownPrincipal(verifiers, token)
  const verify = issuer === null ? undefined : verifiers.issuers.get(issuer)
  if (verify === undefined) throw new TokenError('invalid')
  return issuerPrincipal(verifiers, verify, token)
}

function readIssuer(token: string): string | null {
  try {
    return decodeJwt(token).iss ?? null
  } catch (error) {
    throw new TokenError('invalid', error)
  }
}

async function ownPrincipal(verifiers: Verifiers, token: string): Promise<Principal> {
  const { accessTokens, clock, lookUpSession, lookUpAdminToken, lastUsed } = verifiers
  const claims = await accessTokens.verify(token, clock.now())
  if (claims.kind === 'admin') {
    const { standing, scopes } = await lookUpAdminToken(claims.id)
    assertStanding(standing)
    lastUsed.note(claims.id)
    return { ...anonymous, kind: 'application', tokenId: claims.id, scopes: new Set(scopes) }
  }
  const { userId, sessionId, aal } = claims
  assertStanding(await lookUpSession(sessionId, userId))
  return { kind: 'user', userId, sessionId, tokenId: null, aal, scopes: new Set(claims.scopes.filter(isPermissionScope)) }
}

async function issuerPrincipal(verifiers: Verifiers, verify: IssuerVerifier, token: string): Promise<Principal> {
  const { db, clock } = verifiers
  const caller = await verify(token, clock.now())
  const scopes = new Set(caller.scopes)
  const found = await findIssuerUser({ db, clock }, caller)
  if (found === null && !caller.issuer.createUsers) return { ...anonymous, kind: 'application', scopes }
  const { userId, standing } = found ?? (await newUser(verifiers, caller))
  assertStanding(standing)
  return { ...anonymous, kind: 'user', userId, scopes }
}

/** The database may refuse a user, by a host table's trigger or a constraint. The operator learns which, the caller does not. */
async function newUser({ db, clock, logger }: Verifiers, caller: IssuerCaller): Promise<IssuerUser> {
  try {
    return await createIssuerUser({ db, clock }, caller)
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    logger.warn(
      { issuer: caller.issuer.issuer, code: error.code, details: error.details },
      'the database refused to create a user just in time',
    )
    throw new RequestError('FORBIDDEN', 'The user could not be created.', {}, error)
  }
}

const refusals: { readonly [Reason in Exclude<Standing, 'standing'> | 'invalid']: string } = {
  invalid: 'The token is not understood.',
  expired: 'The token has expired.',
  revoked: 'The token was revoked.',
  blocked: 'The user is blocked.',
}

function assertStanding(standing: Standing): void {
  if (standing !== 'standing') throw new RequestError('UNAUTHENTICATED', refusals[standing])
}

function refuse(error: unknown): never {
  if (error instanceof TokenError) throw new RequestError('UNAUTHENTICATED', refusals[error.reason], {}, error)
  if (error instanceof KeysUnavailableError || isUnavailable(error) || isRetryable(error)) throw serviceUnavailable(error)
  throw error
}
