import { Prisma } from '../../generated/prisma/client.ts'
import { newId } from '../id.ts'
import type { ClaimedJob, JobProgress } from './claim-job.ts'

/** What a job says of a record that it refused, or of itself: line 0. */
export type JobProblem = Readonly<{
  line: number
  code: string
  /** The field of the record, as the file names it; null when it is about the record as a whole. */
  path: string | null
  message: string
}>

/** What is kept of a job together with what it has done. */
export type JobState = JobProgress & Readonly<{ checkpoint: Prisma.InputJsonValue; problems?: readonly JobProblem[] }>

/** The job is this worker's no more: it was cancelled, or another worker has taken it up. */
export class JobLostError extends Error {
  override readonly name = 'JobLostError'
}

/** The job cannot be done, for a reason that its errors are to say. */
export class JobFailedError extends Error {
  override readonly name = 'JobFailedError'
  readonly problem: JobProblem

  constructor(problem: JobProblem) {
    super(problem.message)
    this.problem = problem
  }
}

type Worker = Pick<ClaimedJob, 'id' | 'attempts'>

/**
 * Keeps how far a job is. Call it in the transaction that does the work, as the last of it: then both are there or neither is, and
 * whoever cancels the job waits for little.
 * @throws {JobLostError} when the work must not be committed
 */
export async function saveJob(db: Prisma.TransactionClient, { id, attempts }: Worker, state: JobState): Promise<void> {
  const { problems = [] } = state
  if (problems.length > 0) await insertProblems(db, id, problems)
  assertOurs(await db.$queryRaw<unknown[]>(savingJob({ id, attempts }, state)))
}

/** The statement that keeps how far a job is, without problems. It returns one row, or none when the work must not be committed. */
export function savingJob({ id, attempts }: Worker, state: Omit<JobState, 'problems'>): Prisma.Sql {
  const { checkpoint, processed, total, inserted, updated, skipped, failed } = state
  return Prisma.sql`
    update roster.jobs set checkpoint = ${JSON.stringify(checkpoint)}::jsonb, stalled = 0, processed = ${processed}, total = ${total},
      inserted = ${inserted}, updated = ${updated}, skipped = ${skipped}, failed = ${failed}
    where id = ${id}::uuid and attempts = ${attempts} and finished_at is null returning id`
}

/** @throws {JobLostError} when the statement that keeps how far a job is has returned no row */
export function assertOurs({ length }: readonly unknown[]): void {
  if (length === 0) throw new JobLostError('the job is no longer this worker’s')
}

/** Ends a job, unless it is no longer this worker's; says whether it was. */
export async function finishJob(
  db: Prisma.TransactionClient,
  { id, attempts }: Worker,
  end: Readonly<{ status: 'SUCCEEDED' | 'FAILED'; now: Date; problem?: JobProblem }>,
): Promise<boolean> {
  const count = await db.$executeRaw`
    update roster.jobs set status = ${end.status}, finished_at = ${end.now}, leased_until = null
    where id = ${id}::uuid and attempts = ${attempts} and finished_at is null`
  if (count > 0 && end.problem) await insertProblems(db, id, [end.problem])
  return count > 0
}

async function insertProblems(db: Prisma.TransactionClient, jobId: string, problems: readonly JobProblem[]): Promise<void> {
  const rows = JSON.stringify(problems.map((problem) => ({ ...problem, id: newId(), path: problem.path && storable(problem.path) })))
  await db.$executeRaw`
    insert into roster.job_errors (id, job_id, line, code, path, message)
    select id, ${jobId}::uuid, line, code, path, message
    from jsonb_to_recordset(${rows}::jsonb) as row (id uuid, line int, code text, path text, message text)`
}

/** A path may have names that the file chose, cut off anywhere: PostgreSQL keeps neither NUL nor half of a character. */
function storable(path: string): string {
  return path.toWellFormed().replaceAll('\0', '\ufffd')
}
