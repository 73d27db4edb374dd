import { isIP } from 'node:net'
import { normalizeEmail } from './domain/normalize.ts'
import type { Mailbox } from './ports/mailer.ts'

/** A whole number of a range, in decimal digits. @throws {Error} that says so */
export function integer(text: string, least: number, most: number): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < least || value > most) throw new Error(`must be a whole number from ${least} to ${most}`)
  return value
}

/** `true` or `false`. @throws {Error} */
export function boolean(text: string): boolean {
  return oneOf(text, ['true', 'false']) === 'true'
}

/** One of the choices. @throws {Error} that lists them */
export function oneOf<Choice extends string>(text: string, choices: readonly Choice[]): Choice {
  if (!(choices as readonly string[]).includes(text)) throw new Error(`must be one of ${choices.join(', ')}`)
  return text as Choice
}

/** Text of a length, not repeated in the error: it may be a secret. @throws {Error} */
export function atLeast(text: string, length: number): string {
  if (text.length < length) throw new Error(`must have at least ${length} characters`)
  return text
}

/** An http or https URL, without a slash at its end. @throws {Error} */
export function httpUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null
  if (!url || !/^https?:$/.test(url.protocol) || url.search || url.hash) throw new Error('must be an http or https URL without query')
  return url.href.replace(/\/+$/, '')
}

/** A claim's name that nobody else gives another meaning: an http or https URL (RFC 7519 §4.2), as it was written. @throws {Error} */
export function claimName(text: string): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol) || /\s/.test(text))
    throw new Error('must be an http or https URL such as https://example.com/user_metadata')
  return text
}

/** A PostgreSQL connection string, not repeated in the error: it may hold a password. @throws {Error} */
export function postgresUrl(text: string): string {
  if (!URL.canParse(text) || !/^postgres(ql)?:$/.test(new URL(text).protocol)) throw new Error('must be postgresql://...')
  return text
}

/** An SMTP server, `smtp://` or `smtps://`, with a name and password or without; not repeated in the error. @throws {Error} */
export function smtpUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null
  if (!url || !/^smtps?:$/.test(url.protocol) || url.hostname === '') throw new Error('must be smtp://... or smtps://...')
  if (!['', '/'].includes(url.pathname) || url.search || url.hash) throw new Error('must end after the host and port')
  if (url.username === '' && url.password !== '') throw new Error('has a password without a name')
  if (![url.username, url.password].every(isPercentEncoded)) throw new Error('has a % that encodes nothing: write it as %25')
  return text
}

function isPercentEncoded(text: string): boolean {
  try {
    return !/\p{Cc}/u.test(decodeURIComponent(text))
  } catch {
    return false
  }
}

/** Who mail comes from: `name <address>`, or an address. @throws {Error} */
export function mailbox(text: string): Mailbox {
  const [, name = '', address = ''] = /^([^<>]*)<([^<>]*)>$/.exec(text) ?? [text, '', text]
  const forms = normalizeEmail(address)
  if (forms === null || /\p{Cc}/u.test(name))
    throw new Error('must be an address, or a name and an address: Example <no-reply@example.com>')
  return { name: name.trim().replace(/^"(.*)"$/, '$1'), address: forms.email }
}

/** Text on one line, of 1 to so many characters. @throws {Error} */
export function oneLine(text: string, most: number): string {
  if (/[\p{Cc}\u2028\u2029]/u.test(text) || Array.from(text).length > most)
    throw new Error(`must be one line of at most ${most} characters`)
  return text.trim()
}

/** An origin as browsers send it. @throws {Error} */
export function origin(text: string): string {
  if (!URL.canParse(text) || new URL(text).origin !== text) throw new Error(`"${text}" is not an origin such as https://app.example.com`)
  return text
}

/**
 * A URL that browsers may be sent to: http, https, or an app's own scheme, which has a dot in it (RFC 8252 §7.1), without user name
 * and fragment. In the form that URLs are compared in. @throws {Error}
 */
export function redirectUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null
  const isGood = url !== null && /^(https?|[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+):$/.test(url.protocol) && !url.username && !url.password
  if (!isGood || text.includes('#')) throw new Error(`"${text}" is not a URL such as https://app.example.com/welcome`)
  return url.href
}

/** An IP address or a CIDR range. @throws {Error} */
export function addressRange(text: string): string {
  const [address = '', bits, ...rest] = text.split('/')
  const most = isIP(address) === 6 ? 128 : 32
  if (isIP(address) === 0 || rest.length > 0 || (bits !== undefined && !(/^\d+$/.test(bits) && Number(bits) <= most)))
    throw new Error(`"${text}" is not an address or CIDR range`)
  return text
}

/** What stands between commas, without the blanks around it. */
export function list(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}
