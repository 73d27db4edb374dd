import { Prisma } from '../../generated/prisma/client.ts'
import { existence } from '../user-filter/condition.ts'
import type { OrderKey } from '../user-order.ts'

/** Rows that stand together in an order, and that an index on its keys finds in that order without reading others. */
export type KeyRange = Readonly<{ conditions: readonly Prisma.Sql[]; keys: readonly OrderKey[] }>

/**
 * The ranges that hold all rows of an order, or those behind the row with these values: disjoint, each one behind the other.
 * For an order by a, b and the id: `a = v1 and b = v2 and id > v3`, `a = v1 and b > v2`, `a > v1`, `a is null`. What SQL offers for
 * it, a comparison of rows, knows neither null nor mixed directions, but is one range where there are none. An `or` of the ranges would be
 * sorted as a whole.
 */
export function keyRanges(keys: readonly OrderKey[], values: readonly unknown[] | null): readonly KeyRange[] {
  if (values !== null && keys.every(({ nullable, ascending }) => !nullable && ascending === keys[0]?.ascending))
    return [{ conditions: [rowsBehind(keys, values)], keys }]
  if (values !== null) return keys.flatMap((_, index) => behind(keys, values, keys.length - 1 - index))
  const [first] = keys
  return first?.nullable
    ? [isNull(first, !first.ascending), isNull(first, first.ascending)].map((held) => range(keys, [held]))
    : [range(keys, [])]
}

/** Of keys without null and in one direction. */
function rowsBehind(keys: readonly OrderKey[], values: readonly unknown[]): Prisma.Sql {
  const columns = Prisma.join(keys.map(({ column }) => column))
  const place = Prisma.join(keys.map(({ parameter }, index) => parameter(values[index])))
  return Prisma.sql`(${columns}) ${keys[0]?.ascending ? Prisma.sql`>` : Prisma.sql`<`} (${place})`
}

/** A key whose values in a range are bound, and whether that is to none at all. */
type Held = Readonly<{ key: OrderKey; condition: Prisma.Sql; isNull: boolean }>

/** The rows that share the values of all keys before one, and come behind its value. */
function behind(keys: readonly OrderKey[], values: readonly unknown[], index: number): readonly KeyRange[] {
  const shared = keys.slice(0, index).map((key, position) => equal(key, values[position]))
  return keys.slice(index, index + 1).flatMap((key) => beyond(key, values[index]).map((held) => range(keys, [...shared, held])))
}

/** In ascending order the rows without a value come behind all others, in descending order before. */
function beyond(key: OrderKey, value: unknown): readonly Held[] {
  if (value === null) return key.ascending ? [] : [isNull(key, false)]
  const operator = key.ascending ? Prisma.sql`>` : Prisma.sql`<`
  const held = { key, condition: Prisma.sql`${key.column} ${operator} ${key.parameter(value)}`, isNull: false }
  return key.nullable && key.ascending ? [held, isNull(key, true)] : [held]
}

function equal(key: OrderKey, value: unknown): Held {
  return value === null ? isNull(key, true) : { key, condition: Prisma.sql`${key.column} = ${key.parameter(value)}`, isNull: false }
}

function isNull(key: OrderKey, is: boolean): Held {
  return { key, condition: existence(key.column, !is), isNull: is }
}

/**
 * A key that is null in all of the range still leads its order, for an index on the key and the id has these rows in the
 * order of the id, which the planner sees only so. An index on a unique key alone has not, so such a key is left out.
 */
function range(keys: readonly OrderKey[], held: readonly Held[]): KeyRange {
  return {
    conditions: held.map(({ condition }) => condition),
    keys: keys.filter((key) => !(key.unique && held.some((one) => one.key === key && one.isNull))),
  }
}
