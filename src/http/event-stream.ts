import type { IncomingMessage } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type { Outcome } from '../graphql/operation.ts'

/** Well within the time after which a quiet connection is cut, here or by a proxy. */
const keepAliveMs = 10_000
/** A client that is cut off connects again, and shows its token again. */
const longestMs = 3_600_000

/** Whether the Accept header asks for Server-Sent Events by name. */
export function wantsEvents(accept: string | undefined): boolean {
  return (accept ?? '').split(',').some((range) => range.split(';', 1)[0]?.trim().toLowerCase() === 'text/event-stream')
}

/** The headers of a stream of events. */
export const eventHeaders = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-store',
  // Some proxies would hold the events back until there are many.
  'X-Accel-Buffering': 'no',
} as const

/** One result as the whole of a stream: what a query is answered with to a client that reads events. */
export function singleEvent(result: Outcome['result']): string {
  return `${next(result)}${complete}`
}

/**
 * The results of a subscription as Server-Sent Events: GraphQL over SSE, distinct connections mode. When the caller goes, the server
 * drains or the longest time is over, it ends without `complete`, which tells a client that is still there to connect again.
 */
export async function* eventStream(
  request: IncomingMessage,
  draining: AbortSignal,
  results: AsyncIterable<Outcome['result']>,
): AsyncGenerator<string> {
  const gone = new AbortController()
  const { socket } = request
  const abort = (): void => gone.abort()
  socket.once('close', abort)
  const signal = AbortSignal.any([gone.signal, draining, AbortSignal.timeout(longestMs)])
  const iterator = results[Symbol.asyncIterator]()
  try {
    yield ':\n\n'
    for (let waiting = iterator.next(); !signal.aborted; ) {
      const quiet = await isQuiet(waiting, signal)
      if (signal.aborted) return
      if (quiet) {
        yield ':\n\n'
        continue
      }
      const result = await waiting
      if (result.done === true) return yield complete
      yield next(result.value)
      waiting = iterator.next()
    }
  } finally {
    socket.removeListener('close', abort)
    // It may be waiting for the next look at what it watches; nobody has to wait with it.
    void iterator.return?.().catch(() => {})
  }
}

/** Waits for a result for a while; true when none came, or the stream is to end. */
async function isQuiet(waiting: Promise<unknown>, signal: AbortSignal): Promise<boolean> {
  const patience = new AbortController()
  const options = { signal: AbortSignal.any([signal, patience.signal]), ref: false }
  const silence = delay(keepAliveMs, true, options).catch(() => true)
  try {
    return await Promise.race([waiting.then(() => false), silence])
  } finally {
    patience.abort()
  }
}

const complete = 'event: complete\ndata:\n\n'

function next(result: Outcome['result']): string {
  return `event: next\ndata: ${JSON.stringify(result)}\n\n`
}
