import { models } from '../../generated/models.ts'

/** A row as the database answers it, or a record as Prisma does. */
export type Row = Record<string, unknown>

/** A value in SQL, and what Prisma answers for it. */
export type Value = Readonly<{ sql: string; revive: (value: unknown) => unknown }>

/** A function of PostgreSQL takes a hundred arguments: names and values. */
const mostMembers = 50

/** All columns of a model, as JSON, of a table that the statement calls `alias`: what Prisma answers where nothing is selected. */
export function wholeRecord(model: string, alias: string): Value {
  const names = Object.keys(models[model]?.columns ?? {})
  const record = jsonRecord(model, Object.fromEntries(names.map((name) => [name, true])), alias)
  if (record === null) throw new Error(`${model} has columns that JSON cannot hold, or too many`)
  return record
}

/**
 * A record that Prisma's `select` describes, as JSON, of a table that the statement calls `alias`. Null for what is not put into words
 * here: pages of a relation, conditions on it, counts, `include`.
 */
function jsonRecord(model: string, select: unknown, alias: string): Value | null {
  const members = membersOf(select).map(([name, value]) => {
    const member = columnValue(model, name, value, alias) ?? relationValue(model, name, value, alias)
    return member && { name, ...member }
  })
  const known = members.filter((member) => member !== null)
  if (known.length < members.length || known.length === 0 || known.length > mostMembers) return null
  const revive = (json: unknown): unknown => {
    if (json === null) return null
    const record = json as Row
    for (const { name, revive } of known) record[name] = revive(record[name])
    return record
  }
  return { sql: `json_build_object(${known.map(({ name, sql }) => `'${name}', ${sql}`).join(', ')})`, revive }
}

/** What is selected; names that stand for nothing are refused by whoever looks them up. */
export function membersOf(select: unknown): [string, unknown][] {
  return isObject(select) ? Object.entries(select).filter(([, value]) => value !== undefined && value !== false) : []
}

/** A column. Times travel as milliseconds: what the database writes of them depends on the time zone of the connection. */
export function columnValue(model: string, name: string, value: unknown, alias: string): Value | null {
  const columns = models[model]?.columns ?? {}
  const { column, type } = (Object.hasOwn(columns, name) && columns[name]) || {}
  if (value !== true || column === undefined || type === 'BigInt' || type === 'Bytes') return null
  const sql = `${alias}.${column}`
  return type === 'DateTime' ? { sql: `date_part('epoch', ${sql}) * 1000`, revive: toDate } : { sql, revive: same }
}

const toDate = (value: unknown): unknown => (value === null ? null : new Date(Math.round(value as number)))
const same = (value: unknown): unknown => value

/** The records of a relation, or the one there is. */
export function relationValue(model: string, name: string, value: unknown, alias: string): Value | null {
  const relation = relationOf(model, name)
  if (relation === null || !isObject(value)) return null
  const { select, orderBy, ...rest } = value
  const inner = `${alias}_${alias.length}`
  const one = jsonRecord(relation.model, select, inner)
  const order = ordering(relation, orderBy, inner)
  if (one === null || order === null || membersOf(rest).length > 0) return null
  const { revive } = one
  return {
    sql: `(select ${relation.list ? `coalesce(json_agg(${one.sql}${order}), '[]')` : one.sql} ${fromRelation(relation, inner, alias)})`,
    revive: relation.list ? (list) => (list as unknown[]).map(revive) : revive,
  }
}

type Relation = Readonly<{ model: string; list: boolean; from: string; to: string }>

/** How a model is related to another; null where it is not. */
export function relationOf(model: string, name: string): Relation | null {
  const relations = models[model]?.relations ?? {}
  return (Object.hasOwn(relations, name) && relations[name]) || null
}

function fromRelation({ model, from, to }: Relation, inner: string, alias: string): string {
  return `from ${models[model]?.table} ${inner} where ${inner}.${to} = ${alias}.${from}`
}

/** Of one column, or none; null where it is more than that. */
function ordering({ model, list }: Relation, orderBy: unknown, alias: string): string | null {
  if (orderBy === undefined) return ''
  const [[name, direction] = ['', ''], ...more] = membersOf(orderBy)
  const { column } = models[model]?.columns[name] ?? {}
  if (!list || column === undefined || more.length > 0 || (direction !== 'asc' && direction !== 'desc')) return null
  return ` order by ${alias}.${column} ${direction}`
}

/** Whether it is one with members, such as Prisma's arguments are. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
