import type { RunRead } from '../../database/database.ts'
import { rowsByKey } from '../../database/reads/rows-by-key.ts'
import { createSharedLookup } from '../../database/reads/shared-lookup.ts'
import type { Clock } from '../../ports/clock.ts'
import { type Standing, userStanding } from '../session.ts'

/** Says whether a session of this user stands, as it is in the database from now on. */
export type SessionLookup = (sessionId: string, userId: string) => Promise<Standing>

type Row = Readonly<{
  id: string
  userId: string
  revokedAt: Date | null
  expiresAt: Date
  blockedAt: Date | null
  blockedUntil: Date | null
  deletedAt: Date | null
  anonymizedAt: Date | null
}>

/** Sessions that are looked up in the same turn share a statement. */
export function createSessionLookup({ lookUp, clock }: Readonly<{ lookUp: RunRead; clock: Clock }>): SessionLookup {
  const find = createSharedLookup((ids) => lookUp<Row>(sessionsById, [ids]))
  return async (sessionId, userId) => {
    const session = await find(sessionId)
    return session?.userId === userId ? standingOf(session, clock.now()) : 'revoked'
  }
}

const sessionsById = `
  select
    session.id, session.user_id as "userId", session.revoked_at as "revokedAt", session.expires_at as "expiresAt",
    person.blocked_at as "blockedAt", person.blocked_until as "blockedUntil",
    person.deleted_at as "deletedAt", person.anonymized_at as "anonymizedAt"
  from ${rowsByKey('roster.sessions', 'session', { column: 'id', type: 'uuid' })}
  join roster.users person on person.id = session.user_id`

function standingOf(session: Row, now: Date): Standing {
  const standing = userStanding(session, now)
  if (standing !== 'standing') return standing
  if (session.revokedAt !== null) return 'revoked'
  return session.expiresAt > now ? 'standing' : 'expired'
}
