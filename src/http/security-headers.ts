import type { Config } from '../config.ts'

/** A year, as the preload lists ask for. */
const hstsSeconds = 31_536_000

/**
 * The headers of every answer (OWASP ASVS 5.0 V3.4, V14.3.2): nothing is stored, sniffed, framed or run. A route that needs
 * another value says so itself.
 */
export function securityHeaders({ mode, publicUrl }: Config): Readonly<Record<string, string>> {
  const isHttps = publicUrl?.startsWith('https:') ?? false
  return {
    'Cache-Control': 'no-store',
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    ...(mode === 'production' && isHttps ? { 'Strict-Transport-Security': `max-age=${hstsSeconds}` } : {}),
  }
}
