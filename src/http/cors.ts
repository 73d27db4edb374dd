import type { Config } from '../config.ts'
import type { Route } from './exchange.ts'

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

/** `OPTIONS`: what a browser asks before a page may call with these methods. */
export function createPreflightRoute({ corsOrigins }: Pick<Config, 'corsOrigins'>, methods: readonly string[]): Route {
  return ({ request }) => {
    const headers = corsHeaders(request.headers.origin, corsOrigins)
    const allowed = {
      'Access-Control-Allow-Methods': methods.join(', '),
      'Access-Control-Allow-Headers': 'Authorization, Content-Type, X-Request-Id',
      'Access-Control-Max-Age': String(maxAgeSeconds),
    }
    return { status: 204, headers: { Allow: methods.join(', '), ...headers, ...('Access-Control-Allow-Origin' in headers ? allowed : {}) } }
  }
}
