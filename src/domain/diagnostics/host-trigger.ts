import type { Prisma } from '../../generated/prisma/client.ts'

/** A trigger of the operator's that fires, and its function. A `reference` is a name as SQL writes it. */
export type HostTrigger = Readonly<{
  name: string
  table: string
  /** `on_user_created ON roster.users` */
  reference: string
  /** Whether it fires on a table of Roster's. */
  onRoster: boolean
  function: string
  functionReference: string
  schemaReference: string
  /** `CREATE OR REPLACE FUNCTION ...` */
  definition: string
  /** The body. */
  source: string
  isDefiner: boolean
  owner: string
  /** The function's own search_path; null where it takes that of whoever fires it. */
  searchPath: string | null
  /** Roster's database user. */
  user: string
  /** Whether it can keep a row from being written, without an error: BEFORE, FOR EACH ROW. */
  canSkip: boolean
}>

/** Every trigger of the operator's that is on. */
export function findHostTriggers(db: Prisma.TransactionClient): Promise<HostTrigger[]> {
  return db.$queryRaw<HostTrigger[]>`
    SELECT t.tgname::text AS name, n.nspname || '.' || c.relname AS "table", format('%I ON %I.%I', t.tgname, n.nspname, c.relname) AS reference,
      n.nspname = 'roster' AS "onRoster", fn.nspname || '.' || p.proname AS function, format('%I.%I', fn.nspname, p.proname) AS "functionReference",
      quote_ident(fn.nspname) AS "schemaReference", pg_get_functiondef(p.oid) AS definition, p.prosrc AS source, p.prosecdef AS "isDefiner",
      pg_get_userbyid(p.proowner)::text AS owner,
      (SELECT substr(setting, 13) FROM unnest(p.proconfig) setting WHERE setting LIKE 'search_path=%') AS "searchPath",
      current_user::text AS "user", t.tgtype & 3 = 3 AS "canSkip"
    FROM pg_trigger t
    JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_namespace fn ON fn.oid = p.pronamespace
    WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND fn.nspname NOT IN ('roster', 'pg_catalog') ORDER BY "table", name`
}

/** With whose rights the function runs. */
export function runnerOf({ isDefiner, owner, user }: HostTrigger): string {
  return isDefiner ? owner : user
}
