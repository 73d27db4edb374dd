import type { IncomingMessage } from 'node:http'
import type { App } from '../app.ts'
import { isRetryable, isUnavailable } from '../database/errors.ts'
import { RequestError } from '../domain/errors.ts'
import { hasScope } from '../domain/principal.ts'
import { storeUpload, UploadTooLargeError } from '../domain/transfer/upload.ts'
import { bearerToken } from './bearer.ts'
import { ConnectionLost } from './body.ts'
import { type Exchange, json, type Route } from './exchange.ts'
import { HttpError } from './http-error.ts'
import { type Slots, unavailable } from './slots.ts'

/** Where files for imports are sent. */
export const uploadsPath = '/uploads'

const scope = 'import:users'

type Parts = Readonly<{ slots: Slots; mayTakeLong: (request: IncomingMessage) => void }>

/** `PUT /uploads`: keeps the body, however long it takes, and answers 201 with its id. */
export function createUploadRoute(app: App, { slots, mayTakeLong }: Parts): Route {
  const { config, database, clock } = app
  return async (exchange) => {
    const { request } = exchange
    await assertMayUpload(app, exchange)
    if ((request.headers['content-encoding'] ?? 'identity') !== 'identity')
      throw new HttpError(415, 'BAD_USER_INPUT', 'Send the file as it is, not compressed.')
    if (Number(request.headers['content-length'] ?? 0) > config.uploadMaxBytes) throw tooLarge(config.uploadMaxBytes)
    return slots.run(async () => {
      mayTakeLong(request)
      try {
        return json(
          201,
          await storeUpload({ db: database.prisma, clock }, request.iterator({ destroyOnReturn: false }), config.uploadMaxBytes),
        )
      } catch (error) {
        request.resume()
        if (error instanceof UploadTooLargeError) throw tooLarge(config.uploadMaxBytes)
        if (request.destroyed) throw new ConnectionLost()
        if (isUnavailable(error) || isRetryable(error)) throw unavailable()
        throw error
      }
    })
  }
}

/** @throws {HttpError} 401 without a token that stands, 403 without the scope */
async function assertMayUpload({ authenticate }: App, { request }: Exchange): Promise<void> {
  const refused = (error: RequestError): HttpError =>
    error.code === 'UNAUTHENTICATED'
      ? new HttpError(401, 'UNAUTHENTICATED', error.message, { 'WWW-Authenticate': 'Bearer error="invalid_token"' })
      : unavailable()
  const principal = await Promise.resolve()
    .then(() => authenticate(bearerToken(request.headers.authorization ?? null)))
    .catch((error: unknown) => {
      throw error instanceof RequestError ? refused(error) : error
    })
  if (principal.kind === 'anonymous') throw new HttpError(401, 'UNAUTHENTICATED', 'This needs a token.', { 'WWW-Authenticate': 'Bearer' })
  if (!hasScope(principal, scope)) throw new HttpError(403, 'FORBIDDEN', `This needs a token with ${scope}.`)
}

function tooLarge(maxBytes: number): HttpError {
  return new HttpError(413, 'BAD_USER_INPUT', `The file has more than ${maxBytes} bytes.`)
}
