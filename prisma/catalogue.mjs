// Writes src/generated/catalogue.ts: everything that the migrations make, as PostgreSQL's catalogue has it, for `roster doctor` to
// hold a database against. It runs them on a scratch PGlite, which takes seconds, and only when a migration has changed.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const target = join(here, '../src/generated/catalogue.ts')

const names = `c.relnamespace = 'roster'::regnamespace`
const queries = {
  columns: `
    SELECT c.relname::text AS "table", a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS type,
      (SELECT collname FROM pg_collation WHERE oid = a.attcollation AND collname <> 'default')::text AS collation,
      a.attnotnull AS "notNull", pg_get_expr(d.adbin, d.adrelid) AS "default"
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE ${names} AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped ORDER BY 1, a.attnum`,
  constraints: `
    SELECT c.relname::text AS "table", k.conname::text AS name, pg_get_constraintdef(k.oid) AS definition
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid WHERE ${names} AND k.contype IN ('p', 'u', 'f', 'c', 'x') ORDER BY 1, k.contype = 'f', 2`,
  indexes: `
    SELECT c.relname::text AS "table", i.relname::text AS name, x.indisunique AS "unique", pg_get_indexdef(x.indexrelid) AS definition
    FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
    WHERE ${names} AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = x.indexrelid AND k.contype IN ('p', 'u', 'x')) ORDER BY 1, 2`,
  triggers: `
    SELECT c.relname::text AS "table", t.tgname::text AS name, pg_get_triggerdef(t.oid) AS definition
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE ${names} AND NOT t.tgisinternal ORDER BY 1, 2`,
  functions: `
    SELECT p.proname::text AS name, pg_get_functiondef(p.oid) AS definition
    FROM pg_proc p WHERE p.pronamespace = 'roster'::regnamespace
      AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e') ORDER BY 1`,
}

/** Generates the file, unless it is that of these migrations already. */
export async function generateCatalogue() {
  const migrations = readMigrations()
  const head = `// Of the migrations with the checksum ${checksum([readFileSync(fileURLToPath(import.meta.url)), ...migrations])}.\n`
  if (existsSync(target) && readFileSync(target, 'utf8').startsWith(head)) return
  const catalogue = JSON.stringify(await readCatalogue(migrations), null, 2)
  mkdirSync(dirname(target), { recursive: true })
  writeFileSync(target, `${head}${types}export const catalogue: Catalogue = ${catalogue}\n`)
}

const types = `export type Catalogue = Readonly<{
  columns: readonly Readonly<{ table: string; name: string; type: string; collation: string | null; notNull: boolean; default: string | null }>[]
  constraints: readonly Readonly<{ table: string; name: string; definition: string }>[]
  indexes: readonly Readonly<{ table: string; name: string; unique: boolean; definition: string }>[]
  triggers: readonly Readonly<{ table: string; name: string; definition: string }>[]
  functions: readonly Readonly<{ name: string; definition: string }>[]
}>

`

function readMigrations() {
  const folder = join(here, 'migrations')
  const entries = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  const folders = entries.map(({ name }) => name).sort()
  return folders.map((name) => readFileSync(join(folder, name, 'migration.sql'), 'utf8'))
}

function checksum(parts) {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest('hex')
}

async function readCatalogue(migrations) {
  const { PGlite } = await import('@electric-sql/pglite')
  const { pg_trgm } = await import('@electric-sql/pglite/contrib/pg_trgm')
  const pglite = await PGlite.create({ extensions: { pg_trgm } })
  try {
    for (const sql of migrations) await pglite.exec(sql)
    // Names are then written with their schema.
    await pglite.exec(`SET search_path = ''`)
    const catalogue = {}
    for (const [name, sql] of Object.entries(queries)) catalogue[name] = (await pglite.query(sql)).rows
    return catalogue
  } finally {
    await pglite.close()
  }
}
