import type { Problem } from '../problem.ts'

/**
 * What a format makes of a record: members of RosterRecord, by their names, each whatever the file has there. `identitiesOf` is the id of
 * the user to whom the identities belong, where the record is about nothing else.
 */
export type Draft = Readonly<{ fields: Readonly<Record<string, unknown>>; identitiesOf?: unknown; problems: readonly Problem[] }>

/** One way to write users. */
export type FileFormat = Readonly<{
  toDraft: (record: Readonly<Record<string, unknown>>) => Draft
  /** How files name a member of RosterRecord; by the longest beginning of its path. */
  names: Readonly<Record<string, string>>
}>

/** How a file names the field at a path into RosterRecord: `user_metadata.plan` for `['userMetadata', 'plan']`. */
export function nameOf({ names }: FileFormat, path: readonly string[]): string | null {
  for (let length = path.length; length > 0; length--) {
    const name = names[path.slice(0, length).join('.')]
    if (name !== undefined) return [...(name === '' ? [] : [name]), ...path.slice(length)].join('.')
  }
  return path.length === 0 ? null : path.join('.')
}

/** The members that are there, by other names. */
export function renamed(record: Readonly<Record<string, unknown>>, names: Readonly<Record<string, string>>): Record<string, unknown> {
  const present = Object.entries(names).filter(([name]) => Object.hasOwn(record, name))
  return Object.fromEntries(present.map(([name, field]) => [field, record[name]]))
}

/** What other systems write for nothing. */
export function emptyAsNull(value: unknown): unknown {
  return value === '' ? null : value
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
