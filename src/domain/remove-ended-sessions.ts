import type { SessionLifetime } from './authentication.ts'
import type { ReadScope } from './scope.ts'
import { idleSince } from './session.ts'

/** How long a session is kept after its end, so that whoever still brings its refresh token is told that it has expired. */
const keptSeconds = 7 * 86_400
const batchSize = 1000

/**
 * Removes sessions that ended a week ago or longer, in whichever way, with their refresh tokens, which until then were all kept: a
 * stolen one is noticed as long as the session lives. Several processes may do it at once. Answers how many there were.
 */
export async function removeEndedSessions({ db, clock }: ReadScope, { idleSeconds }: SessionLifetime): Promise<number> {
  const until = new Date(clock.now().getTime() - keptSeconds * 1000)
  const idle = idleSince(idleSeconds, until)
  for (let removed = 0; ; ) {
    const batch = await db.$executeRaw`
      delete from roster.sessions where id in (
        select id from roster.sessions
        where revoked_at <= ${until}::timestamptz or expires_at <= ${until}::timestamptz or last_used_at <= ${idle}::timestamptz
        limit ${batchSize} for update skip locked
      )`
    removed += batch
    if (batch < batchSize) return removed
  }
}
