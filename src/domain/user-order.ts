import { Prisma } from '../generated/prisma/client.ts'
import { RequestError } from './errors.ts'
import { isStorableText, isUuid } from './normalize.ts'

/** One key of an order. */
export type UserOrder = Readonly<{ field: UserOrderField; direction: 'ASC' | 'DESC' }>
export type UserOrderField = keyof typeof orderFields

/** What rows are ordered by. */
export type OrderKey = Readonly<{
  /** The field and its direction, by which a cursor knows its order. */
  name: string
  column: Prisma.Sql
  ascending: boolean
  /** Rows without a value come last in ascending order and first in descending order, as in PostgreSQL's indexes. */
  nullable: boolean
  /** No two rows have the same value, and the index that sees to it is on this column alone. */
  unique: boolean
  /** The value as a parameter of the column's type. */
  parameter: (value: unknown) => Prisma.Sql
  /** Whether a value that came in a cursor can be one of the column's. */
  accepts: (value: unknown) => boolean
}>

const time = {
  parameter: (value: unknown) => Prisma.sql`${value}::timestamptz`,
  accepts: (value: unknown) => typeof value === 'string' && /^\d{4}(-\d\d){2}T\d\d:\d\d:\d\d\.\d{3}Z$/.test(value) && isTime(value),
}
const text = {
  parameter: (value: unknown) => Prisma.sql`${value}::text`,
  accepts: (value: unknown) => typeof value === 'string' && isStorableText(value),
}
const count = {
  parameter: (value: unknown) => Prisma.sql`${value}::integer`,
  accepts: (value: unknown) => Number.isInteger(value) && Math.abs(Number(value)) < 2 ** 31,
}
const id = {
  column: Prisma.sql`u.id`,
  nullable: false,
  unique: true,
  parameter: (value: unknown) => Prisma.sql`${value}::uuid`,
  accepts: (value: unknown) => typeof value === 'string' && isUuid(value),
}

const orderFields = {
  CREATED_AT: { ...time, column: Prisma.sql`u.created_at`, nullable: false, unique: false },
  UPDATED_AT: { ...time, column: Prisma.sql`u.updated_at`, nullable: false, unique: false },
  LAST_SIGN_IN_AT: { ...time, column: Prisma.sql`u.last_sign_in_at`, nullable: true, unique: false },
  EMAIL: { ...text, column: Prisma.sql`u.email_normal`, nullable: true, unique: true },
  NAME: { ...text, column: Prisma.sql`u.name_normal`, nullable: true, unique: false },
  SIGN_IN_COUNT: { ...count, column: Prisma.sql`u.sign_in_count`, nullable: false, unique: false },
} as const satisfies Record<string, Omit<OrderKey, 'name' | 'ascending'>>

/**
 * The keys of an order: those given, or the time of creation. The id comes last, in the direction of the key before it, and
 * settles ties.
 * @throws {RequestError} BAD_USER_INPUT when a field is given twice
 */
export function orderKeys(orderBy: readonly UserOrder[]): readonly OrderKey[] {
  for (const [index, { field }] of orderBy.entries())
    if (orderBy.findIndex((order) => order.field === field) < index)
      throw new RequestError('BAD_USER_INPUT', `\`orderBy.${index}.field\` is given already.`, { field: `orderBy.${index}.field` })
  const orders = orderBy.length === 0 ? [{ field: 'CREATED_AT', direction: 'ASC' } as const] : orderBy
  const keys = orders.map(({ field, direction }) => ({
    ...orderFields[field],
    name: `${field}:${direction}`,
    ascending: direction === 'ASC',
  }))
  return [...keys, { ...id, name: 'ID', ascending: keys.at(-1)?.ascending ?? true }]
}

function isTime(value: string): boolean {
  const date = new Date(value)
  return !Number.isNaN(date.getTime()) && date.toISOString() === value && date.getUTCFullYear() > 0
}
