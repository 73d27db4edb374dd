import type { AccessTokens } from '../crypto/access-token.ts'
import type { Prisma } from '../generated/prisma/client.ts'
import type { ChangeScope } from './change.ts'
import { newId } from './id.ts'
import type { PermissionScope } from './principal.ts'
import type { ReadScope } from './scope.ts'
import { isBlocked } from './user/user-status.ts'

/** How long a session stands at the most: 30 days, NIST SP 800-63B-4 §2.1.3 for AAL1. */
export const sessionSeconds = 30 * 86_400

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

/** A new session and its first access token. */
export type StartedSession = Readonly<{ sessionId: string; accessToken: string; expiresAt: Date }>

/** Starts a session of a user. Writes the row, inside the change that signing in is. `expiresAt` is the access token's. */
export async function startSession(scope: ReadScope, accessTokens: AccessTokens, input: StartSessionInput): Promise<StartedSession> {
  const { userId, connection, aal, amr, ip, userAgent, scopes = [] } = input
  const now = scope.clock.now()
  const sessionId = newId()
  const times = { createdAt: now, lastUsedAt: now, expiresAt: new Date(now.getTime() + sessionSeconds * 1000) }
  const data = { id: sessionId, userId, connection, aal, amr: [...amr], ip, userAgent, ...times }
  await scope.db.session.create({ data, select: { id: true } })
  const expiresAt = new Date(now.getTime() + accessTokens.accessTokenSeconds * 1000)
  const claims = { kind: 'user', id: newId(), userId, sessionId, scopes, aal, amr } as const
  return { sessionId, accessToken: await accessTokens.sign(claims, now, expiresAt), expiresAt }
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

/** Whether a session of this user stands. One statement, by primary keys. */
export async function sessionStanding({ db, clock }: ReadScope, sessionId: string, userId: string): Promise<Standing> {
  const session = await db.session.findUnique({
    where: { id: sessionId, userId },
    relationLoadStrategy: 'join',
    select: { revokedAt: true, expiresAt: true, user: { select: standingColumns } },
  })
  if (session === null) return 'revoked'
  const now = clock.now()
  const standing = userStanding(session.user, now)
  if (standing !== 'standing') return standing
  if (session.revokedAt !== null) return 'revoked'
  return session.expiresAt > now ? 'standing' : 'expired'
}
