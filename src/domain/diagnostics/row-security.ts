import { type Check, type Finding, quoteName } from './finding.ts'

type Table = { name: string; hasSecurity: boolean; rules: string[] }

/** Row-level security and rules on Roster's tables, which hide or replace what Roster reads and writes. */
export const checkRowSecurity: Check = async (db) => {
  const tables = await db.$queryRaw<Table[]>`
    SELECT c.relname::text AS name, row_security_active(c.oid) AS "hasSecurity",
      array(SELECT r.rulename::text FROM pg_rewrite r WHERE r.ev_class = c.oid AND r.ev_enabled IN ('O', 'A') ORDER BY 1) AS rules
    FROM pg_class c WHERE c.relnamespace = to_regnamespace('roster') AND c.relkind IN ('r', 'p') ORDER BY c.relname`
  return tables.flatMap(({ name, hasSecurity, rules }) => [
    ...(hasSecurity ? [secured(name)] : []),
    ...rules.map((rule) => ruled(name, rule)),
  ])
}

function secured(table: string): Finding {
  return {
    severity: 'ERROR',
    object: `roster.${table}`,
    kind: 'row-level security',
    problem: "Row-level security holds for Roster's database user: rows that no policy shows it are not found, and cannot be changed.",
    fix: `ALTER TABLE roster.${quoteName(table)} DISABLE ROW LEVEL SECURITY;`,
  }
}

function ruled(table: string, rule: string): Finding {
  return {
    severity: 'WARNING',
    object: `${rule} on roster.${table}`,
    kind: 'rule',
    problem:
      'The rule was added by hand, and does something else, or more, than what Roster asks for; an import passes it by. Write it as a trigger.',
    fix: `DROP RULE ${quoteName(rule)} ON roster.${quoteName(table)};`,
  }
}
