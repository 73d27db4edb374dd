import { models } from '../../generated/models.ts'
import { isObject } from './json-select.ts'

/** A condition that one row at most meets: what a column that no two rows share must be, and what else must hold, without values. */
export type WhereKey = Readonly<{ column: string; type: 'uuid' | 'text'; value: string; conditions: readonly string[] }>

/** What Prisma's `where` stands for, where it names one key and columns that must be empty. Null for all else. */
export function whereKey(model: string, where: unknown): WhereKey | null {
  const columns = models[model]?.columns ?? {}
  let key: Omit<WhereKey, 'conditions'> | null = null
  const conditions: string[] = []
  for (const [name, value] of flatten(where)) {
    const { column, type, unique } = (Object.hasOwn(columns, name) && columns[name]) || {}
    if (column === undefined) return null
    if (value === null) conditions.push(`t.${column} is null`)
    // Who shares a statement with a text that the database refuses would be refused too.
    else if (typeof value !== 'string' || !unique || key !== null || value.includes('\0')) return null
    else if (type !== 'uuid') key = { column, type: 'text', value }
    else if (uuid.test(value)) key = { column, type, value: value.toLowerCase() }
    else return null
  }
  return key && { ...key, conditions }
}

/** What is none is left to Prisma to refuse. */
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** The columns that must hold, with `AND` taken apart. */
function flatten(where: unknown): [string, unknown][] {
  if (Array.isArray(where)) return where.flatMap(flatten)
  if (!isObject(where)) return [['', where]]
  return Object.entries(where).flatMap(([name, value]): [string, unknown][] => (name === 'AND' ? flatten(value) : [[name, value]]))
}
