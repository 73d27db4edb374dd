import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { Server as NetServer } from 'node:net'
import { setTimeout as delay, setImmediate } from 'node:timers/promises'

/** The requests that a server has at work. */
export type Activity = Readonly<{
  begin: (request: IncomingMessage, response: ServerResponse) => void
  isNone: () => boolean
  /** Resolves as soon as there are none. */
  none: () => Promise<void>
}>

/**
 * Keeps count for one server, and keeps nothing of what it counts: a set that grows and shrinks all the time holds what was in it until
 * the old generation is collected, and each collection of the young one takes longer by it.
 */
export function createActivity(): Activity {
  let atWork = 0
  let waiting: (() => void)[] = []
  return {
    begin: ({ socket }, response) => {
      atWork++
      let isAtWork = true
      // A response that waits behind another one on its connection is not told when the connection ends.
      const end = (): void => {
        if (!isAtWork) return
        isAtWork = false
        socket.removeListener('close', end)
        if (--atWork > 0) return
        for (const resolve of waiting) resolve()
        waiting = []
      }
      socket.once('close', end)
      response.once('close', end)
    },
    isNone: () => atWork === 0,
    none: () => (atWork === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
  }
}

/** What callers have sent but the process has not read yet arrives within this time. */
const quietMs = 100

/**
 * Stops accepting, lets the requests at work finish for so long at most, and ends all connections. A connection that looks idle may
 * have a request on its way, so it is not ended before nothing more came for a moment.
 */
export async function drainServer(server: Server, activity: Activity, timeoutMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.once('close', resolve))
  // The HTTP server's own close would end idle connections at once.
  NetServer.prototype.close.call(server)
  const patience = new AbortController()
  const timeUp = delay(timeoutMs, undefined, { signal: patience.signal }).catch(() => {})
  await Promise.race([quiet(activity, patience.signal), timeUp])
  patience.abort()
  server.close()
  server.closeAllConnections()
  await closed
}

async function quiet(activity: Activity, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await activity.none()
    await delay(quietMs)
    // When the process was busy the timer comes before what has arrived is read; this comes after it.
    await setImmediate()
    if (activity.isNone()) return
  }
}
