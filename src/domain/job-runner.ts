import { describeError } from '../ports/describe-error.ts'
import { claimJob, type JobKind } from './job/claim-job.ts'
import { type JobParts, runJob } from './job/run-job.ts'

/** Does jobs, one at a time in a process. Any number of processes work on one list. */
export type JobRunner = Readonly<{
  /** Begins to look for work by itself: once in a while, and at once when it is woken. */
  start: () => void
  /** Says that a job was made. Before the start and after the stop it does nothing. */
  wake: () => void
  /** Does all jobs there are now, started or not, and resolves when there is no more of them. */
  settled: () => Promise<void>
  /** Takes up nothing more, has the job at work stop where it can be taken up again, and resolves when it has. */
  stop: () => Promise<void>
}>

/** How often it looks for what other processes made, or left: between the two, so that processes spread. */
const pollMs = { least: 1000, most: 2000 }

/** A runner that is not started. */
export function createJobRunner(parts: JobParts): JobRunner {
  const kinds = Object.keys(parts.handlers) as JobKind[]
  const stopping = new AbortController()
  const { signal } = stopping
  let isStarted = false
  let working: Promise<void> | null = null
  let timer: NodeJS.Timeout | undefined

  const workOff = async (): Promise<void> => {
    while (!signal.aborted) {
      const job = await claimJob(parts.db, { kinds, now: parts.clock.now() })
      if (job === null) return
      await runJob(parts, job, signal)
    }
  }
  const work = (): Promise<void> => {
    working ??= workOff()
      .catch((error: unknown) => parts.logger.warn({ error: describeError(error) }, 'jobs cannot be worked on; it is tried again'))
      .finally(() => {
        working = null
      })
    return working
  }
  const poll = (): void => {
    void work()
    timer = setTimeout(poll, pollMs.least + Math.random() * (pollMs.most - pollMs.least)).unref()
  }
  return Object.freeze({
    start: () => {
      if (isStarted || signal.aborted) return
      isStarted = true
      poll()
    },
    wake: () => {
      if (isStarted && !signal.aborted) void work()
    },
    settled: work,
    stop: async () => {
      stopping.abort()
      clearTimeout(timer)
      await working
    },
  })
}
