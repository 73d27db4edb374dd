import type { IncomingMessage } from 'node:http'
import { HttpError } from './http-error.ts'

/**
 * Reads the whole body of a request. What the Content-Length says is believed only when it is too much; the bytes are counted.
 * @throws {HttpError} 413 over the limit; the rest is read and dropped, so that the caller gets to see the answer
 */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    const refuse = (): void => {
      request.removeAllListeners('data').resume()
      reject(new HttpError(413, 'BAD_USER_INPUT', `The body has more than ${maxBytes} bytes.`))
    }
    if (Number(request.headers['content-length'] ?? 0) > maxBytes) return refuse()
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > maxBytes) refuse()
      else chunks.push(chunk)
    })
    request.once('end', () => resolve(Buffer.concat(chunks, bytes)))
    // A request that was read is closed too, and needs no error.
    request.once('close', () => request.readableEnded || reject(new ConnectionLost()))
    request.once('error', () => reject(new ConnectionLost()))
  })
}

/** The caller went away before the request was whole; there is nobody to answer. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost'
}
