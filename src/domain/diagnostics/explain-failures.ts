import { type PostgresError, postgresError } from '../../database/errors.ts'
import { explainRefusal } from '../../database/refusal.ts'
import type { PrismaClient } from '../../generated/prisma/client.ts'
import type { DomainError } from '../errors.ts'
import { enumerate, type Finding, quoteName } from './finding.ts'
import { findHostTriggers } from './host-trigger.ts'
import { dropTrigger, triggerFix } from './trigger-fix.ts'
import type { Failure } from './try-changes.ts'
import { usedTables } from './used-tables.ts'

type Cause = Omit<Finding, 'severity'>

/**
 * Names what made changes fail that were tried. `known` is what was found in the catalogue: whatever of it has refused a change keeps
 * its fix. What refused several kinds of change is one finding.
 */
export async function explainFailures(db: PrismaClient, failures: readonly Failure[], known: readonly Finding[]): Promise<Finding[]> {
  const found = new Map<string, { cause: Cause; whats: string[] }>()
  for (const failure of failures)
    for (const cause of await causesOf(db, failure, known)) {
      const key = JSON.stringify([cause.object, cause.fix])
      const same = found.get(key)
      if (same) same.whats.push(failure.what)
      else found.set(key, { cause, whats: [failure.what] })
    }
  const untried = failures.filter(({ error }) => error === null).map(({ what }) => what)
  const findings = [...found.values()].map(({ cause, whats }) => ({
    ...cause,
    severity: 'ERROR' as const,
    problem: `Tried with a made-up user, ${enumerate(whats)} ${whats.length === 1 ? 'fails' : 'fail'}. ${cause.problem}`,
  }))
  return untried.length === 0 ? findings : [...findings, noTime(untried)]
}

async function causesOf(db: PrismaClient, { error, userId }: Failure, known: readonly Finding[]): Promise<Cause[]> {
  if (error === null) return []
  const refusal = await explainRefusal(error, db, userId)
  const cause = postgresError(error)
  if (cause === null || refusal?.code === 'USER_NOT_FOUND') return [await ofNothing(db, known)]
  if (isA(refusal, 'TRIGGER_REJECTED')) return [await ofTrigger(db, refusal, cause)]
  if (isA(refusal, 'CONSTRAINT_FAILED')) return [ofConstraint(refusal, cause, known)]
  if (isA(refusal, 'DELETE_BLOCKED')) return ofReferences(refusal, known)
  return [ofStatement(cause, known)]
}

function isA<Code extends DomainError['code']>(error: DomainError | null, code: Code): error is DomainError<Code> {
  return error?.code === code
}

async function ofTrigger(db: PrismaClient, { message, details }: DomainError<'TRIGGER_REJECTED'>, error: PostgresError): Promise<Cause> {
  const triggers = await findHostTriggers(db)
  const trigger = triggers.find(({ name, table }) => name === details.trigger && table === details.table)
  const fix = trigger ? triggerFix(trigger, await usedTables(db, trigger), error, details.hint) : `-- ${details.hint}`
  return { object: `${details.trigger} on ${details.table}`, kind: 'trigger', problem: message, fix }
}

function ofConstraint({ message, details }: DomainError<'CONSTRAINT_FAILED'>, error: PostgresError, known: readonly Finding[]): Cause {
  const { table, constraint, column } = details
  const object = constraint === null ? `${table}.${column}` : `${constraint} on ${table}`
  const alter = `ALTER TABLE ${quoteName(error.schema ?? '')}.${quoteName(error.table ?? '')}`
  const fix =
    constraint === null
      ? `${alter} ALTER COLUMN ${quoteName(column ?? '')} DROP NOT NULL;`
      : `${alter} DROP CONSTRAINT ${quoteName(constraint)};`
  const same = known.find((finding) => finding.object === object)
  return { object, kind: same?.kind ?? 'constraint', problem: message, fix: same?.fix ?? fix }
}

function ofReferences({ details }: DomainError<'DELETE_BLOCKED'>, known: readonly Finding[]): Cause[] {
  return details.references.map(({ table, constraint }) => {
    const object = `${constraint} on ${table}`
    const same = known.find((finding) => finding.object === object)
    const problem = same?.problem ?? `Rows of ${table} hold the user.`
    const fix = same?.fix ?? '-- Recreate the foreign key with ON DELETE CASCADE or ON DELETE SET NULL.'
    return { object, kind: 'foreign key', problem, fix }
  })
}

/** No error of PostgreSQL's: what was written is not there, or is not as it was written. */
async function ofNothing(db: PrismaClient, known: readonly Finding[]): Promise<Cause> {
  const problem = 'What is written is not there afterwards: something skips it.'
  const suspect = known.find(({ kind }) => kind === 'rule' || kind === 'row-level security')
  if (suspect) return { ...suspect, problem: `${problem} ${suspect.problem}` }
  const triggers = (await findHostTriggers(db)).filter(({ onRoster, canSkip }) => onRoster && canSkip)
  const [first] = triggers
  if (first === undefined)
    return { object: 'roster', kind: 'statement', problem, fix: '-- Look at the rules and views of the schema roster.' }
  const advice = '-- A BEFORE trigger must end with "return new" ("return old" in a delete trigger). Or, until it does:'
  const fix = [advice, ...triggers.map(dropTrigger)].join('\n')
  return { object: `${first.name} on ${first.table}`, kind: 'trigger', problem, fix }
}

/**
 * A statement of Roster's that is refused, though no trigger or constraint does: something of its own is not as it was installed. The
 * message may quote values; the server's log has it.
 */
function ofStatement({ code, message, schema, table }: PostgresError, known: readonly Finding[]): Cause {
  const suspects = /^(22|42)/.test(code) ? known.filter(({ kind }) => suspectKinds.has(kind)) : []
  const suspect = suspects.find(({ object }) => message.includes(object.split('.').at(-1) ?? object)) ?? suspects[0]
  if (suspect) return { ...suspect, problem: `PostgreSQL refuses it with ${code}. ${suspect.problem}` }
  return {
    object: table === null ? 'roster' : `${schema}.${table}`,
    kind: 'statement',
    problem: `PostgreSQL refuses it with ${code}${/^(42501|42P01|42703|42883)/.test(code) ? `: ${message}` : ''}.`,
    fix: "-- Look the code up in appendix A of PostgreSQL's manual, and the message in the server's log.",
  }
}

const suspectKinds: ReadonlySet<string> = new Set(['table', 'column', 'function', 'row-level security'])

function noTime(whats: readonly string[]): Finding {
  return {
    severity: 'WARNING',
    object: 'roster',
    kind: 'trial',
    problem: `The database did not answer in time, so that ${enumerate(whats)} could not be tried.`,
    fix: '-- Run `roster doctor` again when the database is less busy.',
  }
}
