import type { Pool, PoolClient } from 'pg'
import { isServerFull } from './errors.ts'

type Lend = (error: Error | undefined, client: PoolClient | undefined, release: (destroy?: boolean | Error) => void) => void

/** For how long nothing more is asked of a server that takes no more connections. */
const narrowMs = 1000

/**
 * Ends the wait for a connection of the pool when no connection has been lent for so long: a queue that moves is worth standing
 * in, one that stands still only makes everybody late. The pool's own limit is that of the whole wait. Whoever is refused a new
 * connection since the server takes no more waits for one of those there are.
 */
export function queueForConnections(pool: Pool, standingMs: number): void {
  const connect = pool.connect.bind(pool) as (lend?: Lend) => Promise<PoolClient>
  const width = createWidth(pool)
  let movedAt = 0
  pool.on('acquire', () => {
    movedAt = performance.now()
  })
  const stand = async (since: number): Promise<PoolClient> => {
    const lent = connect()
    const standing = standstill(() => Math.max(since, movedAt), standingMs)
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
  const wait = async (): Promise<PoolClient> => {
    const since = performance.now()
    for (let refusals = 1; ; refusals++) {
      try {
        return await stand(since)
      } catch (error) {
        // While there are none, some that are being opened may still be.
        const isHopeless = pool.totalCount === 0 || (width.hasNone() && refusals > 1)
        if (!isServerFull(error) || isHopeless) throw error
        width.narrow()
      }
    }
  }
  // The pool's own `query` calls it with a callback.
  const lendInTime = (lend?: Lend): unknown => {
    width.widen()
    if (pool.idleCount > pool.waitingCount) return connect(lend)
    if (lend === undefined) return wait()
    return void wait().then(
      (client) => lend(undefined, client, client.release),
      (error: Error) => lend(error, undefined, () => {}),
    )
  }
  pool.connect = lendInTime as Pool['connect']
}

/** How many connections the pool may have: fewer for a while once its server has refused one, but those that it has. */
function createWidth(pool: Pool): Readonly<{ hasNone: () => boolean; narrow: () => void; widen: () => void }> {
  const { max } = pool.options
  const opened = new Set<PoolClient>()
  let widensAt = 0
  pool.on('connect', (client) => {
    opened.add(client)
    pool.options.max = Math.max(pool.options.max, opened.size)
  })
  pool.on('remove', (client) => opened.delete(client))
  return {
    hasNone: () => opened.size === 0,
    narrow: () => {
      pool.options.max = Math.max(1, opened.size)
      widensAt = performance.now() + narrowMs
    },
    widen: () => {
      if (pool.options.max < max && performance.now() >= widensAt) pool.options.max = max
    },
  }
}

/** `ended` fails when nothing has moved for so long. Plain timers: under load most requests wait here for a moment. */
function standstill(movedAt: () => number, standingMs: number): Readonly<{ ended: Promise<never>; forget: () => void }> {
  let timer: NodeJS.Timeout
  const ended = new Promise<never>((_resolve, reject) => {
    const leftMs = (): number => movedAt() + standingMs - performance.now()
    const look = (): void => {
      if (leftMs() <= 0) reject(new Error('timeout exceeded when trying to connect'))
      else wait()
    }
    const wait = (): void => {
      // After a pause of the process itself, what came in meanwhile goes first.
      timer = setTimeout(() => setImmediate(look), leftMs())
    }
    wait()
  })
  return { ended, forget: () => clearTimeout(timer) }
}
