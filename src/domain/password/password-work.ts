import { availableParallelism } from 'node:os'
import { serviceUnavailable } from '../errors.ts'

/** Does a piece of work when its turn comes. @throws {RequestError} SERVICE_UNAVAILABLE with `retryAfterSeconds`, when too much waits */
export type PasswordWork = <Result>(work: () => Promise<Result>) => Promise<Result>

type Bounds = Readonly<{
  /** How many are at work at once. */
  concurrency: number
  /** How many wait at the most; whoever comes later is refused at once. */
  maxWaiting: number
  /** How long one waits at the most. */
  maxWaitMs: number
}>

/**
 * The one queue for hashing and verifying passwords in this process: each takes a core for about 10 ms and memory besides, so a burst of
 * them waits in line, in the order it came, and the rest of the requests goes on.
 */
export function createPasswordWork({ concurrency, maxWaiting, maxWaitMs }: Bounds): PasswordWork {
  const waiting = new Set<() => void>()
  let working = 0
  const begin = () => {
    const [next] = waiting
    if (working < concurrency) next?.()
  }
  const turn = () =>
    new Promise<void>((resolve, reject) => {
      if (waiting.size >= maxWaiting + concurrency - working) return reject(tooMuch())
      const start = () => {
        clearTimeout(timer)
        waiting.delete(start)
        working++
        resolve()
      }
      const timer = setTimeout(() => {
        waiting.delete(start)
        reject(tooMuch())
      }, maxWaitMs)
      waiting.add(start)
      begin()
    })
  return async (work) => {
    await turn()
    try {
      return await work()
    } finally {
      working--
      begin()
    }
  }
}

/**
 * A core each; of libuv's four threads one is left to files, names and signatures. About a third of a second of work may wait, each
 * piece of it half of the time that a request may take.
 */
export function defaultBounds(requestTimeoutMs: number): Bounds {
  const concurrency = Math.min(availableParallelism(), 3)
  return { concurrency, maxWaiting: concurrency * 32, maxWaitMs: requestTimeoutMs / 2 }
}

function tooMuch(): Error {
  return serviceUnavailable(new Error('too many passwords are waiting to be hashed'))
}
