import { RequestError } from './errors.ts'
import { isExactNumber } from './exact-number.ts'

/** How deeply objects and arrays may nest. */
const maxDepth = 64

/**
 * Reads a request's JSON (RFC 8259) so that no two readers can understand it differently and nothing of it changes on the way:
 * strict UTF-8 without a byte order mark, no duplicate keys, no `__proto__`, no number that JavaScript would change (`-0`, too large,
 * too precise), no NUL and no lone surrogate in text, at most 64 levels.
 *
 * @throws {RequestError} BAD_USER_INPUT that names the path, and never a value
 */
export function parseJson(body: Uint8Array): unknown {
  return parseJsonText(decode(body))
}

/** The same for what is text already. @throws {RequestError} BAD_USER_INPUT */
export function parseJsonText(text: string): unknown {
  const value = parse(text)
  if (!isPlainlyFaithful(text, value)) assertFaithful(text)
  return value
}

function decode(body: Uint8Array): string {
  try {
    // `ignoreBOM` keeps a byte order mark in the text, where JSON does not allow it.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body)
  } catch {
    throw new RequestError('BAD_USER_INPUT', 'The body is not UTF-8.')
  }
}

/** The parser's own message is dropped: it quotes the text around the mistake. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new RequestError('BAD_USER_INPUT', 'The body is not JSON.')
  }
}

/**
 * Whether a look at what stands between the texts is enough, as it mostly is: in what was parsed, a key that is there twice is missing.
 * Otherwise something may be wrong, and `assertFaithful` says what and where.
 */
function isPlainlyFaithful(text: string, value: unknown): boolean {
  if (text.includes('\\') || text.includes('__proto__') || !text.isWellFormed()) return false
  let [keys, depth, deepest] = [0, 0, 0]
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === quote) at = text.indexOf('"', at + 1)
    else if (code === colon) keys++
    else if (code === openBrace || code === openBracket) deepest = Math.max(deepest, ++depth)
    else if (code === closeBrace || code === closeBracket) depth--
    else if (isOfNumber(code)) {
      const end = endOfNumber(text, at)
      if (!isExactNumber(text.slice(at, end))) return false
      at = end - 1
    }
  }
  return deepest <= maxDepth && keys === countKeys(value)
}

const [quote, colon, openBracket, closeBracket, openBrace, closeBrace] = [0x22, 0x3a, 0x5b, 0x5d, 0x7b, 0x7d]

function countKeys(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  let count = Array.isArray(value) ? 0 : Object.keys(value).length
  for (const inner of Object.values(value)) count += countKeys(inner)
  return count
}

/** An object or array that is open at a point of the text: where it is inside, and which keys it has had. */
type Level = { keys: Set<string> | null; at: string | number; isKeyNext: boolean }

/** Goes over the tokens of JSON text that is known to be valid, by hand: an import reads a million records. */
function assertFaithful(text: string): void {
  const levels: Level[] = []
  const isPlain = !text.includes('\\') && text.isWellFormed()
  for (let at = 0; at < text.length; at++) {
    const level = levels.at(-1)
    const character = text[at]
    if (character === '"') {
      const end = endOfString(text, at)
      if (level?.isKeyNext || !isPlain) readString(text.slice(at, end), level?.isKeyNext ? level : undefined, levels)
      if (level) level.isKeyNext = false
      at = end - 1
    } else if (character === '{') open(levels, { keys: new Set(), at: '', isKeyNext: true })
    else if (character === '[') open(levels, { keys: null, at: 0, isKeyNext: false })
    else if (character === ',') {
      if (typeof level?.at === 'number') level.at += 1
      else if (level) level.isKeyNext = true
    } else if (character === '}' || character === ']') levels.pop()
    else if (isOfNumber(text.charCodeAt(at))) {
      const end = endOfNumber(text, at)
      if (!isExactNumber(text.slice(at, end))) throw refusal(levels, 'A number cannot be carried exactly; send it as a string')
      at = end - 1
    }
  }
}

/** Where the string that begins here has ended. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end + 1
}

/** Whether the backslashes before a quote leave one over for it. */
function isEscaped(text: string, quote: number): boolean {
  let first = quote
  while (text[first - 1] === '\\') first--
  return (quote - first) % 2 === 1
}

function endOfNumber(text: string, start: number): number {
  let end = start + 1
  while (isOfNumber(text.charCodeAt(end)) || 'eE+.'.includes(text[end] ?? ' ')) end++
  return end
}

/** A digit, or a minus sign. */
function isOfNumber(code: number): boolean {
  return (code >= 48 && code <= 57) || code === 45
}

function readString(token: string, keyOf: Level | undefined, levels: readonly Level[]): void {
  const value = token.includes('\\') ? (JSON.parse(token) as string) : token.slice(1, -1)
  if (value.includes('\0') || !value.isWellFormed()) throw refusal(levels, 'Text must not hold NUL or a lone surrogate')
  if (!keyOf?.keys) return
  keyOf.at = value
  if (value === '__proto__') throw refusal(levels, 'A key must not be __proto__')
  if (keyOf.keys.has(value)) throw refusal(levels, 'A key is there twice')
  keyOf.keys.add(value)
}

function open(levels: Level[], level: Level): void {
  if (levels.length === maxDepth) throw refusal(levels, `JSON may nest ${maxDepth} levels deep at most`)
  levels.push(level)
}

function refusal(levels: readonly Level[], problem: string): RequestError {
  const path = levels.map(({ at }) => segment(at)).join('.')
  return new RequestError('BAD_USER_INPUT', path === '' ? `${problem}.` : `${problem}, at ${path}.`, { path })
}

/** Keys that are no plain names are not repeated: they may be long, or what was pasted by mistake. */
function segment(at: string | number): string {
  return /^[\w$-]{1,64}$/.test(String(at)) ? String(at) : '?'
}
