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
  assertFaithful(text)
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

/** An object or array that is open at a point of the text: where it is inside, and which keys it has had. */
type Level = { keys: Set<string> | null; at: string | number }

/** Tokens of JSON text known to be valid: a string with the colon that makes it a key, a number, or a punctuator. */
const tokens = /("[^"\\]*(?:\\.[^"\\]*)*")(\s*:)?|(-?\d[\d.eE+-]*)|[{}[\],]/g

function assertFaithful(text: string): void {
  const levels: Level[] = []
  for (const [token, string, colon, number] of text.matchAll(tokens)) {
    const level = levels.at(-1)
    if (string !== undefined) readString(string, colon !== undefined ? level : undefined, levels)
    else if (number !== undefined) {
      if (!isExactNumber(number)) throw refusal(levels, 'A number cannot be carried exactly; send it as a string')
    } else if (token === '{') open(levels, { keys: new Set(), at: '' })
    else if (token === '[') open(levels, { keys: null, at: 0 })
    else if (token === ',') {
      if (typeof level?.at === 'number') level.at += 1
    } else levels.pop()
  }
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
