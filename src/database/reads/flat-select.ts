import { models } from '../../generated/models.ts'
import { columnValue, isObject, membersOf, type Row, relationOf, relationValue, type Value } from './json-select.ts'

/** How records are read: columns, the tables that are joined, and what makes a record of a row. */
export type FlatSelect = Readonly<{ columns: readonly string[]; joins: readonly string[]; toRecord: (row: Row) => unknown }>

type Statement = Readonly<{ columns: string[]; joins: string[] }>
type FromRow = (row: Row) => unknown

/** The most columns of a row that are read here. */
const mostColumns = 100

/**
 * What Prisma's `select` stands for, of a table that the statement calls `t`. A record that stands beside another is joined, which takes
 * the database half as long as JSON; lists are JSON. Null for what is not put into words here.
 */
export function flatSelect(model: string, select: unknown): FlatSelect | null {
  const statement: Statement = { columns: [], joins: [] }
  const toRecord = recordOf(statement, model, select, 't')
  return toRecord && statement.columns.length <= mostColumns ? { ...statement, toRecord } : null
}

function recordOf(statement: Statement, model: string, select: unknown, alias: string): FromRow | null {
  const members = membersOf(select).map(([name, value]) => ({ name, of: memberOf(statement, { model, alias, name }, value) }))
  const known = members.flatMap(({ name, of }) => (of === null ? [] : [{ name, of }]))
  if (known.length < members.length || known.length === 0) return null
  return (row) => {
    const record: Row = {}
    for (const { name, of } of known) record[name] = of(row)
    return record
  }
}

type Place = Readonly<{ model: string; alias: string; name: string }>

function memberOf(statement: Statement, { model, alias, name }: Place, value: unknown): FromRow | null {
  const relation = relationOf(model, name)
  if (relation !== null && !relation.list && isObject(value) && Object.keys(value).join() === 'select') {
    const joined = `t${statement.joins.length + 1}`
    statement.joins.push(`left join ${models[relation.model]?.table} ${joined} on ${joined}.${relation.to} = ${alias}.${relation.from}`)
    // What a row is joined by is null where there is none.
    const joinedBy = readValue(statement, { sql: `${joined}.${relation.to}`, revive: (key) => key })
    const record = recordOf(statement, relation.model, value['select'], joined)
    return record && ((row) => (joinedBy(row) === null ? null : record(row)))
  }
  const read = relation === null ? columnValue(model, name, value, alias) : relationValue(model, name, value, alias)
  return read && readValue(statement, read)
}

function readValue({ columns }: Statement, { sql, revive }: Value): FromRow {
  const known = columns.findIndex((other) => other.startsWith(`${sql} as `))
  const column = `c${known < 0 ? columns.length : known}`
  if (known < 0) columns.push(`${sql} as ${column}`)
  return (row) => revive(row[column])
}
