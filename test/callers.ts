import { createAccessTokens } from '../src/crypto/access-token.ts'
import { createSecrets } from '../src/crypto/secrets.ts'
import type { Database } from '../src/database/database.ts'
import { createAdminToken } from '../src/domain/admin-token.ts'
import { type Authenticator, createAuthenticator } from '../src/domain/authenticate.ts'
import { newId } from '../src/domain/id.ts'
import { type PermissionScope, type Principal, system } from '../src/domain/principal.ts'
import { startSession } from '../src/domain/session.ts'
import { loadSigningKeys } from '../src/domain/signing-key.ts'
import type { Prisma } from '../src/generated/prisma/client.ts'
import type { Clock } from '../src/ports/clock.ts'
import { createLogger } from '../src/ports/logger.ts'
import type { TrustedIssuer } from '../src/trusted-issuers.ts'

/** Each run has one database, so all its tests seal with the same secret. */
export const secret = 'a secret for the tests, of 32 characters or more'
export const secrets = createSecrets(secret)
export const settings = { issuer: 'https://users.example.com', audience: 'https://api.example.com', accessTokenSeconds: 900 }

/** A clock that stands still until it is moved. */
export function movableClock(start = '2026-11-20T12:00:00Z'): Clock & { advance: (seconds: number) => void } {
  let time = Date.parse(start)
  return {
    now: () => new Date(time),
    advance: (seconds) => {
      time += seconds * 1000
    },
  }
}

/** Everything that says who calls, on a database. */
export async function callersOn(database: Database, trustedIssuers: readonly TrustedIssuer[] = [], clock = movableClock()) {
  const db = database.prisma
  const sessionLifetime = { absoluteSeconds: 2_592_000, idleSeconds: 1_209_600 }
  const logger = createLogger('silent')
  const signingKeys = await loadSigningKeys({ database, clock, secrets })
  const accessTokens = createAccessTokens(settings, signingKeys)
  const authenticator = createAuthenticator({ accessTokens, trustedIssuers, database, clock, logger })
  const scopeOf = (principal: Principal) => ({ db, clock, accessTokens, caller: { principal, ip: null, userAgent: null, requestId: null } })
  return {
    db,
    clock,
    signingKeys,
    accessTokens,
    authenticator,
    scopeOf,
    authenticate: authenticator.authenticate,
    aUser: async (data: Partial<Prisma.UserUncheckedCreateInput> = {}) => {
      const { id } = await db.user.create({ data: { id: newId(), ...data, profile: { create: {} } }, select: { id: true } })
      return id
    },
    signIn: (userId: string, scopes: readonly PermissionScope[] = []) =>
      startSession(
        { db, clock },
        { accessTokens, sessionLifetime },
        { userId, connection: null, aal: 'aal1', amr: ['pwd'], ip: null, userAgent: null, scopes },
      ),
    anAdminToken: (scopes: readonly string[], expiresInSeconds: number | null = null) =>
      createAdminToken(scopeOf(system), { name: 'ci', scopes, expiresInSeconds }),
  }
}

export type Callers = Awaited<ReturnType<typeof callersOn>>

/** Why a token is refused: `CODE message`. */
export async function refusal(authenticator: Pick<Authenticator, 'authenticate'>, token: string | null): Promise<string> {
  try {
    await authenticator.authenticate(token)
  } catch (error) {
    const { code, message } = error as { code?: string; message: string }
    return `${code} ${message}`
  }
  return 'accepted'
}

export const notUnderstood = 'UNAUTHENTICATED The token is not understood.'
export const expired = 'UNAUTHENTICATED The token has expired.'
export const revoked = 'UNAUTHENTICATED The token was revoked.'
export const blocked = 'UNAUTHENTICATED The user is blocked.'
