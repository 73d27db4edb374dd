import type { DateTimeFilter, IntFilter, StringFilter, UserFilter, UserStatus } from '../user-filter.ts'
import { searchError } from './search-error.ts'
import type { Range, Term, Value } from './token.ts'

const day = 86_400_000

/**
 * Texts are compared whole, or by their beginning (`a*`) or a part (`*a*`). Where `termIsPart`, a term outside of quotation marks
 * is a part as well: the words of a name.
 */
export function textFilter(value: Value, member: (filter: StringFilter) => UserFilter, { termIsPart = false } = {}): UserFilter {
  if (value.kind === 'exists' || isAnything(value)) return member({ exists: true })
  const { text, isPhrase, startsOpen, endsOpen, at } = termOnly(value)
  if (startsOpen && !endsOpen) throw searchError(at, 'a * at the start of a term needs one at its end')
  if (startsOpen || (termIsPart && !isPhrase && !endsOpen)) return member({ contains: text })
  return member(endsOpen ? { startsWith: text } : { eq: text })
}

export function idFilter(value: Value): UserFilter {
  return value.kind === 'exists' || isAnything(value) ? {} : { id: { eq: plainTerm(value).text } }
}

export function booleanFilter(value: Value, filter: (is: boolean) => UserFilter): UserFilter {
  if (value.kind === 'exists' || isAnything(value)) return {}
  const { text, at } = plainTerm(value)
  if (text !== 'true' && text !== 'false') throw searchError(at, 'expected true or false')
  return filter(text === 'true')
}

const states: readonly UserStatus[] = ['ACTIVE', 'INVITED', 'BLOCKED', 'DELETED']

export function statusFilter(value: Value): UserFilter {
  if (value.kind === 'exists' || isAnything(value)) return {}
  const { text, at } = plainTerm(value)
  const status = states.find((state) => state === text.toUpperCase())
  if (status === undefined) throw searchError(at, `expected one of ${states.join(', ')}`)
  return { status: [status] }
}

/** A day is all of its 24 hours in UTC, also as the bound of a range: `[2026-01-01 TO 2026-01-31]` has the last day in it. */
export function timeFilter(value: Value, member: (filter: DateTimeFilter) => UserFilter): UserFilter {
  if (value.kind === 'exists' || isAnything(value)) return member({ exists: true })
  if (value.kind === 'term') return member(within(timeOf(plainTerm(value))))
  const [from, to] = [value.from && timeOf(value.from), value.to && timeOf(value.to)]
  return member({
    ...(from && (value.withFrom ? { gte: from.start } : after(from))),
    ...(to && (value.withTo ? upTo(to) : { lt: to.start })),
  })
}

export function countFilter(value: Value, member: (filter: IntFilter) => UserFilter): UserFilter {
  if (value.kind === 'exists' || isAnything(value)) return {}
  if (value.kind === 'term') return member({ eq: wholeNumber(plainTerm(value)) })
  const [from, to] = [value.from && wholeNumber(value.from), value.to && wholeNumber(value.to)]
  return member({
    ...(from !== null && (value.withFrom ? { gte: from } : { gt: from })),
    ...(to !== null && (value.withTo ? { lte: to } : { lt: to })),
  })
}

/** `*` and `[* TO *]`. */
export function isAnything(value: Term | Range): boolean {
  if (value.kind === 'range') return value.from === null && value.to === null
  return value.text === '' && (value.startsOpen || value.endsOpen)
}

/** @throws {RequestError} BAD_USER_INPUT for a range or a term with `*` */
export function plainTerm(value: Term | Range): Term {
  const term = termOnly(value)
  if (term.startsOpen || term.endsOpen) throw searchError(term.at, 'a * is not understood in a value of this field')
  return term
}

function termOnly(value: Term | Range): Term {
  if (value.kind === 'term') return value
  throw searchError(value.at, 'ranges are for times, numbers and metadata')
}

/** A time, or the day that starts then. */
type Time = Readonly<{ start: Date; end: Date | null }>

function timeOf({ text, at }: Term): Time {
  const isDay = /^\d{4}-\d\d-\d\d$/.test(text)
  const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?$/.test(text)
  const start = new Date(isDay || /(Z|[+-]\d\d:\d\d)$/.test(text) ? text : `${text}Z`)
  const isReal = (isDay || isTime) && !Number.isNaN(start.getTime()) && isCalendarDay(text.slice(0, 10))
  if (!isReal) throw searchError(at, 'expected a day such as 2026-01-31 or a time such as 2026-01-31T12:00:00Z')
  return { start, end: isDay ? new Date(start.getTime() + day) : null }
}

/** The 31st of February is read as a day in March, and what is before the year 1 or after 9998 is no time to the database. */
function isCalendarDay(text: string): boolean {
  return text >= '0001-01-02' && text <= '9998-12-31' && new Date(`${text}T00:00:00Z`).toISOString().startsWith(text)
}

function within({ start, end }: Time): DateTimeFilter {
  return end ? { gte: start, lt: end } : { gte: start, lte: start }
}

function upTo({ start, end }: Time): DateTimeFilter {
  return end ? { lt: end } : { lte: start }
}

function after({ start, end }: Time): DateTimeFilter {
  return end ? { gte: end } : { gt: start }
}

function wholeNumber({ text, at }: Term): number {
  const number = Number(text)
  if (!/^-?\d+$/.test(text) || !Number.isSafeInteger(number)) throw searchError(at, 'expected a whole number')
  return number
}
