import { hashOpaqueToken } from '../../crypto/opaque-token.ts'
import type { Prisma } from '../../generated/prisma/client.ts'

/** A refresh token that was brought back, with its session and its user as they were at that moment. */
export type PresentedToken = Readonly<{
  sessionId: string
  userId: string
  aal: string
  amr: readonly string[]
  connection: string | null
  lastUsedAt: Date
  expiresAt: Date
  revokedAt: Date | null
  blockedAt: Date | null
  blockedUntil: Date | null
  deletedAt: Date | null
  anonymizedAt: Date | null
  /** When it was used before; null when this is the first time. */
  usedAt: Date | null
  isSuccessorUsed: boolean
  /** Whether this very call has traded it for its successor. */
  isRotated: boolean
}>

/**
 * Trades a refresh token for its successor, once, whoever else tries at the same time: marks it as used, keeps the successor and
 * notes the session's use, in one statement (RFC 9700 §4.14.2). Null for a token nobody knows. It says nothing of whether the
 * session stands: the caller looks, and rolls back.
 */
export async function rotateRefreshToken(
  db: Prisma.TransactionClient,
  token: string,
  successor: string,
  now: Date,
): Promise<PresentedToken | null> {
  const presented = await rotate(db, token, successor, now)
  const isOvertaken = presented !== null && presented.usedAt === null && !presented.isRotated
  // Somebody else was faster: now it can be seen what became of the token.
  return isOvertaken ? rotate(db, token, successor, now) : presented
}

/** The user is locked before the token and the session, as everywhere, so that a block and a renewal wait for each other in turn. */
async function rotate(db: Prisma.TransactionClient, token: string, successor: string, now: Date): Promise<PresentedToken | null> {
  const hash = hashOpaqueToken(token)
  const successorHash = hashOpaqueToken(successor)
  const [row] = await db.$queryRaw<PresentedToken[]>`
    with presented as (
      select
        session.id as "sessionId", session.user_id as "userId", session.aal, session.amr, session.connection,
        session.last_used_at as "lastUsedAt", session.expires_at as "expiresAt", session.revoked_at as "revokedAt",
        person.blocked_at as "blockedAt", person.blocked_until as "blockedUntil",
        person.deleted_at as "deletedAt", person.anonymized_at as "anonymizedAt",
        token.token_hash, token.used_at as "usedAt", successor.used_at is not null as "isSuccessorUsed"
      from roster.refresh_tokens token
      join roster.sessions session on session.id = token.session_id
      join roster.users person on person.id = session.user_id
      left join roster.refresh_tokens successor on successor.token_hash = ${successorHash}
      where token.token_hash = ${hash}
      for key share of person
    ), used as (
      update roster.refresh_tokens token set used_at = ${now}::timestamptz from presented
      where token.token_hash = presented.token_hash and token.used_at is null
      returning token.session_id
    ), kept as (
      insert into roster.refresh_tokens (token_hash, session_id, created_at)
      select ${successorHash}, session_id, ${now}::timestamptz from used
    ), renewed as (
      update roster.sessions session set last_used_at = ${now}::timestamptz from used
      where session.id = used.session_id and session.revoked_at is null
      returning session.id
    )
    select presented.*, renewed.id is not null as "isRotated" from presented left join renewed on true`
  return row ?? null
}
