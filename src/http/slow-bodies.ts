import type { IncomingMessage, Server } from 'node:http'

/** Keeps requests from taking for ever to come. */
export type BodyWatch = Readonly<{
  /** Call it as the request arrives. */
  watch: (request: IncomingMessage) => void
  /** A request that was let in to bring a file has all the time it needs, as long as something moves on its connection. */
  mayTakeLong: (request: IncomingMessage) => void
}>

const checkEveryMs = 1000

/** Ends requests that have not come whole after so long, as Node's own limit would, which knows no exceptions. */
export function watchBodies(server: Server, timeoutMs: number): BodyWatch {
  const coming = new Map<IncomingMessage, number>()
  const exempt = new WeakSet<IncomingMessage>()
  let begun: IncomingMessage[] = []
  // Most requests are whole a moment after they have begun.
  const look = (): void => {
    const endsAt = performance.now() + timeoutMs
    for (const request of begun) if (!request.complete && !request.destroyed && !exempt.has(request)) coming.set(request, endsAt)
    begun = []
  }
  const check = (): void => {
    const now = performance.now()
    for (const [request, endsAt] of coming) {
      if (request.complete || request.destroyed) coming.delete(request)
      else if (now > endsAt) {
        coming.delete(request)
        server.emit(
          'clientError',
          Object.assign(new Error('the request takes too long'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }),
          request.socket,
        )
      }
    }
  }
  const timer = setInterval(check, checkEveryMs).unref()
  server.once('close', () => clearInterval(timer))
  return {
    watch: (request) => {
      if (begun.push(request) === 1) setImmediate(look)
    },
    mayTakeLong: (request) => {
      exempt.add(request)
      coming.delete(request)
    },
  }
}
