import type { UserFilter } from '../user-filter.ts'
import { isArrayIndex } from './json-pointer.ts'

/**
 * What reading users costs, in the units of an operation's complexity: about 25 µs on PGlite, of a page and a count together,
 * over 100,000 users. PGlite cannot cut a statement short, so what is let in must be little enough by itself.
 */
export const readingPrices = { page: 150, count: 1700 } as const

/** `found`: when an index looks up the rows; `held`: when the condition is held against every user. Equal: no index serves it. */
type Price = Readonly<{ found: number; held: number }>

const scan = (held: number): Price => ({ found: held, held })
const nothing = scan(0)

/** The price of a filter as `compileUserFilter` would run it. It bounds nothing else: what is not well-formed costs little, and is refused there. */
export function filterPrice(filter: UserFilter): number {
  return priceOf(filter).found
}

function priceOf(filter: UserFilter): Price {
  const { and, or, not, ...members } = filter
  const own = Object.entries(members).flatMap(([name, value]) => (isGiven(value) ? memberPrices(name, value) : []))
  const inner = [...items(and).map(priceOf), ...(isGiven(or) ? [anyOf(items(or).map(priceOf))] : [])]
  return allOf([...own, ...inner, ...(isGiven(not) ? [scan(priceOf(not as UserFilter).held)] : [])])
}

/** One index looks up the rows, and everything else is held against what it finds, which may be all of them. */
function allOf(prices: readonly Price[]): Price {
  const held = sum(prices.map((price) => price.held))
  return { found: held - Math.max(0, ...prices.map((price) => price.held - price.found)), held }
}

/** Indexes look up the rows if each alternative has one; a single one without means that all are held against every user. */
function anyOf(prices: readonly Price[]): Price {
  const held = sum(prices.map((price) => price.held))
  const isScan = prices.some((price) => price.found === price.held && price.held > 0)
  return { found: isScan ? held : sum(prices.map((price) => price.found)), held }
}

function memberPrices(name: string, value: unknown): Price[] {
  if (name.endsWith('Metadata')) return items(value).map((filter) => metadataPrice(filter as Record<string, unknown>))
  if (name === 'status') return items(value).map(() => scan(200))
  if (name === 'hasPassword') return [scan(1800)]
  if (name === 'identity') return [identityPrice(value as Record<string, Record<string, unknown> | null>)]
  if (typeof value !== 'object' || value instanceof Date) return [scan(100)]
  return Object.entries(value as object).map(([operator, operand]) => (isGiven(operand) ? scalarPrice(operator, operand) : nothing))
}

function scalarPrice(operator: string, operand: unknown): Price {
  if (operator === 'eq' || operator === 'in') return { found: items(operand).length, held: 200 + items(operand).length }
  if (operator === 'startsWith') return { found: 50, held: 300 }
  // A trigram has three characters.
  if (operator === 'contains') return String(operand).length < 3 ? scan(1000) : { found: 600, held: 1000 }
  return operator === 'exists' ? scan(200) : { found: 150, held: 200 }
}

/** Each user's identities are looked up, unless the provider's id says which identity is meant. */
function identityPrice({ providerUserId }: Record<string, Record<string, unknown> | null>): Price {
  const named = items(providerUserId?.['eq'] ?? providerUserId?.['in'] ?? []).length
  return named === 0 ? scan(4300) : { found: named, held: 1500 + named }
}

function metadataPrice({ path, ...operators }: Record<string, unknown>): Price {
  const isIndexed = path !== '' && String(path).split('/').filter(isArrayIndex).length <= 2
  return allOf(
    Object.entries(operators).map(([operator, operand]) => {
      if (!isGiven(operand)) return nothing
      const held = 1800 * (operator === 'in' ? items(operand).length : 1)
      return isIndexed && ['eq', 'in', 'contains'].includes(operator) ? { found: held / 30, held } : scan(held)
    }),
  )
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null
}

function items(value: unknown): readonly UserFilter[] {
  return Array.isArray(value) ? value.filter(isGiven) : isGiven(value) ? [value as UserFilter] : []
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
