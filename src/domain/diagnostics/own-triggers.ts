import { catalogue } from '../../generated/catalogue.ts'
import { type Check, type Finding, quoteName } from './finding.ts'

type Trigger = { table: string; name: string; state: string }

/** Roster's own triggers and functions, and PostgreSQL's triggers that keep foreign keys: those that are missing or switched off. */
export const checkOwnTriggers: Check = async (db) => {
  const triggers = await db.$queryRaw<Trigger[]>`
    SELECT c.relname::text AS "table", t.tgname::text AS name, t.tgenabled::text AS state
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE c.relnamespace = to_regnamespace('roster') AND NOT t.tgisinternal ORDER BY c.relname, t.tgname`
  const unkept = await db.$queryRaw<{ table: string }[]>`
    SELECT DISTINCT c.relname::text AS "table" FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE c.relnamespace = to_regnamespace('roster') AND t.tgisinternal AND t.tgenabled NOT IN ('O', 'A') ORDER BY 1`
  const functions = await db.$queryRaw<{ name: string }[]>`
    SELECT p.proname::text AS name FROM pg_proc p WHERE p.pronamespace = to_regnamespace('roster')`
  return [
    ...catalogue.functions.filter((wanted) => !functions.some(({ name }) => name === wanted.name)).map(missingFunction),
    ...catalogue.triggers.flatMap((wanted) => {
      const found = triggers.find(({ table, name }) => table === wanted.table && name === wanted.name)
      return found === undefined ? [missing(wanted)] : found.state === 'O' || found.state === 'A' ? [] : [disabled(wanted)]
    }),
    ...unkept.map(notKept),
  ]
}

type Wanted = (typeof catalogue.triggers)[number]

function missingFunction({ name, definition }: (typeof catalogue.functions)[number]): Finding {
  const problem = "Roster's own function is missing: what calls it fails."
  return { severity: 'ERROR', object: `roster.${name}`, kind: 'function', problem, fix: `${definition.trimEnd()};` }
}

function missing({ table, name, definition }: Wanted): Finding {
  const problem = "Roster's own trigger is missing: what it keeps, such as history as it was written, is not kept."
  return { severity: 'ERROR', object: `${name} on roster.${table}`, kind: 'trigger', problem, fix: `${definition};` }
}

function disabled({ table, name }: Wanted): Finding {
  const problem = "Roster's own trigger is switched off: what it keeps, such as history as it was written, is not kept."
  const fix = `ALTER TABLE roster.${quoteName(table)} ENABLE TRIGGER ${quoteName(name)};`
  return { severity: 'ERROR', object: `${name} on roster.${table}`, kind: 'trigger', problem, fix }
}

function notKept({ table }: { table: string }): Finding {
  const problem = 'The triggers by which PostgreSQL keeps foreign keys are switched off: rows of users who are deleted stay behind.'
  const fix = `ALTER TABLE roster.${quoteName(table)} ENABLE TRIGGER ALL;`
  return { severity: 'ERROR', object: `roster.${table}`, kind: 'foreign key', problem, fix }
}
