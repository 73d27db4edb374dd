import type { PrismaClient } from '../../generated/prisma/client.ts'

/** How the outbox is. */
export type OutboxMeasures = Readonly<{
  /** Messages that wait, or are put off. */
  pending: number
  /** Messages that were given up. */
  dead: number
  /** How long the message that is due longest has waited; 0 when none is due. */
  lagSeconds: number
}>

const dayMs = 24 * 60 * 60_000
const keptDays = { done: 7, dead: 90 }
/** Removed at once at most, of each. */
const batch = 1000

/** Looks how the outbox is. */
export async function measureOutbox(db: PrismaClient, now: Date): Promise<OutboxMeasures> {
  const [measures] = await db.$queryRaw<OutboxMeasures[]>`
    SELECT count(*) FILTER (WHERE dead_at IS NULL)::int AS pending,
      count(*) FILTER (WHERE dead_at IS NOT NULL)::int AS dead,
      greatest(0, extract(epoch FROM ${now} - min(available_at) FILTER (WHERE dead_at IS NULL)))::float AS "lagSeconds"
    FROM roster.outbox WHERE done_at IS NULL`
  return { pending: measures?.pending ?? 0, dead: measures?.dead ?? 0, lagSeconds: measures?.lagSeconds ?? 0 }
}

/** Removes what was done a week ago or given up three months ago, a thousand of each at most. */
export async function purgeOutbox(db: PrismaClient, now: Date): Promise<void> {
  const before = (days: number) => new Date(now.getTime() - days * dayMs)
  await db.$executeRaw`
    DELETE FROM roster.outbox WHERE id IN (SELECT id FROM roster.outbox WHERE done_at < ${before(keptDays.done)} LIMIT ${batch})`
  await db.$executeRaw`
    DELETE FROM roster.outbox WHERE id IN (
      SELECT id FROM roster.outbox WHERE done_at IS NULL AND dead_at < ${before(keptDays.dead)} LIMIT ${batch})`
}
