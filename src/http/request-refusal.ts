import { isUnavailable } from '../database/errors.ts'
import { RequestError, type RequestErrorCode, serviceUnavailable } from '../domain/errors.ts'
import { type Answer, json } from './exchange.ts'

const statuses: Partial<Record<RequestErrorCode, number>> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  RATE_LIMITED: 429,
  SERVICE_UNAVAILABLE: 503,
}

/**
 * A refusal of the domain as the answer of a route that is no GraphQL. RFC 6750 §3: no error is told to who sent no token.
 * @throws what was not expected
 */
export function requestRefusal(error: unknown, hasToken: boolean): Answer {
  const known = isUnavailable(error) ? serviceUnavailable(error) : error
  if (!(known instanceof RequestError)) throw error
  const { code, message, extensions } = known
  const status = statuses[code] ?? 400
  const challenge = status === 401 ? (hasToken ? 'Bearer error="invalid_token"' : 'Bearer') : 'Bearer error="insufficient_scope"'
  const headers = {
    ...(status === 401 || status === 403 ? { 'WWW-Authenticate': challenge } : {}),
    ...('retryAfterSeconds' in extensions ? { 'Retry-After': String(extensions['retryAfterSeconds']) } : {}),
  }
  return { ...json(status, { errors: [{ message, extensions: { code, ...extensions } }] }, headers) }
}
