import { Prisma, type PrismaClient } from '../generated/prisma/client.ts'
import type { Clock } from '../ports/clock.ts'
import { exportKeptDays } from './export/read-export.ts'
import { lowestIdAt } from './id.ts'

/** One kind of rows that are kept for a time. */
type Retention = Readonly<{
  what: string
  /** Deletes so many rows at the most that ended before this time, and answers how many it deleted. */
  deleteBatch: (db: Prisma.TransactionClient, before: Date, limit: number) => Promise<number>
  /** How many days the rows are kept; null: for ever. */
  keptDays: number | null
  /** How many go at once, where a row is large; otherwise `batchSize`. */
  perBatch?: number
}>

/** Rows a statement: it takes milliseconds, and holds up nobody. */
const batchSize = 1000
const dayMs = 86_400_000
/** How long sessions that have ended are kept, for whoever looks into what happened. */
const endedSessionDays = 30
/** How long what has expired and says nothing any more is kept. */
const expiredDays = 1
/** How long a file that was sent for an import is kept: it holds password hashes. */
const uploadDays = 1
/** How long it can be seen what became of an import or export. */
const jobDays = 90

/** Any number will do that nobody else takes. One process at a time deletes rows of a kind. */
const advisoryLock = 0x72657461

function retentions(historyDays: number): readonly Retention[] {
  return [
    { what: 'history', deleteBatch: deleteHistory, keptDays: historyDays === 0 ? null : historyDays },
    { what: 'sessions', deleteBatch: deleteSessions, keptDays: endedSessionDays },
    { what: 'oneTimeTokens', deleteBatch: deleteOneTimeTokens, keptDays: expiredDays },
    { what: 'authorizationRequests', deleteBatch: deleteAuthorizationRequests, keptDays: 0 },
    { what: 'authorizationCodes', deleteBatch: deleteAuthorizationCodes, keptDays: 0 },
    { what: 'rateLimits', deleteBatch: deleteRateLimits, keptDays: expiredDays },
    { what: 'exportChunks', deleteBatch: deleteExportChunks, keptDays: exportKeptDays, perBatch: 40 },
    { what: 'uploads', deleteBatch: deleteUploads, keptDays: uploadDays, perBatch: 40 },
    { what: 'jobErrors', deleteBatch: deleteJobErrors, keptDays: jobDays },
    { what: 'jobs', deleteBatch: deleteJobs, keptDays: jobDays },
  ]
}

/** How many rows of each kind were deleted. */
export type Purged = Readonly<Record<string, number>>

/**
 * Deletes what was kept for its time, batch by batch, until there is no more, the signal stops it, or another process is at it.
 * `historyDays` 0 keeps history for ever.
 */
export async function purge(
  { db, clock, signal }: Readonly<{ db: PrismaClient; clock: Clock; signal?: AbortSignal }>,
  { historyDays }: Readonly<{ historyDays: number }>,
): Promise<Purged> {
  const purged: Record<string, number> = {}
  for (const { what, keptDays, deleteBatch, perBatch = batchSize } of retentions(historyDays)) {
    if (keptDays === null) continue
    const before = new Date(clock.now().getTime() - keptDays * dayMs)
    let count = perBatch
    while (count === perBatch && signal?.aborted !== true) {
      count = await inTurn(db, what, (tx) => deleteBatch(tx, before, perBatch))
      purged[what] = (purged[what] ?? 0) + count
    }
  }
  return purged
}

/** Answers 0 when another process is at it. */
function inTurn(db: PrismaClient, what: string, work: (tx: Prisma.TransactionClient) => Promise<number>): Promise<number> {
  return db.$transaction(async (tx) => {
    const [row] = await tx.$queryRaw<{ free: boolean }[]>`select pg_try_advisory_xact_lock(${advisoryLock}::int, hashtext(${what})) as free`
    return row?.free === true ? work(tx) : 0
  })
}

