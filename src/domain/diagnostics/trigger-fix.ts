import type { PostgresError } from '../../database/errors.ts'
import { quoteName } from './finding.ts'
import type { HostTrigger } from './host-trigger.ts'
import type { UsedTable } from './used-tables.ts'

/** Lets the function run with its owner's rights, whoever changes a user, and find its tables by a path that nobody else can change. */
export function makeDefiner(trigger: HostTrigger, tables: readonly UsedTable[]): string {
  const path = trigger.searchPath === null ? ` SET search_path = ${pathFor(trigger, tables)}` : ''
  return `ALTER FUNCTION ${trigger.functionReference}() SECURITY DEFINER${path};`
}

/** Pins the search path to where the function's tables are. */
export function pinPath(trigger: HostTrigger, tables: readonly UsedTable[]): string {
  return `ALTER FUNCTION ${trigger.functionReference}() SET search_path = ${pathFor(trigger, tables)};`
}

/** The function's own schema and those of the tables it names without one; pg_temp comes last, so that no temporary table takes their place. */
function pathFor({ schemaReference }: HostTrigger, tables: readonly UsedTable[]): string {
  const schemas = tables.filter(({ isUnqualified }) => isUnqualified).map((table) => table.schemaReference)
  return [...new Set([schemaReference, ...schemas, 'pg_temp'])].join(', ')
}

/** What gives the function the rights it lacks: those of its owner, or, where it has them or they are no more than Roster's, grants. */
export function giveRights(trigger: HostTrigger, tables: readonly UsedTable[]): string | null {
  if (!trigger.isDefiner && trigger.owner !== trigger.user) return makeDefiner(trigger, tables)
  const grants = [...new Set(tables.flatMap((table) => table.grants))]
  return grants.length === 0 ? null : grants.join('\n')
}

/** What mends a trigger that refused a change with this error. `hint` is what can be said of the error without looking at the function. */
export function triggerFix(trigger: HostTrigger, tables: readonly UsedTable[], error: PostgresError, hint: string): string {
  return fixOf(trigger, tables, error) ?? `-- ${inLine(hint)}\n-- Or, until that is done:\n${dropTrigger(trigger)}`
}

/** A hint is whatever the function says: none of it may end the comment and be run. */
function inLine(text: string): string {
  return text.replaceAll(/[\p{C}\p{Z}]+/gu, ' ')
}

/** What always mends it. */
export function dropTrigger({ reference }: HostTrigger): string {
  return `DROP TRIGGER ${reference};`
}

function fixOf(trigger: HostTrigger, tables: readonly UsedTable[], { code, message, routine, ...at }: PostgresError): string | null {
  if (routine === 'exec_stmt_raise') return null
  if (code === '42501') return /row-level security/.test(message) ? passRowSecurity(trigger, tables) : giveRights(trigger, tables)
  if (code === '42703' && /raw_(user|app)_meta_data/.test(message)) return renameMetadata(trigger)
  if (code === '42P01' && tables.some(({ isUnqualified }) => isUnqualified)) return pinPath(trigger, tables)
  if (code === '2F005') return addReturn(trigger)
  if (at.schema === null || at.table === null || at.schema === 'roster') return null
  const alter = `ALTER TABLE ${quoteName(at.schema)}.${quoteName(at.table)}`
  if (code === '23502' && at.column !== null) return `${alter} ALTER COLUMN ${quoteName(at.column)} DROP NOT NULL;`
  return code === '23514' && at.constraint !== null ? `${alter} DROP CONSTRAINT ${quoteName(at.constraint)};` : null
}

/** Policies do not hold for the owner of a table. */
function passRowSecurity(trigger: HostTrigger, tables: readonly UsedTable[]): string | null {
  if (!trigger.isDefiner && trigger.owner !== trigger.user) return makeDefiner(trigger, tables)
  const secured = tables.find(({ hasRowSecurity }) => hasRowSecurity)
  if (secured === undefined) return null
  return `ALTER FUNCTION ${trigger.functionReference}() OWNER TO ${secured.ownerReference};\n${makeDefiner(trigger, tables)}`
}

/** The function with Roster's names of Supabase's columns. */
function renameMetadata({ definition }: HostTrigger): string {
  return `${definition.trimEnd().replaceAll('raw_user_meta_data', 'user_metadata').replaceAll('raw_app_meta_data', 'app_metadata')};`
}

/** The function with what it lacks at its end; in a delete trigger there is no new row. */
function addReturn({ definition }: HostTrigger): string | null {
  const ended = definition.trimEnd().replace(/\bend\s*;?\s*(\$\w*\$)$/i, 'RETURN coalesce(NEW, OLD);\nEND;\n$1')
  return ended === definition.trimEnd() ? null : `${ended};`
}
