import { models } from '../../generated/models.ts'
import { isObject } from './json-select.ts'

/** What a row must meet, in words of SQL. */
export type WhereColumns = Readonly<{
  /** The column that no two rows share, and what it may be. */
  key: Readonly<{ column: string; type: 'uuid' | 'text'; values: readonly string[] }>
  /** What else must hold: conditions without values. */
  conditions: readonly string[]
}>

/** What Prisma's `where` stands for, where it names one key and columns that must be empty. Null for all else. */
export function whereColumns(model: string, where: unknown): WhereColumns | null {
  const columns = models[model]?.columns ?? {}
  let key: WhereColumns['key'] | null = null
  const conditions: string[] = []
  for (const [name, value] of flatten(where)) {
    const column = Object.hasOwn(columns, name) ? columns[name] : undefined
    if (column === undefined) return null
    const values = keyValues(value, column.type)
    if (value === null) conditions.push(`t.${column.column} is null`)
    else if (values !== null && column.unique && key === null)
      key = { column: column.column, type: column.type === 'uuid' ? 'uuid' : 'text', values }
    else return null
  }
  return key && { key, conditions }
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** As the database answers them, by which they are told apart. What is not of the type is left to Prisma to refuse. */
function keyValues(value: unknown, type: string): readonly string[] | null {
  const listed = isObject(value) && Object.keys(value).join() === 'in' ? value['in'] : [value]
  if (!Array.isArray(listed) || !listed.every((item) => typeof item === 'string')) return null
  if (type !== 'uuid') return listed
  const ids = listed.map((id) => id.toLowerCase())
  return ids.every((id) => uuid.test(id)) ? ids : null
}

/** The columns that must hold, with `AND` taken apart. */
function flatten(where: unknown): [string, unknown][] {
  if (Array.isArray(where)) return where.flatMap(flatten)
  if (!isObject(where)) return [['', where]]
  return Object.entries(where).flatMap(([name, value]): [string, unknown][] => (name === 'AND' ? flatten(value) : [[name, value]]))
}
