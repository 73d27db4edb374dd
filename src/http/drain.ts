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

/** Keeps count for one server. */
export function createActivity(): Activity {
  const atWork = new Set<ServerResponse>()
  let waiting: (() => void)[] = []
  return {
    begin: ({ socket }, response) => {
      atWork.add(response)
      // A response that waits behind another one on its connection is not told when the connection ends.
      const end = (): void => {
        socket.removeListener('close', end)
        atWork.delete(response)
        if (atWork.size > 0) return
        for (const resolve of waiting) resolve()
        waiting = []
      }
      socket.once('close', end)
      response.once('close', end)
    },
    isNone: () => atWork.size === 0,
    none: () => (atWork.size === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
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
