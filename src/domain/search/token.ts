import { searchError } from './search-error.ts'

/** A word or a phrase, as written and as meant: with the escapes taken away. */
export type Term = Readonly<{
  kind: 'term'
  text: string
  isPhrase: boolean
  /** Whether a `*` stands before or behind the text. A lone `*` stands before an empty one. */
  startsOpen: boolean
  endsOpen: boolean
  at: number
}>

/** Null: no bound on that side. */
export type Range = Readonly<{ kind: 'range'; from: Term | null; to: Term | null; withFrom: boolean; withTo: boolean; at: number }>

/** A field's name in its parts: a dot separates them unless it is escaped. */
export type Field = Readonly<{ kind: 'field'; name: string; parts: readonly string[]; at: number }>

/** What stands behind a field; `exists` asks whether there is a value at all. */
export type Value = Term | Range | Readonly<{ kind: 'exists'; at: number }>

export type Token = Term | Range | Field | Readonly<{ kind: 'and' | 'or' | 'not' | 'open' | 'close' | 'end'; at: number }>

/** A character that stands for itself: escaped, or none of the syntax. */
const letter = String.raw`(?:\\.|[^\s()"[\]{}\\])`
const phrase = String.raw`"(?:\\.|[^"\\])*"`

const patterns = {
  blank: /\s+/suy,
  phrase: new RegExp(phrase, 'suy'),
  range: new RegExp(String.raw`([[{])\s*(${phrase}|${letter}+)\s+TO\s+(${phrase}|${letter}+)\s*([\]}])`, 'suy'),
  field: /(?:\\.|[^\s()"[\]{}\\:])+:/suy,
  // Unlike a field, a value may have colons, as times do.
  word: new RegExp(`${letter}+`, 'suy'),
}

const operators: Readonly<Record<string, 'and' | 'or' | 'not'>> = { AND: 'and', '&&': 'and', OR: 'or', '||': 'or', NOT: 'not' }

/**
 * Takes a search apart, in one pass.
 * @throws {RequestError} BAD_USER_INPUT
 */
export function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = []
  for (let at = 0; at < text.length; ) {
    const blank = match('blank', text, at)
    if (blank) at += blank[0].length
    else {
      const [token, length] = readToken(text, at, tokens.at(-1))
      tokens.push(token)
      at += length
    }
  }
  return [...tokens, { kind: 'end', at: text.length }]
}

function readToken(text: string, at: number, before: Token | undefined): [Token, number] {
  const character = text[at]
  const isValue = before?.kind === 'field'
  if (character === '(') return [{ kind: 'open', at }, 1]
  if (character === ')') return [{ kind: 'close', at }, 1]
  if (character === '"') return readPhrase(text, at)
  if (character === '[' || character === '{') return readRange(text, at)
  if (!isValue && (character === '-' || character === '!')) return [{ kind: 'not', at }, 1]
  const field = isValue ? null : match('field', text, at)
  if (field) return [readField(field[0].slice(0, -1), at), field[0].length]
  const name = before?.kind === 'field' && before.name === '_exists_' ? match('word', text, at) : null
  return name ? [readField(name[0], at), name[0].length] : readWord(text, at, isValue)
}

function readPhrase(text: string, at: number): [Token, number] {
  const [found] = match('phrase', text, at) ?? []
  if (found === undefined) throw searchError(at, 'the quotation mark is not closed')
  return [termOf(found, at), found.length]
}

function readRange(text: string, at: number): [Token, number] {
  const [found, open, from = '', to = '', close] = match('range', text, at) ?? []
  if (found === undefined) throw searchError(at, 'expected a range such as [2026-01-01 TO 2026-01-31], {10 TO 20} or [10 TO *]')
  const bound = (written: string) => (written === '*' ? null : boundOf(written, at + found.indexOf(written, 1)))
  return [{ kind: 'range', from: bound(from), to: bound(to), withFrom: open === '[', withTo: close === ']', at }, found.length]
}

function readField(written: string, at: number): Field {
  const parts = Array.from(written.matchAll(/(?:^|\.)((?:\\.|[^\\.])*)/gsu), ([, part = '']) => unescaped(part))
  return { kind: 'field', name: unescaped(written), parts, at }
}

function readWord(text: string, at: number, isValue: boolean): [Token, number] {
  const [found] = match('word', text, at) ?? []
  if (found === undefined)
    throw searchError(
      at,
      text[at] === '\\' ? 'nothing follows the backslash' : `"${text[at]}" is not expected here; escape it with a backslash if it is meant`,
    )
  const operator = isValue ? undefined : operators[found]
  if (operator) return [{ kind: operator, at }, found.length]
  if (!isValue && found.startsWith('+'))
    throw searchError(at, 'terms that must all be found are joined with AND; a plus sign is written \\+')
  return [termOf(found, at), found.length]
}

function boundOf(written: string, at: number): Term {
  const term = termOf(written, at)
  if (term.startsOpen || term.endsOpen) throw searchError(at, 'the bound of a range is a value, or * alone')
  return term
}

function termOf(written: string, at: number): Term {
  if (written.startsWith('"'))
    return { kind: 'term', text: unescaped(written.slice(1, -1)), isPhrase: true, startsOpen: false, endsOpen: false, at }
  const [, before = '', middle = '', after = ''] = /^(\*?)((?:\\.|[^\\])*?)(\*?)$/su.exec(written) ?? []
  if (/^(?:\\.|[^\\*?])*$/su.test(middle))
    return { kind: 'term', text: unescaped(middle), isPhrase: false, startsOpen: before !== '', endsOpen: after !== '', at }
  throw searchError(at, 'a * is only understood at the end of a term or at both ends, and ? is not; a literal one is written \\* or \\?')
}

function unescaped(written: string): string {
  return written.replaceAll(/\\(.)/gsu, '$1')
}

function match(name: keyof typeof patterns, text: string, at: number): RegExpExecArray | null {
  const pattern = patterns[name]
  pattern.lastIndex = at
  return pattern.exec(text)
}
