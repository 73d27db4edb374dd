import { isExactNumber } from '../exact-number.ts'
import type { MetadataFilter, UserFilter } from '../user-filter.ts'
import { searchError } from './search-error.ts'
import type { Field, Range, Term, Value } from './token.ts'
import { isAnything, plainTerm } from './value.ts'

type Bag = 'userMetadata' | 'appMetadata'

/** As deep as metadata is. */
const mostKeys = 8

/**
 * A term finds the value, a list that has it, and a list of objects one of which has it further down: lists are not named in
 * the path, as with Auth0. Outside of quotation marks `5` and `true` are also the number and the boolean.
 */
export function metadataFilter(bag: Bag, { parts: [, ...keys], at }: Field, value: Value): UserFilter {
  if (keys.length === 0 || keys.length > mostKeys || keys.includes(''))
    throw searchError(at, `expected a path of 1 to ${mostKeys} keys, as in ${bag}.address.city`)
  const holds = (filter: Omit<MetadataFilter, 'path'>, path = pointer(keys)): UserFilter => ({ [bag]: [{ path, ...filter }] })
  if (value.kind === 'exists' || isAnything(value)) return holds({ exists: true })
  if (value.kind === 'range') return rangeFilter(value, holds)
  const found = candidates(plainTerm(value)).flatMap((candidate) =>
    keys.map((_, index) => {
      const [named, below] = [keys.slice(0, index + 1), keys.slice(index + 1)]
      return holds({ contains: below.length === 0 ? candidate : [nested(below, candidate)] }, pointer(named))
    }),
  )
  return found.length === 1 ? (found[0] ?? {}) : { or: found }
}

/** Numbers when all bounds are, and otherwise texts. */
function rangeFilter({ from, to, withFrom, withTo }: Range, holds: (filter: Omit<MetadataFilter, 'path'>) => UserFilter): UserFilter {
  const isNumeric = [from, to].every((bound) => bound === null || (!bound.isPhrase && isNumber(bound.text)))
  const bound = ({ text }: Term) => (isNumeric ? Number(text) : text)
  const side = (filter: Omit<MetadataFilter, 'path'>, eq: unknown, withBound: boolean) =>
    withBound ? { or: [holds(filter), holds({ eq })] } : holds(filter)
  return {
    and: [...(from ? [side({ gt: bound(from) }, bound(from), withFrom)] : []), ...(to ? [side({ lt: bound(to) }, bound(to), withTo)] : [])],
  }
}

function candidates({ text, isPhrase }: Term): readonly unknown[] {
  if (isPhrase) return [text]
  if (isNumber(text)) return [text, Number(text)]
  return text === 'true' || text === 'false' ? [text, text === 'true'] : [text]
}

/** A number as JSON writes it, and one that stays what it is. */
function isNumber(text: string): boolean {
  return /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text) && isExactNumber(text)
}

function pointer(keys: readonly string[]): string {
  return keys.map((key) => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

function nested(keys: readonly string[], value: unknown): unknown {
  return keys.reduceRight((inner, key) => ({ [key]: inner }), value)
}
