import type { AuthenticationScope } from '../authentication.ts'
import { change, recordFailure } from '../change.ts'
import { DomainError } from '../errors.ts'
import { networkOf } from '../network.ts'
import { spend } from '../rate-limit.ts'
import { type AuthTokens, idleSince, signAccessToken, userStanding } from '../session.ts'
import { lockUser } from '../user/user-record.ts'
import { endSessionsWhere } from './end-sessions.ts'
import { type RenewedSession, renewSession } from './renew-session.ts'
import { type PresentedToken, rotateRefreshToken } from './rotate-refresh-token.ts'

/**
 * How long a used refresh token still answers its successor: for an answer that was lost, and for two tabs that ask at once. It is
 * over sooner when the successor was used, since then its answer has arrived.
 */
export const reuseGraceSeconds = 10

/** What became of a token that was presented. */
type Verdict = 'renewed' | 'repeated' | 'reused' | 'expired' | 'refused'

type Refreshed = Readonly<{ userId: string; tokens: AuthTokens }>

/**
 * Renews a session: the refresh token is good for this once and answers the next one, with a new access token. Writes
 * `session.refreshed`. A refresh token that comes back later ends its session (RFC 9700 §4.14.2) and writes `session.refreshReused`.
 * The session keeps the address and the `User-Agent` of its sign-in; those of a renewal are in its event.
 *
 * @throws {DomainError} TOKEN_EXPIRED when the session has been idle too long or has come to its end; TOKEN_NOT_VALID for everything
 * else, whether the token is unknown, was used, or was the token of somebody who may not sign in
 * @throws {RequestError} RATE_LIMITED
 */
export async function refreshSession(scope: AuthenticationScope, { refreshToken }: { refreshToken: string }): Promise<Refreshed> {
  await spend(scope, scope.budgets, [{ budget: 'refresh.network', of: networkOf(scope.caller.ip) }])
  if (!isRefreshToken(refreshToken)) throw notValid()
  const successor = scope.secrets.digest('refresh-token', refreshToken).toString('base64url')
  const renewed = await renewSession(scope, refreshToken, successor)
  if (renewed !== null) return { userId: renewed.userId, tokens: await tokensOf(scope, renewed, successor) }
  const { presented, verdict } = await present(scope, refreshToken, successor)
  if (presented === null) throw notValid()
  if (verdict === 'renewed' || verdict === 'repeated')
    return { userId: presented.userId, tokens: await tokensOf(scope, presented, successor) }
  if (verdict === 'reused') await endReused(scope, presented)
  else await recordFailure(scope, 'session.refreshFailed', presented.userId, presented.connection)
  throw verdict === 'expired' ? expired() : notValid()
}

type Presented = Readonly<{ presented: PresentedToken | null; verdict: Verdict }>

/** Says why it was not renewed by one statement. Rotates, unless the session does not stand: then it is as if nothing had happened. */
function present(scope: AuthenticationScope, token: string, successor: string): Promise<Presented> {
  return change(scope, 'session.refreshed', async ({ db, now }) => {
    const presented = await rotateRefreshToken(db, token, successor, now)
    const verdict = presented === null ? 'refused' : judge(presented, scope.sessionLifetime.idleSeconds, now)
    const { userId = '', connection = null } = presented ?? {}
    const event = { result: { presented, verdict }, subjectId: userId, userId, actorUserId: userId, connection }
    const isGood = verdict === 'renewed' || verdict === 'repeated'
    // An event without changes has no sides; where both are there and alike, nothing has happened.
    const side = isGood ? null : {}
    return { ...event, before: side, after: side }
  })
}

function judge(presented: PresentedToken, idleSeconds: number, now: Date): Verdict {
  const { usedAt, isSuccessorUsed, isRotated, lastUsedAt, expiresAt } = presented
  if (presented.revokedAt !== null || userStanding(presented, now) !== 'standing') return 'refused'
  const isInGrace = usedAt !== null && now.getTime() - usedAt.getTime() <= reuseGraceSeconds * 1000
  if (!isRotated && (!isInGrace || isSuccessorUsed)) return 'reused'
  if (expiresAt <= now || lastUsedAt <= idleSince(idleSeconds, now)) return 'expired'
  return isRotated ? 'renewed' : 'repeated'
}

async function tokensOf(scope: AuthenticationScope, renewed: RenewedSession, refreshToken: string): Promise<AuthTokens> {
  const { sessionId, userId, aal, amr } = renewed
  const session = { id: sessionId, userId, aal, amr, scopes: [] }
  return { ...(await signAccessToken(scope.accessTokens, session, scope.clock.now())), refreshToken }
}

/** Somebody holds a token that was used: nobody can tell the thief from the user, so the session ends for both. */
async function endReused(scope: AuthenticationScope, { userId, sessionId, connection }: PresentedToken): Promise<void> {
  await change(scope, 'session.refreshReused', async (tx) => {
    await lockUser(tx.db, userId, { deleted: true })
    const { before, after } = await endSessionsWhere(tx, userId, { id: sessionId })
    return { result: null, subjectId: userId, userId, connection, success: false, before, after }
  })
}

/** What newOpaqueToken makes. Anything else, however large, is not looked for. */
function isRefreshToken(text: string): boolean {
  return /^[\w-]{43}$/.test(text)
}

const path = ['input', 'refreshToken'] as const

function notValid(): DomainError<'TOKEN_NOT_VALID'> {
  return new DomainError('TOKEN_NOT_VALID', 'The refresh token is not valid. Sign in again.', path, {})
}

function expired(): DomainError<'TOKEN_EXPIRED'> {
  return new DomainError('TOKEN_EXPIRED', 'The session has expired. Sign in again.', path, {})
}
