import type { Prisma } from '../../generated/prisma/client.ts'
import { quoteName } from './finding.ts'
import { type HostTrigger, runnerOf } from './host-trigger.ts'

/** A table that a function's body names, and what it does with it. */
export type UsedTable = Readonly<{
  name: string
  reference: string
  schemaReference: string
  /** Whether the body leaves the schema out. */
  isUnqualified: boolean
  hasRowSecurity: boolean
  ownerReference: string
  /** What the function's runner lacks to do that: `GRANT ...` statements. */
  grants: readonly string[]
}>

type Relation = Omit<UsedTable, 'isUnqualified' | 'grants'> & { schema: string; canUseSchema: boolean; granted: string[] }
type Use = Readonly<{ schema: string | null; name: string; privilege: string }>

const part = String.raw`(?:"(?:[^"]|"")+"|[\p{L}_][\p{L}\p{N}_$]*)`
const uses = new RegExp(String.raw`\b(insert\s+into|update|delete\s+from|from|join)\s+(?:only\s+)?(?:(${part})\s*\.\s*)?(${part})`, 'giu')

/**
 * Finds the tables that a trigger's function works on, as far as its text tells: those in statements that it puts together from
 * strings, or in functions that it calls, are not seen.
 */
export async function usedTables(db: Prisma.TransactionClient, trigger: HostTrigger): Promise<UsedTable[]> {
  const found = usesIn(trigger.source)
  const relations = await findRelations(db, runnerOf(trigger), [...new Set(found.map(({ name }) => name))])
  const tables = new Map<Relation, Use[]>()
  for (const use of found) {
    const relation = resolve(use, relations, trigger)
    if (relation !== undefined) tables.set(relation, [...(tables.get(relation) ?? []), use])
  }
  return [...tables].map(([relation, ofTable]) => toUsedTable(relation, ofTable, runnerOf(trigger)))
}

function usesIn(source: string): Use[] {
  const text = source.replaceAll(/--.*$/gm, '').replaceAll(/\/\*.*?\*\//gs, '')
  return [...text.matchAll(uses)].map(([, verb = '', schema, name = '']) => ({
    schema: schema === undefined ? null : plain(schema),
    name: plain(name),
    privilege: privileges[verb.toLowerCase().split(/\s/)[0] ?? ''] ?? 'SELECT',
  }))
}

const privileges: Readonly<Record<string, string>> = { insert: 'INSERT', update: 'UPDATE', delete: 'DELETE' }

/** The name that is meant: unquoted ones are folded to lower case. */
function plain(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name.toLowerCase()
}

function findRelations(db: Prisma.TransactionClient, runner: string, names: readonly string[]): Promise<Relation[]> {
  return db.$queryRaw<Relation[]>`
    SELECT n.nspname::text AS schema, n.nspname || '.' || c.relname AS name, format('%I.%I', n.nspname, c.relname) AS reference,
      quote_ident(n.nspname) AS "schemaReference", c.relrowsecurity AS "hasRowSecurity", quote_ident(pg_get_userbyid(c.relowner)) AS "ownerReference",
      has_schema_privilege(${runner}::name, n.oid, 'USAGE') AS "canUseSchema",
      array(SELECT wanted FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) wanted
        WHERE has_table_privilege(${runner}::name, c.oid, wanted)) AS granted
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relname = ANY(${names}::text[])
      AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%' ORDER BY 1`
}

/** Where no schema is written: the function's own, or `public`, or the first that has such a table. */
function resolve({ schema, name }: Use, relations: readonly Relation[], { schemaReference }: HostTrigger): Relation | undefined {
  const named = relations.filter((relation) => relation.name === `${relation.schema}.${name}`)
  if (schema !== null) return named.find((relation) => relation.schema === schema)
  return (
    named.find((relation) => relation.schemaReference === schemaReference) ??
    named.find((relation) => relation.schema === 'public') ??
    named[0]
  )
}

function toUsedTable({ schema, canUseSchema, granted, ...relation }: Relation, ofTable: readonly Use[], runner: string): UsedTable {
  const wanted = [...new Set(ofTable.map(({ privilege }) => privilege))].filter((privilege) => !granted.includes(privilege))
  const to = quoteName(runner)
  const grants = [
    ...(canUseSchema ? [] : [`GRANT USAGE ON SCHEMA ${relation.schemaReference} TO ${to};`]),
    ...(wanted.length === 0 ? [] : [`GRANT ${wanted.sort().join(', ')} ON ${relation.reference} TO ${to};`]),
  ]
  return { ...relation, isUnqualified: ofTable.some((use) => use.schema === null), grants }
}
