import type { Pool, PoolClient } from 'pg'

type Lend = (error: Error | undefined, client: PoolClient | undefined, release: (destroy?: boolean | Error) => void) => void

/**
 * Ends the wait for a connection of the pool when no connection has been lent for so long: a queue that moves is worth standing
 * in, one that stands still only makes everybody late. The pool's own limit is that of the whole wait.
 */
export function endStandingWaits(pool: Pool, standingMs: number): void {
  const connect = pool.connect.bind(pool) as (lend?: Lend) => Promise<PoolClient>
  let movedAt = 0
  pool.on('acquire', () => {
    movedAt = performance.now()
  })
  const wait = async (): Promise<PoolClient> => {
    const lent = connect()
    const standing = standstill(() => movedAt, standingMs)
    try {
      return await Promise.race([lent, standing.ended])
    } catch (error) {
      // Its turn may still come.
      lent.then((client) => client.release()).catch(() => {})
      throw error
    } finally {
      standing.forget()
    }
  }
  // The pool's own `query` calls it with a callback.
  const lendInTime = (lend?: Lend): unknown => {
    if (pool.idleCount > pool.waitingCount || pool.totalCount < pool.options.max) return connect(lend)
    if (lend === undefined) return wait()
    return void wait().then(
      (client) => lend(undefined, client, client.release),
      (error: Error) => lend(error, undefined, () => {}),
    )
  }
  pool.connect = lendInTime as Pool['connect']
}

/** `ended` fails when nothing has moved for so long, from now on. Plain timers: under load most requests wait here for a moment. */
function standstill(movedAt: () => number, standingMs: number): Readonly<{ ended: Promise<never>; forget: () => void }> {
  const since = performance.now()
  let timer: NodeJS.Timeout
  const ended = new Promise<never>((_resolve, reject) => {
    const look = (): void => {
      const leftMs = Math.max(since, movedAt()) + standingMs - performance.now()
      if (leftMs <= 0) reject(new Error('timeout exceeded when trying to connect'))
      else wait(leftMs)
    }
    const wait = (ms: number): void => {
      // After a pause of the process itself, what came in meanwhile goes first.
      timer = setTimeout(() => setImmediate(look), ms)
    }
    wait(standingMs)
  })
  return { ended, forget: () => clearTimeout(timer) }
}
