import type { LinkSettings } from './authentication.ts'
import { DomainError } from './errors.ts'

/** The URLs that browsers may be sent to; in development, those of this machine. */
export type AllowedRedirects = LinkSettings['allowedRedirects']

/** The path of the input that says where the browser goes afterwards. */
const path = ['input', 'redirectTo'] as const

/**
 * The URL as it is kept, when browsers may be sent to it; null for none.
 * @throws {DomainError} REDIRECT_NOT_ALLOWED
 */
export function parseRedirect(text: string | null | undefined, allowed: AllowedRedirects): string | null {
  if (text === null || text === undefined) return null
  const url = allowedRedirect(text, allowed)
  if (url === null) throw redirectNotAllowed()
  return url
}

/** Says that the operator has to allow the URL first. */
export function redirectNotAllowed(): DomainError<'REDIRECT_NOT_ALLOWED'> {
  return new DomainError('REDIRECT_NOT_ALLOWED', 'Browsers may not be sent to this URL from here.', path, {})
}

/**
 * The URL in its parsed form, when it is one of the allowed ones, as a whole (RFC 9700 §4.1.3). Only the port of a loopback address
 * may be another one: apps on a desktop listen on whichever is free (RFC 8252 §7.3). Null when it is not allowed.
 */
export function allowedRedirect(text: string, allowed: AllowedRedirects): string | null {
  if (text.length > 2048 || text.includes('#') || !URL.canParse(text)) return null
  const url = new URL(text)
  if (allowed === 'loopback') return isLoopback(url) ? url.href : null
  return allowed.some((one) => one === url.href || withoutLoopbackPort(new URL(one)) === withoutLoopbackPort(url)) ? url.href : null
}

function isLoopback({ protocol, hostname, username, password }: URL): boolean {
  return protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(hostname) && username === '' && password === ''
}

function withoutLoopbackPort(url: URL): string {
  if (url.protocol !== 'http:' || !['127.0.0.1', '[::1]'].includes(url.hostname)) return url.href
  const copy = new URL(url)
  copy.port = ''
  return copy.href
}
