import { type Catalogue, catalogue } from '../../generated/catalogue.ts'
import { type Check, type Finding, quoteName } from './finding.ts'

type Wanted = Catalogue['columns'][number]
type Column = Omit<Wanted, 'default'> & { hasDefault: boolean }

/** The columns of Roster's tables: those that are missing or were changed, and those added by hand that every new row must fill. */
export const checkColumns: Check = async (db) => {
  const columns = await db.$queryRaw<Column[]>`
    SELECT c.relname::text AS "table", a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS "notNull",
      a.atthasdef OR a.attidentity <> '' AS "hasDefault",
      (SELECT collname FROM pg_collation WHERE oid = a.attcollation AND collname <> 'default')::text AS collation
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE c.relnamespace = to_regnamespace('roster') AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY c.relname, a.attnum`
  const tables = new Set(columns.map(({ table }) => table))
  const lost = [...new Set(catalogue.columns.map(({ table }) => table))].filter((table) => !tables.has(table))
  const changed = catalogue.columns.flatMap((wanted) => {
    if (!tables.has(wanted.table)) return []
    const found = columns.find((column) => isSame(column, wanted))
    return found === undefined ? [missing(wanted)] : differences(found, wanted)
  })
  return [...lost.map(missingTable), ...changed, ...columns.filter(isDemanding).map(demanding)]
}

function isSame(left: Pick<Wanted, 'table' | 'name'>, right: Pick<Wanted, 'table' | 'name'>): boolean {
  return left.table === right.table && left.name === right.name
}

/** Whether it was added by hand, and no new row can do without a value that Roster has not. */
function isDemanding(column: Column): boolean {
  const isOfRoster = catalogue.columns.some(({ table }) => table === column.table)
  return isOfRoster && column.notNull && !column.hasDefault && !catalogue.columns.some((wanted) => isSame(column, wanted))
}

function about({ table, name }: Pick<Wanted, 'table' | 'name'>) {
  const alter = (what: string) => `ALTER TABLE roster.${quoteName(table)} ALTER COLUMN ${quoteName(name)} ${what};`
  return { object: `roster.${table}.${name}`, kind: 'column', alter }
}

function missingTable(table: string): Finding {
  const problem = 'The table is missing.'
  return { severity: 'ERROR', object: `roster.${table}`, kind: 'table', problem, fix: '-- Restore it from a backup, with its rows.' }
}

function missing(wanted: Wanted): Finding {
  const { alter: _, ...what } = about(wanted)
  const parts = [quoteName(wanted.name), typeOf(wanted), wanted.default && `DEFAULT ${wanted.default}`, wanted.notNull && 'NOT NULL']
  const fix = `ALTER TABLE roster.${quoteName(wanted.table)} ADD COLUMN ${parts.filter(Boolean).join(' ')};`
  return { ...what, severity: 'ERROR', problem: 'The column is missing.', fix }
}

function typeOf({ type, collation }: Pick<Column, 'type' | 'collation'>): string {
  return collation === null ? type : `${type} COLLATE ${quoteName(collation)}`
}

function differences(found: Column, wanted: Wanted): Finding[] {
  const { alter, ...what } = about(wanted)
  const findings: Finding[] = []
  if (found.type !== wanted.type || found.collation !== wanted.collation) {
    const collation = wanted.collation ?? (found.collation === null ? null : 'default')
    const fix = alter(`TYPE ${typeOf({ type: wanted.type, collation })} USING ${quoteName(wanted.name)}::${wanted.type}`)
    const problem = `The column is ${typeOf(found)}, and Roster made it ${typeOf(wanted)}: values may be refused, cut, or found in another order.`
    findings.push({ ...what, severity: 'WARNING', problem, fix })
  }
  if (found.notNull && !wanted.notNull) {
    const problem = 'NOT NULL was added by hand: whoever has no such value cannot be written.'
    findings.push({ ...what, severity: 'WARNING', problem, fix: alter('DROP NOT NULL') })
  }
  return findings
}

function demanding(column: Column): Finding {
  const { alter, ...what } = about(column)
  const problem = 'The column was added by hand, is NOT NULL and has no default: Roster does not know it, and writes rows without it.'
  return { ...what, severity: 'WARNING', problem, fix: alter('DROP NOT NULL') }
}
