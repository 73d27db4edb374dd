import { hashOpaqueToken, newOpaqueToken } from '../crypto/opaque-token.ts'
import { Prisma } from '../generated/prisma/client.ts'
import type { Authentication, SessionLifetime } from './authentication.ts'
import type { ChangeScope } from './change.ts'
import { newId } from './id.ts'
import type { PermissionScope } from './principal.ts'
import type { ReadScope } from './scope.ts'
import { isBlocked } from './user/user-status.ts'

/** Who signed in, where and how. */
export type StartSessionInput = Readonly<{
  userId: string
  /** The connection's key; null when there was none. */
  connection: string | null
  aal: string
  /** RFC 8176. */
  amr: readonly string[]
  ip: string | null
  userAgent: string | null
  /** What the session's tokens may do beyond what everybody may do for himself. */
  scopes?: readonly PermissionScope[]
}>

/** What a signed-in client holds. `expiresAt` is the access token's, `expiresIn` the same in seconds. */
export type AuthTokens = Readonly<{ accessToken: string; expiresIn: number; expiresAt: Date; refreshToken: string }>

/** A new session and its first tokens. */
export type StartedSession = AuthTokens & Readonly<{ sessionId: string }>

/** Starts a session of a user. Writes its rows, inside the change that signing in is. */
export async function startSession(scope: ReadScope, authentication: SessionParts, input: StartSessionInput): Promise<StartedSession> {
  const { started, steps } = await newSession(scope.clock.now(), authentication, input)
  await scope.db.$executeRaw`with ${Prisma.join(steps)} select`
  return started
}

type SessionParts = Pick<Authentication, 'accessTokens' | 'sessionLifetime'>

/** A session, and the parts of a statement that insert its rows: one for each row of `from`, where there is one. */
export async function newSession(
  now: Date,
  { accessTokens, sessionLifetime }: SessionParts,
  input: StartSessionInput,
  from = Prisma.empty,
): Promise<Readonly<{ started: StartedSession; steps: readonly Prisma.Sql[] }>> {
  const { userId, connection, aal, amr, ip, userAgent, scopes = [] } = input
  const sessionId = newId()
  const refreshToken = newOpaqueToken()
  const expiresAt = new Date(now.getTime() + sessionLifetime.absoluteSeconds * 1000)
  const steps = [
    Prisma.sql`session as (
      insert into roster.sessions (id, user_id, connection, aal, amr, ip, user_agent, created_at, last_used_at, expires_at)
      select
        ${sessionId}::uuid, ${userId}::uuid, ${connection}, ${aal}, ${[...amr]}::text[], ${ip}, ${userAgent},
        ${now}::timestamptz, ${now}::timestamptz, ${expiresAt}::timestamptz
      ${from}
    )`,
    Prisma.sql`refresh_token as (
      insert into roster.refresh_tokens (token_hash, session_id, created_at)
      select ${hashOpaqueToken(refreshToken)}::bytea, ${sessionId}::uuid, ${now}::timestamptz ${from}
    )`,
  ]
  const tokens = await signAccessToken(accessTokens, { id: sessionId, userId, aal, amr, scopes }, now)
  return { started: { sessionId, refreshToken, ...tokens }, steps }
}

type TokenSession = Readonly<{ id: string; userId: string; aal: string; amr: readonly string[]; scopes: readonly PermissionScope[] }>

/** The next access token of a session. */
export async function signAccessToken(
  accessTokens: Authentication['accessTokens'],
  { id: sessionId, userId, aal, amr, scopes }: TokenSession,
  now: Date,
): Promise<Omit<AuthTokens, 'refreshToken'>> {
  const expiresIn = accessTokens.accessTokenSeconds
  const expiresAt = new Date(now.getTime() + expiresIn * 1000)
  const accessToken = await accessTokens.sign({ kind: 'user', id: newId(), userId, sessionId, scopes, aal, amr }, now, expiresAt)
  return { accessToken, expiresIn, expiresAt }
}

/**
 * The sessions that have not ended, in whichever way. A request with an access token needs no look at the idle time: the token was
 * signed when the session was last renewed, and the configuration lets none live longer than a session may be idle.
 */
export function standingSessions({ idleSeconds }: SessionLifetime, now: Date): Prisma.SessionWhereInput {
  return { revokedAt: null, expiresAt: { gt: now }, lastUsedAt: { gt: idleSince(idleSeconds, now) } }
}

/** Says of a session that was not revoked whether it stood, or had run out by itself. */
export function stillStood({ idleSeconds }: SessionLifetime, now: Date): (session: { expiresAt: Date; lastUsedAt: Date }) => boolean {
  return ({ expiresAt, lastUsedAt }) => expiresAt > now && lastUsedAt > idleSince(idleSeconds, now)
}

/** A session that was last renewed then, or before, has been idle for too long. */
export function idleSince(idleSeconds: number, now: Date): Date {
  return new Date(now.getTime() - idleSeconds * 1000)
}

/** Ends a user's sessions, but for the one that is excepted. Their access tokens are refused at their next request. */
export async function endSessions(
  { db, now }: Pick<ChangeScope, 'db' | 'now'>,
  userId: string,
  { except = null }: { except?: string | null } = {},
): Promise<void> {
  const others = except === null ? {} : { id: { not: except } }
  await db.session.updateMany({ where: { userId, revokedAt: null, ...others }, data: { revokedAt: now } })
}

/** Whether what a caller stands on still holds, or why it does not. */
export type Standing = 'standing' | 'revoked' | 'expired' | 'blocked'

/** What of a user decides whether he may call. */
export const standingColumns = { blockedAt: true, blockedUntil: true, deletedAt: true, anonymizedAt: true } satisfies Prisma.UserSelect

type StandingColumns = Prisma.UserGetPayload<{ select: typeof standingColumns }>

/** Whether a user may call: one who is deleted or made anonymous never again, one who is blocked when the block has ended. */
export function userStanding(user: StandingColumns, now: Date): Standing {
  if (user.deletedAt !== null || user.anonymizedAt !== null) return 'revoked'
  return isBlocked(user, now) ? 'blocked' : 'standing'
}

/** Where `userStanding` is `standing`, as SQL says it of a row of `roster.users`. */
export function standingUser(now: Date): Prisma.Sql {
  return Prisma.sql`(deleted_at is null and anonymized_at is null and (blocked_at is null or blocked_until <= ${now}))`
}
