import type { RequestErrorCode } from '../domain/errors.ts'

/** A request that is refused before or beside GraphQL, with its status. The message is for the caller. */
export class HttpError extends Error {
  override readonly name = 'HttpError'
  readonly status: number
  readonly code: RequestErrorCode | 'INTERNAL_SERVER_ERROR'
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, code: HttpError['code'], message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message)
    this.status = status
    this.code = code
    this.headers = headers
  }

  /** The same with further headers. */
  with(headers: Readonly<Record<string, string>>): HttpError {
    return new HttpError(this.status, this.code, this.message, { ...headers, ...this.headers })
  }
}
