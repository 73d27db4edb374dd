import { catalogue } from '../../generated/catalogue.ts'
import { type Check, type Finding, quoteName } from './finding.ts'

type Constraint = { table: string; name: string; type: string; isValid: boolean; definition: string }

/** The constraints of Roster's tables: its own that are missing, and those added by hand. */
export const checkConstraints: Check = async (db) => {
  const constraints = await db.$queryRaw<Constraint[]>`
    SELECT c.relname::text AS "table", k.conname::text AS name, k.contype::text AS type, k.convalidated AS "isValid",
      pg_get_constraintdef(k.oid) AS definition
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
    WHERE c.relnamespace = to_regnamespace('roster') AND k.contype IN ('p', 'u', 'f', 'c', 'x') ORDER BY c.relname, k.conname`
  const found = (table: string, name: string) => constraints.find((constraint) => constraint.table === table && constraint.name === name)
  const own = (table: string, name: string) => catalogue.constraints.some((wanted) => wanted.table === table && wanted.name === name)
  const tables = new Set(catalogue.columns.map(({ table }) => table))
  return [
    ...catalogue.constraints.filter(({ table, name }) => !found(table, name)).map(missing),
    ...constraints.filter(({ table, name, isValid }) => own(table, name) && !isValid).map(unproven),
    ...constraints.filter(({ table, name }) => tables.has(table) && !own(table, name)).map(added),
  ]
}

type Named = Pick<Constraint, 'table' | 'name'>

function about({ table, name }: Named, kind: string) {
  return { object: `${name} on roster.${table}`, kind }
}

function missing({ table, name, definition }: Named & { definition: string }): Finding {
  const fix = `ALTER TABLE roster.${quoteName(table)} ADD CONSTRAINT ${quoteName(name)} ${definition};`
  const problem = `Roster's own constraint is missing: ${definition}. Rows may stay behind, or stand twice.`
  return { ...about({ table, name }, 'constraint'), severity: 'ERROR', problem, fix }
}

function unproven(constraint: Constraint): Finding {
  const { table, name } = constraint
  const fix = `ALTER TABLE roster.${quoteName(table)} VALIDATE CONSTRAINT ${quoteName(name)};`
  const problem = "Roster's own constraint is NOT VALID: older rows may break it."
  return { ...about(constraint, kinds[constraint.type] ?? 'constraint'), severity: 'WARNING', problem, fix }
}

function added(constraint: Constraint): Finding {
  const { table, name, type, definition } = constraint
  const problem = `The constraint was added by hand, and refuses every change that does not fit it: ${definition}.`
  const fix = `ALTER TABLE roster.${quoteName(table)} DROP CONSTRAINT ${quoteName(name)};`
  return { ...about(constraint, kinds[type] ?? 'constraint'), severity: 'WARNING', problem, fix }
}

/** By pg_constraint.contype. */
const kinds: Readonly<Record<string, string>> = {
  p: 'primary key',
  u: 'unique constraint',
  f: 'foreign key',
  c: 'check constraint',
  x: 'exclusion constraint',
}
