import type { Config } from '../config.ts'

const maxAgeSeconds = 600

const loopback = /^http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/

/**
 * The CORS headers of an answer: the origin itself when it is allowed, nothing otherwise. Never a wildcard, never credentials,
 * and `null`, which any sandboxed page can send, is not an origin that can be allowed.
 */
export function corsHeaders(origin: string | undefined, allowed: Config['corsOrigins']): Record<string, string> {
  if (allowed.length === 0) return {}
  if (origin === undefined || !(allowed === 'loopback' ? loopback.test(origin) : allowed.includes(origin))) return { Vary: 'Origin' }
  return {
    Vary: 'Origin',
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Expose-Headers': 'Retry-After, WWW-Authenticate, X-Request-Id',
  }
}

/** What a preflight asks for beside the origin. */
export const preflightHeaders: Readonly<Record<string, string>> = {
  'Access-Control-Allow-Methods': 'POST',
  'Access-Control-Allow-Headers': 'Authorization, Content-Type, X-Request-Id',
  'Access-Control-Max-Age': String(maxAgeSeconds),
}
