import { Prisma } from '../../generated/prisma/client.ts'

/** A condition that every row meets. */
export const always = Prisma.sql`true`

/** A condition that no row meets. */
export const never = Prisma.sql`false`

/** All of these hold; none given: always. */
export function allOf(conditions: readonly Prisma.Sql[]): Prisma.Sql {
  const [first = always] = conditions
  return conditions.length < 2 ? first : Prisma.sql`(${Prisma.join([...conditions], ' and ')})`
}

/** One of these holds; none given: never. */
export function anyOf(conditions: readonly Prisma.Sql[]): Prisma.Sql {
  const [first = never] = conditions
  return conditions.length < 2 ? first : Prisma.sql`(${Prisma.join([...conditions], ' or ')})`
}

/** It does not hold, or cannot be told because a value is missing: what SQL calls unknown is no match here. */
export function noneOf(condition: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`(${condition}) is not true`
}

/** Whether the column has a value. */
export function existence(column: Prisma.Sql, exists: boolean): Prisma.Sql {
  return exists ? Prisma.sql`${column} is not null` : Prisma.sql`${column} is null`
}

/** A condition for each member that is given. */
export function given<Value>(value: Value | null | undefined, condition: (value: Value) => Prisma.Sql): Prisma.Sql[] {
  return value === undefined || value === null ? [] : [condition(value)]
}
