import { setTimeout as delay } from 'node:timers/promises'
import type { PrismaClient } from '../../generated/prisma/client.ts'
import { RequestError } from '../errors.ts'
import type { Principal } from '../principal.ts'
import { visibleJobs } from './visible-jobs.ts'

const pollMs = 500

const columns = {
  id: true,
  status: true,
  processed: true,
  total: true,
  inserted: true,
  updated: true,
  skipped: true,
  failed: true,
} as const

/** Who watches; the signal says that he does so no more. */
type Watcher = Readonly<{ db: PrismaClient; principal: Principal; signal: AbortSignal | null }>

/**
 * Says that a job is there, and then each time that it has got on or ended; it may get on several times between two of them. The last
 * one says that it has ended.
 * @throws {RequestError} NOT_FOUND at once when there is none, or none that the caller may know of
 */
export async function watchJob({ db, principal, signal }: Watcher, id: string): Promise<AsyncIterable<{ id: string }>> {
  const read = () => db.job.findFirst({ where: { AND: [{ id }, visibleJobs(principal)] }, select: { ...columns, finishedAt: true } })
  const first = await read()
  if (first === null) throw new RequestError('NOT_FOUND', 'There is no such job.')
  return changes(first, read, signal)
}

type State = { id: string; finishedAt: Date | null }

async function* changes(first: State, read: () => Promise<State | null>, signal: AbortSignal | null): AsyncGenerator<{ id: string }> {
  let [state, told]: [State | null, string] = [first, '']
  while (state !== null) {
    const now = JSON.stringify(state)
    if (now !== told) yield { id: state.id }
    told = now
    if (state.finishedAt !== null) return
    await delay(pollMs, undefined, { ref: false })
    if (signal?.aborted) return
    state = await read()
  }
}
