import { Prisma, type PrismaClient } from '../../generated/prisma/client.ts'

/** What a job does. */
export type JobKind = 'IMPORT' | 'EXPORT'

/** How far a job is: counts of records. `total` is null while nobody knows. */
export type JobProgress = Readonly<{
  processed: number
  total: number | null
  inserted: number
  updated: number
  skipped: number
  failed: number
}>

/** A job that this process has now, until its lease ends. */
export type ClaimedJob = JobProgress &
  Readonly<{
    id: string
    kind: JobKind
    input: Prisma.JsonObject
    caller: Prisma.JsonObject
    checkpoint: Prisma.JsonValue
    /** This one included. */
    attempts: number
    /** How often it was taken up since it last got on, this one included. */
    stalled: number
  }>

/** How long a job waits when its worker is killed. */
export const leaseSeconds = 30

/** Which job: the oldest that servers do of these kinds, or the one of this id. */
type Wanted = Readonly<{ kinds: readonly JobKind[]; now: Date }> | Readonly<{ id: string; now: Date }>

/**
 * Takes a job that waits, or whose worker is gone, for this process alone; null when there is none. The lease is counted by the
 * database's clock, which all processes share.
 */
export async function claimJob(db: PrismaClient, wanted: Wanted): Promise<ClaimedJob | null> {
  const which = 'id' in wanted ? Prisma.sql`id = ${wanted.id}::uuid` : Prisma.sql`served and kind = any(${[...wanted.kinds]})`
  const [job = null] = await db.$queryRaw<ClaimedJob[]>`
    update roster.jobs set status = 'RUNNING', started_at = coalesce(started_at, ${wanted.now}), attempts = attempts + 1,
      stalled = stalled + 1, leased_until = now() + make_interval(secs => ${leaseSeconds})
    where id = (
      select id from roster.jobs
      where ${which} and finished_at is null and (leased_until is null or leased_until < now())
      order by created_at limit 1 for update skip locked
    )
    returning id, kind, input, caller, checkpoint, attempts, stalled, processed, total, inserted, updated, skipped, failed`
  return job
}

/** Keeps the job for as long again. False when it is this worker's no more: cancelled, or taken up by another one. */
export async function extendLease(db: PrismaClient, { id, attempts }: Pick<ClaimedJob, 'id' | 'attempts'>): Promise<boolean> {
  const count = await db.$executeRaw`
    update roster.jobs set leased_until = now() + make_interval(secs => ${leaseSeconds})
    where id = ${id}::uuid and attempts = ${attempts} and finished_at is null`
  return count > 0
}

/** Gives the job back, to be taken up at once by whoever finds it. */
export async function releaseJob(db: PrismaClient, { id, attempts }: Pick<ClaimedJob, 'id' | 'attempts'>): Promise<void> {
  await db.$executeRaw`
    update roster.jobs set leased_until = null, stalled = 0 where id = ${id}::uuid and attempts = ${attempts} and finished_at is null`
}
