import type { DeleteReference } from '../domain/errors.ts'
import type { PrismaClient } from '../generated/prisma/client.ts'
import type { PostgresError } from './errors.ts'

/** A foreign key, with names that can be written into SQL. */
type ForeignKey = Readonly<{
  constraint: string
  /** The table that has the key: as it is called, as it is written, and its oid. */
  tableName: string
  table: string
  oid: string
  /** The columns, `"a", "b"`, here and there. */
  columns: string
  referencedColumns: string
  /** pg_constraint.confdeltype: `a` no action, `r` restrict, `c` cascade, `n` set null, `d` set default. */
  onDelete: string
}>

/** More rows than this are not counted. */
const mostRows = 1000

/** Chains of cascades are followed so far. */
const mostTables = 50

/**
 * Finds every foreign key that holds a user who was to be deleted: of tables that refer to the user, or to a row that goes
 * with the user. Rows are counted up to 1000; of what cannot be counted, only the key that said no is named, with one row.
 * Empty when the key did not refuse a deletion.
 */
export async function findReferences(refusal: PostgresError, db: PrismaClient, userId: string | null): Promise<DeleteReference[]> {
  const { schema, constraint, detail } = refusal
  const table = `${schema}.${refusal.table}`
  const id = userId ?? detail?.match(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/)?.[0] ?? null
  const references = id === null ? [] : await collect(db, id)
  if (references.some((reference) => reference.table === table && reference.constraint === constraint)) return references
  // Roster writes to no host table: what one of their keys refuses is a deletion.
  return schema === 'roster' ? [] : [{ table, constraint: constraint ?? '', rows: 1 }, ...references]
}

async function collect(db: PrismaClient, id: string): Promise<DeleteReference[]> {
  const references: DeleteReference[] = []
  const [users] = await db.$queryRaw<{ oid: string }[]>`SELECT '"roster"."users"'::regclass::oid::text AS oid`
  const deleted = [{ oid: users?.oid ?? '', rows: `SELECT * FROM "roster"."users" WHERE "id" = $1::uuid` }]
  for (const { oid, rows } of deleted) {
    for (const key of await foreignKeys(db, oid)) {
      const held = `SELECT * FROM ${key.table} WHERE (${key.columns}) IN (SELECT ${key.referencedColumns} FROM (${rows}) deleted)`
      const isNew = deleted.length < mostTables && !deleted.some((table) => table.oid === key.oid)
      if (key.onDelete === 'c' && isNew) deleted.push({ oid: key.oid, rows: held })
      if (key.onDelete !== 'a' && key.onDelete !== 'r') continue
      const count = await countRows(db, held, id)
      if (count > 0) references.push({ table: key.tableName, constraint: key.constraint, rows: count })
    }
  }
  return references.toSorted((a, b) => `${a.table} ${a.constraint}`.localeCompare(`${b.table} ${b.constraint}`, 'en'))
}

/** Answers 0 where the rows cannot be read: Roster's database user need not have the right. */
async function countRows(db: PrismaClient, rows: string, id: string): Promise<number> {
  try {
    const [found] = await db.$queryRawUnsafe<{ count: number }[]>(
      `SELECT count(*)::int AS count FROM (SELECT 1 FROM (${rows}) held LIMIT ${mostRows}) counted`,
      id,
    )
    return found?.count ?? 0
  } catch {
    return 0
  }
}

/** The foreign keys that refer to a table. Those of partitions are left out: their parent's stands for them. */
async function foreignKeys(db: PrismaClient, oid: string): Promise<ForeignKey[]> {
  return db.$queryRaw<ForeignKey[]>`
    SELECT k.conname::text AS constraint, k.conrelid::text AS oid, k.confdeltype::text AS "onDelete",
      n.nspname || '.' || c.relname AS "tableName", quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS "table",
      (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY p.position) FROM unnest(k.conkey) WITH ORDINALITY p (number, position)
        JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = p.number) AS columns,
      (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY p.position) FROM unnest(k.confkey) WITH ORDINALITY p (number, position)
        JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = p.number) AS "referencedColumns"
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE k.contype = 'f' AND k.conparentid = 0 AND k.confrelid = ${oid}::oid
`
}
