import type { IncomingMessage } from 'node:http'
import { readBody } from './body.ts'
import { HttpError } from './http-error.ts'

/** A password of 1024 bytes, percent-encoded, with the rest of a form. */
const maxBytes = 8192

/**
 * Reads a form that a page of ours sends.
 * @throws {HttpError} 415 for another type, 413 over 8 KiB, 400 for a field that is there twice
 */
export async function readForm(request: IncomingMessage): Promise<ReadonlyMap<string, string>> {
  const [type = ''] = (request.headers['content-type'] ?? '').split(';', 1)
  const isForm = type.trim().toLowerCase() === 'application/x-www-form-urlencoded'
  if (!isForm || (request.headers['content-encoding'] ?? 'identity') !== 'identity')
    throw new HttpError(415, 'BAD_USER_INPUT', 'The body must be a form, not compressed.', { Accept: 'application/x-www-form-urlencoded' })
  return onlyOnce(new URLSearchParams((await readBody(request, maxBytes)).toString('utf8')))
}

/** The parameters of a query or form. @throws {HttpError} 400 when one is there twice: no two readers may understand it differently */
export function onlyOnce(parameters: URLSearchParams): ReadonlyMap<string, string> {
  const map = new Map(parameters)
  if (map.size !== parameters.size) throw new HttpError(400, 'BAD_USER_INPUT', 'A parameter is there twice.')
  return map
}
