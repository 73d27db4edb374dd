import { catalogue } from '../../generated/catalogue.ts'
import { type Check, enumerate, type Finding } from './finding.ts'

type Role = { name: string; reference: string; canUseSchema: boolean; functions: string[] }
type Lacking = { table: string; reference: string; privileges: string[] }

const tables = [...new Set(catalogue.columns.map(({ table }) => table))]
const functions = catalogue.functions.map(({ name }) => name)

/** What Roster's database user needs to work, and has not: the schema, its tables, its functions. */
export const checkPrivileges: Check = async (db) => {
  const [role] = await db.$queryRaw<Role[]>`
    SELECT current_user::text AS name, quote_ident(current_user) AS reference, has_schema_privilege(oid, 'USAGE') AS "canUseSchema",
      array(SELECT p.oid::regprocedure::text FROM pg_proc p
        WHERE p.pronamespace = n.oid AND p.proname = ANY(${functions}::text[]) AND NOT has_function_privilege(p.oid, 'EXECUTE')) AS functions
    FROM pg_namespace n WHERE nspname = 'roster'`
  if (role === undefined) return []
  const lacking = await db.$queryRaw<Lacking[]>`
    SELECT 'roster.' || c.relname AS "table", format('roster.%I', c.relname) AS reference, array_agg(wanted.privilege ORDER BY wanted.position) AS privileges
    FROM pg_class c, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) WITH ORDINALITY wanted (privilege, position)
    WHERE c.relnamespace = to_regnamespace('roster') AND NOT has_table_privilege(c.oid, wanted.privilege)
      AND (c.relname = ANY(${tables}::text[]) OR c.relname = '_prisma_migrations' AND wanted.privilege = 'SELECT')
    GROUP BY c.relname ORDER BY c.relname`
  return [
    ...(role.canUseSchema ? [] : [finding(role, 'roster', 'the schema roster', ['USAGE'], 'SCHEMA roster')]),
    ...lacking.map(({ table, reference, privileges }) => finding(role, table, `the table ${table}`, privileges, `TABLE ${reference}`)),
    ...role.functions.map((name) => finding(role, name, `the function ${name}`, ['EXECUTE'], `FUNCTION ${name}`)),
  ]
}

function finding({ name, reference }: Role, object: string, what: string, privileges: readonly string[], target: string): Finding {
  const lacks = `${enumerate(privileges)} on ${what}`
  return {
    severity: 'ERROR',
    object,
    kind: 'privilege',
    problem: `Roster's database user "${name}" lacks ${lacks}.`,
    fix: `GRANT ${privileges.join(', ')} ON ${target} TO ${reference};`,
  }
}