/** Ids are in the order of time, so the primary key finds the oldest. The table refuses deletions but of what the setting lets go. */
async function deleteHistory(db: Prisma.TransactionClient, before: Date, limit: number): Promise<number> {
  await db.$queryRaw`select set_config('roster.history_kept_from', ${before.toISOString()}, true)`
  return db.$executeRaw`
    delete from roster.audit_events where id in (
      select id from roster.audit_events where id < ${lowestIdAt(before)}::uuid and at < ${before} order by id limit ${limit}
    )`
}

/** A session that ended before a time was started before it. */
function deleteSessions(db: Prisma.TransactionClient, before: Date, limit: number): Promise<number> {
  return db.$executeRaw`
    delete from roster.sessions where id in (
      select id from roster.sessions
      where id < ${lowestIdAt(before)}::uuid and (revoked_at < ${before} or expires_at < ${before})
      order by id limit ${limit}
    )`
}

function deleteOneTimeTokens(db: Prisma.TransactionClient, before: Date, limit: number): Promise<number> {
  return db.$executeRaw`
    delete from roster.one_time_tokens where id in (
      select id from roster.one_time_tokens where expires_at < ${before} order by expires_at limit ${limit}
    )`
}

/** Nobody comes back any more: the row of who did went with him. */
function deleteAuthorizationRequests(db: Prisma.TransactionClient, before: Date, limit: number): Promise<number> {
  return db.$executeRaw`
    delete from roster.authorization_requests where state_hash in (
      select state_hash from roster.authorization_requests where expires_at < ${before} order by expires_at limit ${limit}
    )`
}

function deleteAuthorizationCodes(db: Prisma.TransactionClient, before: Date, limit: number): Promise<number> {
  return db.$executeRaw`
    delete from roster.authorization_codes where code_hash in (
      select code_hash from roster.authorization_codes where expires_at < ${before} order by expires_at limit ${limit}
    )`
}

/** A window that has begun again meanwhile is left alone. */
function deleteRateLimits(db: Prisma.TransactionClient, before: Date, limit: number): Promise<number> {
  return db.$executeRaw`
    delete from roster.rate_limits where key in (
      select key from roster.rate_limits where window_ends_at < ${before} order by window_ends_at limit ${limit} for update skip locked
    )`
}

/** Piece by piece, and the upload itself with the last of them. One that an import still reads stays. */
async function deleteUploads(db: Prisma.TransactionClient, before: Date, limit: number): Promise<number> {
  const unused = Prisma.sql`
    select id from roster.uploads where created_at < ${before} and not exists (
      select from roster.jobs where finished_at is null and input ->> 'upload' = uploads.id::text
    )`
  const count = await db.$executeRaw`
    delete from roster.upload_chunks where (upload_id, position) in (
      select upload_id, position from roster.upload_chunks where upload_id in (${unused}) limit ${limit}
    )`
  if (count < limit) await db.$executeRaw`delete from roster.uploads where id in (${unused})`
  return count
}

function deleteJobErrors(db: Prisma.TransactionClient, before: Date, limit: number): Promise<number> {
  return db.$executeRaw`
    delete from roster.job_errors where id in (
      select job_errors.id from roster.job_errors join roster.jobs on jobs.id = job_id where finished_at < ${before} limit ${limit}
    )`
}

/** Those whose errors are gone. */
function deleteJobs(db: Prisma.TransactionClient, before: Date, limit: number): Promise<number> {
  return db.$executeRaw`
    delete from roster.jobs where id in (
      select id from roster.jobs where finished_at < ${before} and not exists (select from roster.job_errors where job_id = jobs.id)
      order by finished_at limit ${limit}
    )`
}

/** Of exports that ended before a time, in whichever way. A chunk has a megabyte. */
function deleteExportChunks(db: Prisma.TransactionClient, before: Date, limit: number): Promise<number> {
  return db.$executeRaw`
    delete from roster.export_chunks where (job_id, position) in (
      select chunk.job_id, chunk.position from roster.jobs job join roster.export_chunks chunk on chunk.job_id = job.id
      where job.kind = 'EXPORT' and job.finished_at < ${before} limit ${limit}
    )`
}
