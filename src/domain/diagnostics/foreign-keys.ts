import type { Check, Finding } from './finding.ts'

/** A host table's foreign key to a row that goes with a user. */
type ForeignKey = {
  constraint: string
  constraintReference: string
  table: string
  tableReference: string
  definition: string
  /** pg_constraint.confdeltype: `a` no action, `r` restrict, `c` cascade, `n` set null, `d` set default. */
  onDelete: string
  /** Those of its columns that are NOT NULL, as SQL writes them. */
  notNull: string[]
}

/** Foreign keys of host tables that stand in the way of deleting a user for good, or a row that is deleted with the user. */
export const checkForeignKeys: Check = async (db) => {
  const keys = await db.$queryRaw<ForeignKey[]>`
    WITH RECURSIVE deleted (oid) AS (
      SELECT c.oid FROM pg_class c WHERE c.relnamespace = to_regnamespace('roster') AND c.relkind IN ('r', 'p')
      UNION
      SELECT k.conrelid FROM deleted JOIN pg_constraint k ON k.confrelid = deleted.oid AND k.contype = 'f' AND k.confdeltype = 'c'
    )
    SELECT k.conname::text AS constraint, quote_ident(k.conname) AS "constraintReference", n.nspname || '.' || c.relname AS "table",
      format('%I.%I', n.nspname, c.relname) AS "tableReference", pg_get_constraintdef(k.oid) AS definition, k.confdeltype::text AS "onDelete",
      array(SELECT quote_ident(a.attname) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = ANY(k.conkey) AND a.attnotnull) AS "notNull"
    FROM deleted JOIN pg_constraint k ON k.confrelid = deleted.oid
    JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE k.contype = 'f' AND k.conparentid = 0 AND n.nspname <> 'roster' ORDER BY "table", k.conname`
  return keys.map(judge).filter((finding) => finding !== null)
}

function judge(key: ForeignKey): Finding | null {
  if (key.onDelete === 'a' || key.onDelete === 'r') return holding(key)
  return (key.onDelete === 'n' || key.onDelete === 'd') && key.notNull.length > 0 ? impossible(key) : null
}

function about({ constraint, table }: ForeignKey) {
  return { severity: 'WARNING', object: `${constraint} on ${table}`, kind: 'foreign key' } as const
}

/** What is refused is a deletion; whether the rows shall go as well is the operator's to say, so the gentler way is the fix where it is one. */
function holding(key: ForeignKey): Finding {
  const [way, other] = key.notNull.length === 0 ? ['SET NULL', 'ON DELETE CASCADE deletes the rows'] : ['CASCADE', null]
  return {
    ...about(key),
    problem: `A user whose rows are in ${key.table} cannot be deleted for good: the foreign key is ON DELETE ${key.onDelete === 'r' ? 'RESTRICT' : 'NO ACTION'}.`,
    fix: `${other === null ? '-- The rows are deleted with the user.' : `-- The rows stay, without the user; ${other} with the user instead.`}\n${recreate(key, way)}`,
  }
}

/** As it is, but for what it does when the row is deleted. */
function recreate({ constraintReference: name, tableReference: table, definition }: ForeignKey, onDelete: string | undefined): string {
  const [, head = '', tail = ''] =
    /^(.*?)(?: ON DELETE (?:RESTRICT|NO ACTION))?((?: DEFERRABLE| INITIALLY | NOT ).*)?$/s.exec(definition) ?? []
  return `ALTER TABLE ${table} DROP CONSTRAINT ${name}, ADD CONSTRAINT ${name} ${head} ON DELETE ${onDelete}${tail};`
}

function impossible(key: ForeignKey): Finding {
  const drops = key.notNull.map((column) => `ALTER COLUMN ${column} DROP NOT NULL`)
  return {
    ...about(key),
    problem: `A user whose rows are in ${key.table} cannot be deleted for good: the foreign key is ON DELETE ${key.onDelete === 'n' ? 'SET NULL' : 'SET DEFAULT'}, and its columns are NOT NULL.`,
    fix: `ALTER TABLE ${key.tableReference} ${drops.join(', ')};`,
  }
}
