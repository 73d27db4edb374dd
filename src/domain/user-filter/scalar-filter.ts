import { Prisma } from '../../generated/prisma/client.ts'
import { isUuid } from '../normalize.ts'
import { allOf, existence, given, never } from './condition.ts'

/** What an id must be. What is given must all hold. */
export type IDFilter = Readonly<{ eq?: string | null; in?: readonly string[] | null }>

/** What a text must be. What is given must all hold. */
export type StringFilter = Readonly<{
  eq?: string | null
  in?: readonly string[] | null
  startsWith?: string | null
  contains?: string | null
  exists?: boolean | null
}>

/** When a time must be. What is given must all hold. */
export type DateTimeFilter = Readonly<{ gt?: Date | null; gte?: Date | null; lt?: Date | null; lte?: Date | null; exists?: boolean | null }>

/** What a whole number must be. What is given must all hold. */
export type IntFilter = Readonly<{ eq?: number | null; gt?: number | null; gte?: number | null; lt?: number | null; lte?: number | null }>

/** A column of text: how whole values, and how parts of them, are brought into the form it is kept in. */
export type TextColumn = Readonly<{
  column: Prisma.Sql
  /** Null: no row can have this value. */
  whole: (value: string) => string | null
  part: (value: string) => string
}>

/** Something that is no UUID is no user's id. */
export function idCondition(column: Prisma.Sql, filter: IDFilter): Prisma.Sql {
  return allOf([
    ...given(filter.eq, (id) => (isUuid(id) ? Prisma.sql`${column} = ${id}::uuid` : never)),
    ...given(filter.in, (ids) => Prisma.sql`${column} = any(${ids.filter(isUuid)}::uuid[])`),
  ])
}

export function textCondition({ column, whole, part }: TextColumn, filter: StringFilter): Prisma.Sql {
  return allOf([
    ...given(filter.eq, (value) => isOneOf(column, [whole(value)])),
    ...given(filter.in, (values) => isOneOf(column, values.map(whole))),
    ...given(filter.startsWith, (value) => Prisma.sql`${column} like ${`${literal(part(value))}%`}`),
    ...given(filter.contains, (value) => Prisma.sql`${column} like ${`%${literal(part(value))}%`}`),
    ...given(filter.exists, (exists) => existence(column, exists)),
  ])
}

/** Times are sent as text with their zone, for the driver would leave it out. */
export function dateTimeCondition(column: Prisma.Sql, filter: DateTimeFilter): Prisma.Sql {
  const time = (date: Date) => Prisma.sql`${date.toISOString()}::timestamptz`
  return allOf([
    ...given(filter.gt, (date) => Prisma.sql`${column} > ${time(date)}`),
    ...given(filter.gte, (date) => Prisma.sql`${column} >= ${time(date)}`),
    ...given(filter.lt, (date) => Prisma.sql`${column} < ${time(date)}`),
    ...given(filter.lte, (date) => Prisma.sql`${column} <= ${time(date)}`),
    ...given(filter.exists, (exists) => existence(column, exists)),
  ])
}

/** Numbers are sent as 64-bit integers: one that the column cannot hold can still be compared with. */
export function intCondition(column: Prisma.Sql, filter: IntFilter): Prisma.Sql {
  const number = (value: number) => Prisma.sql`${String(value)}::bigint`
  return allOf([
    ...given(filter.eq, (value) => Prisma.sql`${column} = ${number(value)}`),
    ...given(filter.gt, (value) => Prisma.sql`${column} > ${number(value)}`),
    ...given(filter.gte, (value) => Prisma.sql`${column} >= ${number(value)}`),
    ...given(filter.lt, (value) => Prisma.sql`${column} < ${number(value)}`),
    ...given(filter.lte, (value) => Prisma.sql`${column} <= ${number(value)}`),
  ])
}

function isOneOf(column: Prisma.Sql, values: readonly (string | null)[]): Prisma.Sql {
  const wanted = values.filter((value) => value !== null)
  if (wanted.length === 0) return never
  return wanted.length === 1 ? Prisma.sql`${column} = ${wanted[0]}` : Prisma.sql`${column} = any(${wanted}::text[])`
}

/** `%`, `_` and the backslash stand for themselves. */
function literal(text: string): string {
  return text.replaceAll(/[\\%_]/g, '\\$&')
}
