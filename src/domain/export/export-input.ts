import type { Prisma } from '../../generated/prisma/client.ts'
import type { UserDataFormat } from '../transfer/user-data-format.ts'
import type { UserFilter } from '../user-filter.ts'

/** What an export job was asked for, as it is kept with the job. `withAppMetadata`: whoever asked for it may read it. */
export type ExportInput = Readonly<{
  format: UserDataFormat
  where: UserFilter
  fields: readonly string[] | null
  withPasswordHashes: boolean
  withAppMetadata: boolean
}>

/** As JSON: times become texts. */
export function writeInput(input: ExportInput): Prisma.InputJsonObject {
  return JSON.parse(JSON.stringify(input)) as Prisma.InputJsonObject
}

/** What `writeInput` wrote. */
export function readInput(stored: Prisma.JsonValue): ExportInput {
  const input = stored as unknown as ExportInput
  return { ...input, where: withTimes(input.where) as UserFilter }
}

const times = ['createdAt', 'updatedAt', 'lastSignInAt']

/** The times of a filter, wherever in it: only those members of these names are objects with texts in them. */
function withTimes(filter: unknown): unknown {
  if (Array.isArray(filter)) return filter.map(withTimes)
  if (typeof filter !== 'object' || filter === null) return filter
  return Object.fromEntries(
    Object.entries(filter).map(([name, value]) => {
      if (['and', 'or', 'not'].includes(name)) return [name, withTimes(value)]
      return [name, times.includes(name) ? asTimes(value as Record<string, unknown>) : value]
    }),
  )
}

function asTimes(filter: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(filter).map(([name, value]) => [name, typeof value === 'string' ? new Date(value) : value]))
}
