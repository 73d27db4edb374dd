import type { IncomingMessage } from 'node:http'
import { Ending } from '../ports/ending.ts'
import { unavailable } from './slots.ts'

/**
 * Does the work of a request, for so long at most. It ends when the time is over or the caller is gone; the work should begin
 * nothing new then.
 * @throws {HttpError} 503 when the time is over
 */
export async function withDeadline<Result>(
  request: IncomingMessage,
  timeoutMs: number,
  work: (ending: Ending) => Promise<Result>,
): Promise<Result> {
  const ending = new Ending()
  const { socket } = request
  const abort = (): void => ending.abort(new Error('nobody waits for the request any more'))
  socket.once('close', abort)
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      abort()
      reject(unavailable())
    }, timeoutMs)
  })
  try {
    return await Promise.race([work(ending), deadline])
  } finally {
    clearTimeout(timer)
    socket.removeListener('close', abort)
  }
}
