import { domainToASCII } from 'node:url'

/** An address or name in the two forms that are kept. */
export type EmailForms = Readonly<{
  /** For display and sending: as typed, but trimmed and in Unicode's NFKC form, so that mail goes to the address that is compared. */
  email: string
  /** For comparing: case folded, with the domain in ASCII. */
  normal: string
}>

/** A username in the two forms that are kept. */
export type UsernameForms = Readonly<{
  /** For display: as typed, but trimmed and in Unicode's NFKC form. */
  username: string
  /** For comparing: case folded. */
  normal: string
}>

/** Of 4 bytes at most, in UTF-8: a row of a B-tree index holds about 2,700. */
const foldedCharacters = 256

/** Whether PostgreSQL keeps the text as it is: it has no NUL, and turns half of a surrogate pair into U+FFFD. */
export function isStorableText(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed()
}

/**
 * Folds text for comparing without regard to case and Unicode form: NFKC, lower case, a final sigma like any other. It is done
 * here and never by the database, whose `lower()` depends on the locale of its cluster. A dotless `ı` and a `ß` stay what
 * they are: folding them to `i` and `ss` would make different mailboxes one.
 */
export function foldCase(text: string): string {
  if (isAscii(text)) return text.toLowerCase()
  return text.normalize('NFKC').toLowerCase().replaceAll('ς', 'σ').normalize('NFKC')
}

/** What has one Unicode form only. */
function isAscii(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text)
}

/** The form of a name that is compared, sorted and indexed: folded, and cut after 256 characters. */
export function foldText(name: string): string {
  const folded = foldCase(name)
  return folded.length <= foldedCharacters ? folded : Array.from(folded).slice(0, foldedCharacters).join('')
}

/**
 * Parses an e-mail address: RFC 5321's dot-string with RFC 6531's Unicode, without quoted local parts, address literals,
 * comments, blanks and characters nobody sees. At most 254 octets, 64 of them before the `@`. Null when it is none.
 */
export function normalizeEmail(text: string): EmailForms | null {
  const usual = text.length <= 254 ? usualEmail.exec(text) : null
  if (usual !== null) return { email: text, normal: `${usual[1]?.toLowerCase()}@${usual[2]}` }
  if (text.length > 1000 || !isStorableText(text)) return null
  const parts = text.trim().normalize('NFKC').split('@')
  const [local = '', domain = ''] = parts
  if (parts.length !== 2 || !localPart.test(local)) return null
  const shown = domain.replaceAll('\u3002', '.')
  const ascii = normalizeDomain(shown)
  if (ascii === null) return null
  const forms = { email: `${local}@${shown}`, normal: `${foldCase(local)}@${ascii}` }
  const fits = [local, foldCase(local)].every((part) => octets(part) <= 64) && [forms.email, forms.normal].every((it) => octets(it) <= 254)
  return fits ? forms : null
}

/**
 * Parses a phone number into its E.164 form, such as `+4915112345678`: a plus sign and 7 to 15 digits, blanks, dots, dashes and
 * parentheses left out. Null when it is none, or holds a trunk prefix as in `+49 (0) 151`, which is no part of the number.
 */
export function normalizePhoneNumber(text: string): string | null {
  if (text.length > 100 || /\(\s*0\s*\)/.test(text.normalize('NFKC'))) return null
  const digits = foldPhoneNumber(text)
  return /^\+[1-9]\d{6,14}$/.test(digits) ? digits : null
}

/** A part of a phone number as the E.164 form has it: without what people put between the digits. */
export function foldPhoneNumber(text: string): string {
  return text.normalize('NFKC').replace(/[\s.()\p{Pd}]/gu, '')
}

/**
 * Parses a username: 1 to 64 characters, without blanks, characters nobody sees and `@`, and not beginning with `+`, so that it
 * can be mistaken for neither an e-mail address nor a phone number. Null when it is none.
 */
export function normalizeUsername(text: string): UsernameForms | null {
  if (text.length > 1000 || !isStorableText(text)) return null
  const username = text.trim().normalize('NFKC')
  const normal = foldCase(username)
  if (username.startsWith('+') || !/^[^@\s\p{C}\p{Z}]+$/u.test(username)) return null
  return [username, normal].every((form) => hasAtMost(form, 64)) ? { username, normal } : null
}

/** Parses an external id: 1 to 255 characters, kept exactly. Null when it is none. */
export function normalizeExternalId(text: string): string | null {
  return text !== '' && hasAtMost(text, 255) && isStorableText(text) ? text : null
}

/** Whether the text is a UUID in its usual form, of any version and case. */
export function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)
}

/** Neither RFC 5322's specials nor blanks nor what is invisible. */
const localPart = /^[^\s\p{C}\p{Z}"(),:;<>[\\\]]+$/u

/** Most addresses: in ASCII, with nothing in the domain that would have to be folded or decoded. All that is said of others holds of them. */
const usualEmail = /^([\w.%+'-]{1,64})@(?!.*xn--)((?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{1,63})$/

/** `domainToASCII` decodes percent signs and cuts at slashes as browsers do, so only letters, digits, marks, dots and dashes reach it. */
function normalizeDomain(domain: string): string | null {
  if (!/^[\p{L}\p{M}\p{N}.-]+$/u.test(domain)) return null
  const labels = domainToASCII(domain).split('.')
  const areLabels = labels.every((label) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label))
  return areLabels && !/^\d+$/.test(labels.at(-1) ?? '') ? labels.join('.') : null
}

/** In code points, of which one may be two UTF-16 units. */
function hasAtMost(text: string, characters: number): boolean {
  return text.length <= characters || (text.length <= 2 * characters && Array.from(text).length <= characters)
}

function octets(text: string): number {
  return Buffer.byteLength(text)
}
