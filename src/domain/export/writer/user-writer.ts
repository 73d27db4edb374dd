import type { RosterRecord } from '../../transfer/roster-record.ts'
import type { Utf8Buffer } from '../utf8-buffer.ts'

/** Writes users as a file of one format. */
export type UserWriter = Readonly<{
  mediaType: string
  /** What a file of it is called after its dot. */
  extension: string
  /** What stands before the first user, between two and after the last one. */
  head: string
  separator: string
  tail: string
  write: (record: RosterRecord, file: Utf8Buffer) => void
}>

/** How a format has a user: an object, and the names of its members in their order. */
export type Shape = Readonly<{ members: readonly string[]; of: (record: RosterRecord, now: Date) => Readonly<Record<string, unknown>> }>

/** The way to a field: a member, and what is inside of it. */
export type Field = readonly string[]

/** The value at a path, own members only; undefined where there is none. */
export function pick(value: unknown, path: Field): unknown {
  let inner = value
  for (const key of path) {
    if (typeof inner !== 'object' || inner === null || !Object.hasOwn(inner, key)) return undefined
    inner = (inner as Record<string, unknown>)[key]
  }
  return inner
}

/** The object with nothing but these fields, in this order; of what is not there, nothing. */
export function narrowed(value: Readonly<Record<string, unknown>>, fields: readonly Field[]): Record<string, unknown> {
  const result: Record<string, unknown> = {}
  for (const field of fields) {
    const found = pick(value, field)
    if (found !== undefined) put(result, field, found)
  }
  return result
}

function put(object: Record<string, unknown>, [key = '', ...rest]: Field, value: unknown): void {
  if (rest.length === 0) {
    define(object, key, value)
    return
  }
  if (!Object.hasOwn(object, key)) define(object, key, {})
  const inner = object[key]
  // A field that was asked for as a whole has it already.
  if (typeof inner === 'object' && inner !== null && !Array.isArray(inner)) put(inner as Record<string, unknown>, rest, value)
}

/** Never the prototype, whatever the key. What was asked for as a whole is not changed: it is the record's. */
function define(object: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true })
}
