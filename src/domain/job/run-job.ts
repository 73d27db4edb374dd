import { setTimeout as delay } from 'node:timers/promises'
import { isRetryable, isUnavailable } from '../../database/errors.ts'
import type { Prisma, PrismaClient } from '../../generated/prisma/client.ts'
import type { Clock } from '../../ports/clock.ts'
import { describeError } from '../../ports/describe-error.ts'
import type { Logger } from '../../ports/logger.ts'
import { RequestError } from '../errors.ts'
import type { Caller } from '../scope.ts'
import { type ClaimedJob, extendLease, type JobKind, releaseJob } from './claim-job.ts'
import { readCaller } from './job-caller.ts'
import { finishJob, JobFailedError, JobLostError, type JobProblem, type JobState, saveJob } from './save-job.ts'

/** What a handler works with. */
export type JobRun = Readonly<{
  job: ClaimedJob
  /** Who asked for it, with the scopes he had. */
  caller: Caller
  /** Aborts when the work is to stop after what is at hand: the process ends, or the job is no longer this worker's. */
  signal: AbortSignal
  /** Keeps how far it is, in the transaction that does the work. @throws {JobLostError} when that must not be committed */
  save: (db: Prisma.TransactionClient, state: JobState) => Promise<void>
}>

/**
 * Does a job from its checkpoint on, and resolves when all of it is done. When the signal aborts it throws.
 * @throws {JobFailedError} when it cannot be done, for a reason that the job's errors are to say
 */
export type JobHandler = (run: JobRun) => Promise<void>

/** What jobs are done with; the handlers by kind of job. */
export type JobParts = Readonly<{
  db: PrismaClient
  clock: Clock
  logger: Logger
  handlers: Readonly<Partial<Record<JobKind, JobHandler>>>
}>

/** What became of the work on a job: `released` may be taken up again, `lost` is somebody else's or cancelled. */
export type JobEnd = 'SUCCEEDED' | 'FAILED' | 'released' | 'lost'

const heartbeatMs = 10_000
/** How often a job is taken up without getting on before it is given up: something in it ends the process. */
const mostStalled = 5

/**
 * Does a job that was claimed, keeps its lease meanwhile, and writes how it ended. When the database does not answer, the job waits for
 * its lease to run out, and is taken up again.
 */
export async function runJob(parts: JobParts, job: ClaimedJob, stopping: AbortSignal): Promise<JobEnd> {
  const { db, logger, handlers } = parts
  const facts = { jobId: job.id, kind: job.kind, attempts: job.attempts }
  if (job.stalled > mostStalled) return end(parts, job, 'FAILED', stalled)
  const lost = new AbortController()
  const signal = AbortSignal.any([stopping, lost.signal])
  const stopHeartbeat = keepLease(db, job, () => lost.abort(new JobLostError('the lease has ended')))
  try {
    logger.info(facts, 'a job is taken up')
    await handlers[job.kind]?.({ job, caller: readCaller(job.caller), signal, save: (tx, state) => saveJob(tx, job, state) })
    return await end(parts, job, 'SUCCEEDED')
  } catch (error) {
    if (error instanceof JobLostError || lost.signal.aborted) return 'lost'
    if (stopping.aborted) return await release(parts, job)
    if (error instanceof JobFailedError) return await end(parts, job, 'FAILED', error.problem)
    logger.error({ ...facts, error: describeError(error) }, 'a job failed')
    return isPassing(error) ? 'released' : await end(parts, job, 'FAILED', unexpected)
  } finally {
    await stopHeartbeat()
  }
}

const stalled: JobProblem = {
  line: 0,
  code: 'INTERNAL_SERVER_ERROR',
  path: null,
  message: 'The job was begun again and again without getting on.',
}
const unexpected: JobProblem = {
  line: 0,
  code: 'INTERNAL_SERVER_ERROR',
  path: null,
  message: 'Unexpected error: the log of the server says more.',
}

async function end(parts: JobParts, job: ClaimedJob, status: 'SUCCEEDED' | 'FAILED', problem?: JobProblem): Promise<JobEnd> {
  const { db, clock, logger } = parts
  const finish = { status, now: clock.now(), ...(problem ? { problem } : {}) }
  const isOurs = await db.$transaction((tx) => finishJob(tx, job, finish))
  if (!isOurs) return 'lost'
  logger.info({ jobId: job.id, kind: job.kind, status, ...(problem ? { code: problem.code } : {}) }, 'a job has ended')
  return status
}

async function release({ db }: JobParts, job: ClaimedJob): Promise<JobEnd> {
  await releaseJob(db, job)
  return 'released'
}

/** Whether the same work may succeed later. */
function isPassing(error: unknown): boolean {
  return isUnavailable(error) || isRetryable(error) || (error instanceof RequestError && error.code === 'SERVICE_UNAVAILABLE')
}

/** A heartbeat that fails is tried again: the lease is three of them long. */
function keepLease(db: PrismaClient, job: ClaimedJob, onLost: () => void): () => Promise<void> {
  const stopping = new AbortController()
  const { signal } = stopping
  const beat = async (): Promise<void> => {
    while (!signal.aborted) {
      await delay(heartbeatMs, undefined, { signal, ref: false }).catch(() => {})
      if (!signal.aborted && !(await extendLease(db, job).catch(() => true))) return onLost()
    }
  }
  const ended = beat()
  return () => {
    stopping.abort()
    return ended
  }
}
