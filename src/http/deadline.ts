import type { IncomingMessage } from 'node:http'
import { unavailable } from './slots.ts'

/**
 * Does the work of a request, for so long at most. The signal aborts when the time is over or the caller is gone; the work should
 * begin nothing new then.
 * @throws {HttpError} 503 when the time is over
 */
export async function withDeadline<Result>(
  request: IncomingMessage,
  timeoutMs: number,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController()
  const { socket } = request
  const abort = (): void => controller.abort()
  socket.once('close', abort)
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      abort()
      reject(unavailable())
    }, timeoutMs)
  })
  try {
    return await Promise.race([work(controller.signal), deadline])
  } finally {
    clearTimeout(timer)
    socket.removeListener('close', abort)
  }
}
