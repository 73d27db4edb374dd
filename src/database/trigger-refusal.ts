import { DomainError } from '../domain/errors.ts'
import type { PrismaClient } from '../generated/prisma/client.ts'
import type { PostgresError } from './errors.ts'

/** A trigger of the operator's, and the function it calls. */
type Trigger = Readonly<{
  name: string
  table: string
  function: string
  functionName: string
  /** Whether it fires on a table of Roster's. */
  onRoster: boolean
  securityDefiner: boolean
  owner: string
}>

/** Names the trigger in which the error came up, by the functions that PostgreSQL was in; null when there was none. */
export async function explainTrigger(refusal: PostgresError, cause: unknown, db: PrismaClient): Promise<DomainError | null> {
  const trigger = await findTrigger(refusal.where ?? '', db)
  if (trigger === null) return null
  const message = `The trigger "${trigger.name}" on ${trigger.table} refused the change: ${publicMessage(refusal)} (${refusal.code}).`
  const details = { trigger: trigger.name, function: trigger.function, table: trigger.table, hint: hintFor(refusal, trigger) }
  return new DomainError('TRIGGER_REJECTED', message, [], details, cause)
}

/** The names in PostgreSQL's account of its call stack that may be functions, innermost first. What is none is sorted out by the catalogue. */
function functionsIn(where: string): readonly string[] {
  const names = where.matchAll(/([\p{L}_][\p{L}\p{N}_$]*|"(?:[^"]|"")+")\(|function "([^"]+)"/gu)
  return [...names].map(([, called = '', quoted]) => quoted ?? called.replace(/^"(.*)"$/s, '$1').replaceAll('""', '"'))
}

/** The outermost on a table of Roster's is the one that the change fired; a trigger of a host table is named where there is no such. */
async function findTrigger(where: string, db: PrismaClient): Promise<Trigger | null> {
  const functions = functionsIn(where)
  if (functions.length === 0) return null
  const found = await db.$queryRaw<Trigger[]>`
    SELECT t.tgname::text AS name, tn.nspname || '.' || c.relname AS "table", fn.nspname || '.' || p.proname AS function,
      p.proname::text AS "functionName", tn.nspname = 'roster' AS "onRoster", p.prosecdef AS "securityDefiner",
      pg_get_userbyid(p.proowner)::text AS owner
    FROM pg_trigger t
    JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace tn ON tn.oid = c.relnamespace
    JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_namespace fn ON fn.oid = p.pronamespace
    WHERE NOT t.tgisinternal AND fn.nspname <> 'roster' AND p.proname = ANY(${[...functions]}::text[])
    ORDER BY t.tgname`
  const rank = (trigger: Trigger) =>
    (trigger.onRoster ? functions.length : 0) +
    functions.lastIndexOf(trigger.functionName) +
    (where.includes(`${trigger.function}(`) ? 0.5 : 0)
  return found.toSorted((a, b) => rank(b) - rank(a))[0] ?? null
}

/**
 * What RAISE says is written for whoever reads it. Of PostgreSQL's own messages, those about names are told; others quote
 * values, of this user or another.
 */
function publicMessage({ code, message, routine }: PostgresError): string {
  if (routine === 'exec_stmt_raise' || routine === 'exec_stmt_assert' || /^(23|42501|42P01|42703|42883)/.test(code)) return message
  return errorClasses[code.slice(0, 2)] ?? 'an error in its function'
}

/** PostgreSQL, appendix A. */
const errorClasses: Readonly<Record<string, string>> = {
  21: 'a subquery answered more than one row',
  22: 'a value does not fit its type',
  '2F': 'the function does not return as it must',
  42: 'an error in its SQL',
  54: 'a value is too large',
  P0: 'an error in its PL/pgSQL',
}

function hintFor(refusal: PostgresError, trigger: Trigger): string {
  const { code, routine, hint, message } = refusal
  const name = trigger.function
  if (routine === 'exec_stmt_raise') return hint ?? `The rule is your own: ${name} raises this error.`
  if (code === '42501' && trigger.securityDefiner)
    return `${name} runs with the rights of its owner "${trigger.owner}": grant what it needs to that user.`
  if (code === '42501')
    return `${name} runs with the rights of Roster's database user. Recreate it with "security definer set search_path = ''", or grant that user what it needs.`
  if (code === '42703' && /raw_(user|app)_meta_data/.test(message))
    return `In ${name}, write user_metadata for raw_user_meta_data and app_metadata for raw_app_meta_data.`
  if (code === '42703') return `${name} names a column that its table does not have. Compare the two.`
  if (code === '42P01' || code === '42883')
    return `${name} names what is not there, or not on its search_path. Write the schema before the name: public.profiles.`
  if (code === '2F005') return `${name} must end with "return new" ("return old" in a delete trigger).`
  if (code.startsWith('23')) return constraintHint(refusal, name)
  return `Look for the cause in ${name}; the server's log has the whole error.`
}

function constraintHint({ schema, table, constraint, column }: PostgresError, name: string): string {
  const what = constraint === null ? `NOT NULL of the column "${column}"` : `the constraint "${constraint}"`
  return `What ${name} writes breaks ${what} of ${schema}.${table}. Change the function or the constraint.`
}
