import { DomainError } from './errors.ts'

/** The path of the input that says where the browser goes afterwards. */
const path = ['input', 'redirectTo'] as const

/**
 * The URL as it is kept, when browsers may be sent to it; null for none.
 * @throws {DomainError} REDIRECT_NOT_ALLOWED
 */
export function parseRedirect(text: string | null | undefined, allowed: readonly string[]): string | null {
  if (text === null || text === undefined) return null
  const url = allowedRedirect(text, allowed)
  if (url === null) throw new DomainError('REDIRECT_NOT_ALLOWED', 'Browsers may not be sent to this URL from here.', path, {})
  return url
}

/**
 * The URL in its parsed form, when it is one of the allowed ones, as a whole (RFC 9700 §4.1.3). Only the port of a loopback address
 * may be another one: apps on a desktop listen on whichever is free (RFC 8252 §7.3). Null when it is not allowed.
 */
export function allowedRedirect(text: string, allowed: readonly string[]): string | null {
  if (text.length > 2048 || text.includes('#') || !URL.canParse(text)) return null
  const url = new URL(text)
  return allowed.some((one) => one === url.href || withoutLoopbackPort(new URL(one)) === withoutLoopbackPort(url)) ? url.href : null
}

function withoutLoopbackPort(url: URL): string {
  if (url.protocol !== 'http:' || !['127.0.0.1', '[::1]'].includes(url.hostname)) return url.href
  const copy = new URL(url)
  copy.port = ''
  return copy.href
}
