import { type Catalogue, catalogue } from '../../generated/catalogue.ts'
import { type Check, type Finding, quoteName } from './finding.ts'

type Index = { table: string; name: string; isUnique: boolean; isValid: boolean; ofConstraint: boolean; definition: string }

/** The indexes of Roster's tables: those that are missing or not valid, and unique ones added by hand. */
export const checkIndexes: Check = async (db) => {
  const indexes = await db.$queryRaw<Index[]>`
    SELECT c.relname::text AS "table", i.relname::text AS name, x.indisunique AS "isUnique", x.indisvalid AND x.indisready AS "isValid",
      EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = x.indexrelid AND k.contype IN ('p', 'u', 'x')) AS "ofConstraint",
      pg_get_indexdef(x.indexrelid) AS definition
    FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
    WHERE c.relnamespace = to_regnamespace('roster') ORDER BY c.relname, i.relname`
  const [trigrams] = await db.$queryRaw<{ schema: string }[]>`
    SELECT quote_ident(n.nspname) AS schema FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_trgm'`
  const isThere = ({ table, name }: Named) => indexes.some((index) => index.table === table && index.name === name)
  const isOwn = ({ table, name }: Named) => catalogue.indexes.some((index) => index.table === table && index.name === name)
  const tables = new Set(catalogue.columns.map(({ table }) => table))
  return [
    ...catalogue.indexes.filter((index) => !isThere(index)).map((index) => missing(index, trigrams?.schema ?? null)),
    ...indexes.filter(({ isValid }) => !isValid).map(invalid),
    ...indexes.filter((index) => index.isUnique && !index.ofConstraint && tables.has(index.table) && !isOwn(index)).map(addedUnique),
  ]
}

type Named = Pick<Index, 'table' | 'name'>

function about({ table, name }: Named) {
  return { object: `${name} on roster.${table}`, kind: 'index' }
}

function missing(index: Catalogue['indexes'][number], trigrams: string | null): Finding {
  if (index.name === 'users_trigram_idx') return missingTrigrams(index, trigrams)
  return {
    ...about(index),
    severity: index.unique ? 'ERROR' : 'WARNING',
    problem: index.unique
      ? "Roster's own unique index is missing: two users may have what only one may."
      : "Roster's own index is missing: what it serves reads the whole table, and may take longer than a request may.",
    fix: `${index.definition};`,
  }
}

function missingTrigrams(index: Catalogue['indexes'][number], schema: string | null): Finding {
  const definition = index.definition.replaceAll('roster.gin_trgm_ops', `${schema ?? 'roster'}.gin_trgm_ops`)
  return {
    ...about(index),
    severity: 'INFO',
    problem: 'Without this index, filters and searches by a part of a name read the whole table. It needs the extension pg_trgm.',
    fix: `${schema === null ? 'CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA roster;\n' : ''}${definition};`,
  }
}

function invalid(index: Index): Finding {
  const problem = index.isUnique
    ? 'The index is not valid: it refuses values twice and yet is not used to find them, and may not hold all rows.'
    : 'The index is not valid: it is kept up to date and not used.'
  return { ...about(index), severity: 'WARNING', problem, fix: `REINDEX INDEX roster.${quoteName(index.name)};` }
}

function addedUnique(index: Index): Finding {
  const problem = `The unique index was added by hand, and refuses what another row has: ${index.definition}.`
  return { ...about(index), severity: 'WARNING', problem, fix: `DROP INDEX roster.${quoteName(index.name)};` }
}
