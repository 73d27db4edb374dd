import { isStorableText } from './normalize.ts'
import { fieldFilter } from './search/field.ts'
import { searchError } from './search/search-error.ts'
import { type Field, type Term, type Token, tokenize } from './search/token.ts'
import { isAnything } from './search/value.ts'
import { checkFilter } from './user-filter/filter-limits.ts'
import type { StringFilter, UserFilter } from './user-filter.ts'

/** The most a search may be made of: enough for what people write, and little enough for a planner. */
export const searchLimits = { characters: 1000, terms: 30, levels: 8 } as const

/**
 * Parses a search in the subset of Lucene's query syntax that Auth0 documents into the filter it stands for.
 *
 * - `field:value`, `field:"a phrase"`, `field:begins*`, `field:*part*`, `field:[1 TO 5]` with both bounds and `field:{1 TO 5}` without,
 *   `*` for an open bound, `_exists_:field`, `field:(a OR b)`, and a backslash before what is meant literally.
 * - A term without a field is looked for in e-mails, names and usernames.
 * - NOT (also `-` or `!`) binds before AND (`&&`), AND before OR (`||`). Terms side by side are alternatives, and a NOT beside them
 *   excludes, as in Lucene: `a b NOT c` is `(a OR b) AND NOT c`. Operators are written in capitals.
 * - Nothing but blanks: everybody.
 *
 * @throws {RequestError} BAD_USER_INPUT with the position
 */
export function parseSearch(search: string): UserFilter {
  if (search.length > searchLimits.characters)
    throw searchError(searchLimits.characters, `a search has at most ${searchLimits.characters} characters`)
  if (!isStorableText(search)) throw searchError(0, 'a search must not hold NUL or half of a surrogate pair')
  const tokens = tokenize(search)
  const surplus = tokens.filter(({ kind }) => kind === 'term' || kind === 'range')[searchLimits.terms]
  if (surplus) throw searchError(surplus.at, `a search has at most ${searchLimits.terms} terms`)
  const reader = readerOf(tokens)
  if (reader.peek().kind === 'end') return {}
  const filter = readAlternatives(reader, null, 1)
  if (reader.peek().kind !== 'end') throw searchError(reader.peek().at, 'this parenthesis closes nothing')
  // A term may stand for many conditions; how deep they are nested is bounded already.
  checkFilter(filter, 'search', Number.POSITIVE_INFINITY)
  return filter
}

type Reader = Readonly<{ peek: () => Token; next: () => Token; skip: (kind: Token['kind']) => boolean }>
/** A clause, and whether it is one that is only negated. */
type Clause = Readonly<{ filter: UserFilter; isNegated: boolean }>

function readerOf(tokens: readonly Token[]): Reader {
  let index = 0
  const peek = () => tokens[index] as Token
  const next = () => tokens[index++] as Token
  return { peek, next, skip: (kind) => peek().kind === kind && next().kind === kind }
}

/** Clauses up to the parenthesis that closes them. Those that are only negated, and not joined by OR, narrow what the others find. */
function readAlternatives(reader: Reader, field: Field | null, level: number): UserFilter {
  const alternatives: UserFilter[] = []
  const exclusions: UserFilter[] = []
  for (let afterOr = false; ; ) {
    const { filter, isNegated } = readConjunction(reader, field, level)
    const beforeOr = reader.skip('or')
    if (isNegated && !afterOr && !beforeOr) exclusions.push(filter)
    else alternatives.push(filter)
    const { kind } = reader.peek()
    if (!beforeOr && (kind === 'end' || kind === 'close')) break
    afterOr = beforeOr
  }
  const found = alternatives.length === 0 ? [] : [joined('or', alternatives)]
  return joined('and', [...found, ...exclusions])
}

function readConjunction(reader: Reader, field: Field | null, level: number): Clause {
  const first = readClause(reader, field, level)
  if (!reader.skip('and')) return first
  const filters = [first.filter]
  do filters.push(readClause(reader, field, level).filter)
  while (reader.skip('and'))
  return { filter: joined('and', filters), isNegated: false }
}

function readClause(reader: Reader, field: Field | null, level: number): Clause {
  const token = reader.next()
  if (level > searchLimits.levels) throw searchError(token.at, `a search is at most ${searchLimits.levels} levels deep`)
  if (token.kind === 'not') return { filter: { not: readClause(reader, field, level + 1).filter }, isNegated: true }
  if (token.kind === 'open') return { filter: readGroup(reader, field, level, token.at), isNegated: false }
  if (token.kind === 'term') return { filter: field ? fieldFilter(field, token) : anywhere(token), isNegated: false }
  if (token.kind === 'range' && field) return { filter: fieldFilter(field, token), isNegated: false }
  if (token.kind === 'field' && !field) return { filter: readField(reader, token, level), isNegated: false }
  throw searchError(token.at, expected(token, field))
}

function readGroup(reader: Reader, field: Field | null, level: number, at: number): UserFilter {
  const filter = readAlternatives(reader, field, level + 1)
  if (!reader.skip('close')) throw searchError(at, 'this parenthesis is not closed')
  return filter
}

function readField(reader: Reader, field: Field, level: number): UserFilter {
  const token = reader.next()
  const asksExistence = field.name === '_exists_'
  if (asksExistence && token.kind === 'field') return fieldFilter(token, { kind: 'exists', at: token.at })
  if (!asksExistence && token.kind === 'open') return readGroup(reader, field, level, token.at)
  if (!asksExistence && (token.kind === 'term' || token.kind === 'range')) return fieldFilter(field, token)
  throw searchError(token.at, asksExistence ? 'expected the name of a field' : `expected a value for "${field.name}"`)
}

function anywhere(term: Term): UserFilter {
  if (isAnything(term)) return {}
  if (term.startsOpen && !term.endsOpen) throw searchError(term.at, 'a * at the start of a term needs one at its end')
  const text: StringFilter = term.endsOpen && !term.startsOpen ? { startsWith: term.text } : { contains: term.text }
  return { or: [{ email: text }, { name: text }, { username: text }] }
}

function joined(operator: 'and' | 'or', filters: readonly UserFilter[]): UserFilter {
  const [first = {}] = filters
  return filters.length < 2 ? first : { [operator]: filters }
}

function expected(token: Token, field: Field | null): string {
  if (token.kind === 'end') return 'expected a term, but the search ends here'
  if (token.kind === 'range') return 'a range needs a field, as in created_at:[2026-01-01 TO *]'
  if (token.kind === 'field' && field) return `the values of "${field.name}" have no field of their own`
  return `expected a term, not ${token.kind === 'close' ? 'a closing parenthesis' : token.kind.toUpperCase()}`
}
