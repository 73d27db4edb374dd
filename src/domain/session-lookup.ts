import { setImmediate as nextTurn } from 'node:timers/promises'
import type { PrismaClient } from '../generated/prisma/client.ts'
import type { Clock } from '../ports/clock.ts'
import { type Standing, userStanding } from './session.ts'

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

/**
 * Requests that come in the same turn of the event loop are looked up by one statement, by primary keys. It begins when all of them
 * have asked, so that none is answered by what was true before.
 */
export function createSessionLookup({ db, clock }: Readonly<{ db: PrismaClient; clock: Clock }>): SessionLookup {
  let asked = new Set<string>()
  let reading: Promise<ReadonlyMap<string, Row>> | null = null
  const read = async (): Promise<ReadonlyMap<string, Row>> => {
    await nextTurn()
    const ids = [...asked]
    asked = new Set()
    reading = null
    return new Map((await readSessions(db, ids)).map((row) => [row.id, row]))
  }
  return async (sessionId, userId) => {
    asked.add(sessionId)
    reading ??= read()
    const session = (await reading).get(sessionId)
    return session?.userId === userId ? standingOf(session, clock.now()) : 'revoked'
  }
}

function readSessions(db: PrismaClient, ids: readonly string[]): Promise<Row[]> {
  return db.$queryRaw<Row[]>`
    select
      session.id, session.user_id as "userId", session.revoked_at as "revokedAt", session.expires_at as "expiresAt",
      person.blocked_at as "blockedAt", person.blocked_until as "blockedUntil",
      person.deleted_at as "deletedAt", person.anonymized_at as "anonymizedAt"
    from roster.sessions session join roster.users person on person.id = session.user_id
    where session.id = any(${ids}::uuid[])`
}

function standingOf(session: Row, now: Date): Standing {
  const standing = userStanding(session, now)
  if (standing !== 'standing') return standing
  if (session.revokedAt !== null) return 'revoked'
  return session.expiresAt > now ? 'standing' : 'expired'
}
