import { hashOpaqueToken } from '../../crypto/opaque-token.ts'
import { Prisma } from '../../generated/prisma/client.ts'
import type { AuthenticationScope } from '../authentication.ts'
import { changeByOneStatement } from '../change.ts'
import { idleSince, standingUser } from '../session.ts'

/** What the next access token says. */
export type RenewedSession = Readonly<{ sessionId: string; userId: string; aal: string; amr: readonly string[] }>

/**
 * Trades the refresh token of a session that stands for its successor, by one statement: `session.refreshed`.
 * @returns null when it was not done: the token was used, or nobody knows it, or its session does not stand. Nothing was changed then,
 * and a change of more steps tells why.
 */
export async function renewSession(scope: AuthenticationScope, token: string, successor: string): Promise<RenewedSession | null> {
  const now = scope.clock.now()
  const hash = hashOpaqueToken(token)
  const userId = Prisma.sql`presented."userId"`
  const done = await changeByOneStatement<{ renewed: RenewedSession }>(scope, 'session.refreshed', {
    ...{ at: now, subjectId: userId, userId, actorUserId: userId, connection: Prisma.sql`presented.connection` },
    steps: [
      // All is looked at again when it is locked, the user before the token and the session: of who waited, one goes on.
      Prisma.sql`presented as (
        select session.id as "sessionId", session.user_id as "userId", session.aal, session.amr, session.connection
        from roster.refresh_tokens token
        join roster.sessions session on session.id = token.session_id
        join roster.users person on person.id = session.user_id
        where token.token_hash = ${hash} and token.used_at is null and session.revoked_at is null
          and session.expires_at > ${now} and session.last_used_at > ${idleSince(scope.sessionLifetime.idleSeconds, now)}
          and ${standingUser(now)}
        for key share of person for no key update of token for no key update of session
      )`,
      Prisma.sql`used as (update roster.refresh_tokens set used_at = ${now} from presented where token_hash = ${hash})`,
      Prisma.sql`kept as (
        insert into roster.refresh_tokens (token_hash, session_id, created_at)
        select ${hashOpaqueToken(successor)}::bytea, "sessionId", ${now}::timestamptz from presented
      )`,
      Prisma.sql`renewed as (update roster.sessions set last_used_at = ${now} from presented where id = "sessionId")`,
    ],
    done: Prisma.sql`presented`,
    returning: Prisma.sql`(select to_jsonb(presented) from presented) as renewed`,
  })
  return done?.renewed ?? null
}
