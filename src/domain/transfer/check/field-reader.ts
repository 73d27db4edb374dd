import { isStorableText } from '../../normalize.ts'

/** Told of what is wrong at a path into RosterRecord. */
export type Refuse = (path: readonly string[], message: string, code?: string) => void

/** Reads members of one object, each with its type; what is wrong is told, and is absent then. */
export type FieldReader = Readonly<{
  has: (name: string) => boolean
  text: (name: string, maxLength?: number) => string | null | undefined
  flag: (name: string) => boolean | null | undefined
  count: (name: string, least: number) => number | undefined
  time: (name: string) => Date | null | undefined
  object: (name: string) => Readonly<Record<string, unknown>> | null | undefined
  list: (name: string) => readonly unknown[] | null | undefined
}>

export function fieldReader(object: Readonly<Record<string, unknown>>, at: readonly string[], refuse: Refuse): FieldReader {
  const value = (name: string): unknown => (Object.hasOwn(object, name) ? object[name] : undefined)
  const wrong = (name: string, message: string, code = 'INVALID_TYPE'): undefined => {
    refuse([...at, name], message, code)
  }
  return {
    has: (name) => value(name) !== undefined,
    text: (name, maxLength = 1000) => {
      const text = value(name)
      if (text === undefined || text === null) return text
      if (typeof text !== 'string') return wrong(name, 'This is a text.')
      if (text.length > maxLength) return wrong(name, `This has ${maxLength} characters at most.`, 'MAX_LENGTH')
      return isStorableText(text) ? text : wrong(name, 'Text must not hold NUL or a lone surrogate.', 'INVALID_FORMAT')
    },
    flag: (name) => {
      const flag = value(name)
      return flag === undefined || flag === null || typeof flag === 'boolean' ? flag : wrong(name, 'This is true or false.')
    },
    count: (name, least) => {
      const count = value(name)
      if (count === undefined || count === null) return undefined
      if (typeof count === 'number' && Number.isInteger(count) && count >= least && count <= 0x7fffffff) return count
      return wrong(name, `This is a whole number, ${least} or more.`)
    },
    time: (name) => {
      const time = value(name)
      if (time === undefined || time === null) return time
      return (
        (typeof time === 'string' ? parseTime(time) : null) ??
        wrong(name, 'This is an ISO 8601 time, such as 2026-01-31T12:00:00Z.', 'INVALID_FORMAT')
      )
    },
    object: (name) => {
      const inner = value(name)
      if (inner === undefined || inner === null) return inner
      return typeof inner === 'object' && !Array.isArray(inner) ? (inner as Record<string, unknown>) : wrong(name, 'This is an object.')
    },
    list: (name) => {
      const inner = value(name)
      if (inner === undefined || inner === null) return inner
      return Array.isArray(inner) ? inner : wrong(name, 'This is a list.')
    },
  }
}

/** ISO 8601 with a zone, and what PostgreSQL prints: `2026-01-31 12:00:00.123456+00`. Fractions of a millisecond are dropped. */
const shape = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)(\.\d{1,9})?(Z|[+-]\d\d(?::?\d\d)?)$/

/** Null for what is no time, or none of the years 1 to 9999. */
function parseTime(text: string): Date | null {
  const [, day, clock = '', fraction = '', zone = ''] = shape.exec(text) ?? []
  if (day === undefined) return null
  const offset = zone === 'Z' ? zone : zone.length === 3 ? `${zone}:00` : zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone
  const time = new Date(`${day}T${clock.length === 5 ? `${clock}:00` : clock}${fraction.slice(0, 4)}${offset}`)
  return isDay(day) && !Number.isNaN(time.getTime()) && time.getUTCFullYear() >= 1 && time.getUTCFullYear() <= 9999 ? time : null
}

/** JavaScript takes 30 February for 2 March. What else is no day is no time to it. */
function isDay(day: string): boolean {
  if (day.slice(8) <= '28') return true
  const date = new Date(`${day}T00:00:00Z`)
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day)
}
