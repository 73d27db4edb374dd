import { RequestError } from '../errors.ts'
import { isStorableText } from '../normalize.ts'
import { parsePointer } from './json-pointer.ts'

/**
 * The most a filter may ask for: enough for what people build, and little enough to hold against every user. What no index
 * answers of metadata counts as several conditions.
 */
export const filterLimits = { conditions: 100, scanWeight: 5, levels: 8, values: 100, ids: 1000, characters: 1000, jsonLevels: 8 } as const

/** Years that PostgreSQL and ISO 8601 write alike. */
const firstYear = 1
const lastYear = 9999

type Members = Readonly<Record<string, unknown>>

/**
 * Refuses a filter that is too large, or holds what the database cannot compare with: null, NUL, half of a surrogate pair, a time
 * that is none. Messages name the member from `path` down, as `where.and.0.email.contains`, and repeat no value.
 * @throws {RequestError} BAD_USER_INPUT
 */
export function checkFilter(filter: object, path: string, levels: number = filterLimits.levels): void {
  const { conditions } = filterLimits
  const count = countNode(filter as Members, path, levels)
  if (count > conditions) refuse(path, `asks for too much at once: it counts as ${count} conditions, and at most ${conditions} are allowed`)
}

/** Answers how many conditions there are. Each value of metadata is one; an empty filter inside of another counts as one. */
function countNode(filter: Members, path: string, levels: number): number {
  if (levels === 0) refuse(path, `is nested more than ${filterLimits.levels} levels deep`)
  const counts = members(filter, path).map(([name, value, at]) => {
    const each = (count: (one: Members, path: string) => number) =>
      sum(list(value, at, filterLimits.values).map((one, index) => count(one as Members, `${at}.${index}`)))
    if (name === 'not') return countNode(value as Members, at, levels - 1)
    if (name === 'and' || name === 'or') return each((one, path) => countNode(one, path, levels - 1))
    if (name.endsWith('Metadata')) return each(countMetadata)
    return countMember(value, at, name === 'id' ? filterLimits.ids : filterLimits.values)
  })
  return Math.max(sum(counts), 1)
}

function countMember(value: unknown, path: string, mostValues: number): number {
  if (Array.isArray(value)) {
    for (const [index, one] of list(value, path, mostValues).entries()) checkScalar(one, `${path}.${index}`)
    return 1
  }
  if (typeof value === 'object' && value !== null && !(value instanceof Date))
    return sum(members(value as Members, path).map(([, inner, at]) => countMember(inner, at, mostValues)))
  checkScalar(value, path)
  return 1
}

function countMetadata(filter: Members, path: string): number {
  const counts = members(filter, path).map(([name, value, at]) => {
    if (name === 'path') return checkPath(value, at)
    if (name === 'gt' || name === 'lt') return checkBound(value, at)
    if (name === 'exists') return filterLimits.scanWeight
    const values = name === 'in' ? list(value, at, filterLimits.values) : [value]
    for (const [index, one] of values.entries()) checkJson(one, name === 'in' ? `${at}.${index}` : at, 1)
    return values.length
  })
  return Math.max(sum(counts), 1)
}

/** What is given, each with its path. Absent is left alone; null would mean the same to most people and is something else to some. */
function members(filter: Members, path: string): [name: string, value: unknown, path: string][] {
  return Object.entries(filter)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => {
      const at = `${path}.${name}`
      if (value === null) refuse(at, 'must not be null: leave it out, or ask whether there is a value with `exists`')
      return [name, value, at]
    })
}

function list(value: unknown, path: string, most: number): readonly unknown[] {
  const values = Array.isArray(value) ? value : [value]
  if (values.length > most) refuse(path, `has ${values.length} entries; at most ${most} are allowed`)
  for (const [index, one] of values.entries()) if (one === null || one === undefined) refuse(`${path}.${index}`, 'must not be null')
  return values
}

function checkPath(value: unknown, path: string): number {
  checkScalar(value, path)
  parsePointer(String(value), path)
  return 0
}

function checkBound(value: unknown, path: string): number {
  if (typeof value !== 'number' && typeof value !== 'string') refuse(path, 'must be a number or a text')
  checkScalar(value, path)
  return filterLimits.scanWeight
}

/** Null is a value inside of JSON. */
function checkJson(value: unknown, path: string, level: number): void {
  if (level > filterLimits.jsonLevels) refuse(path, `is nested more than ${filterLimits.jsonLevels} levels deep`)
  checkScalar(value, path)
  if (typeof value !== 'object' || value === null) return
  for (const [key, member] of Object.entries(value)) {
    checkScalar(key, path)
    checkJson(member, path, level + 1)
  }
}

function checkScalar(value: unknown, path: string): void {
  if (typeof value === 'string') checkText(value, path)
  if (typeof value === 'number' && !Number.isFinite(value)) refuse(path, 'must be a finite number')
  if (value instanceof Date && !(value.getUTCFullYear() >= firstYear && value.getUTCFullYear() <= lastYear))
    refuse(path, `must be a time in the years ${firstYear} to ${lastYear}`)
}

function checkText(text: string, path: string): void {
  if (text.length > filterLimits.characters) refuse(path, `has more than ${filterLimits.characters} characters`)
  if (!isStorableText(text)) refuse(path, 'must not hold NUL or half of a surrogate pair')
}

function refuse(path: string, problem: string): never {
  throw new RequestError('BAD_USER_INPUT', `\`${path}\` ${problem}.`, { field: path })
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
