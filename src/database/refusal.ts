import { type DeleteReference, DomainError, type DomainErrorCode } from '../domain/errors.ts'
import type { PrismaClient } from '../generated/prisma/client.ts'
import { findReferences } from './delete-references.ts'
import { type PostgresError, postgresError } from './errors.ts'
import { explainTrigger } from './trigger-refusal.ts'

/**
 * Names what in the database refused a change, after its transaction was rolled back: a value that is taken, a constraint, a
 * trigger, or a host table that holds a user. Null when the failure is none of these. `userId` is who was to be deleted, where
 * that is known. Reads the catalogue, and counts rows of host tables.
 */
export async function explainRefusal(error: unknown, db: PrismaClient, userId: string | null = null): Promise<DomainError | null> {
  const refusal = postgresError(error)
  if (refusal === null) return null
  try {
    return await explain(refusal, error, db, userId)
  } catch {
    // The catalogue cannot be read now: the failure stands as it is.
    return null
  }
}

async function explain(refusal: PostgresError, error: unknown, db: PrismaClient, userId: string | null): Promise<DomainError | null> {
  const rejected = await explainTrigger(refusal, error, db)
  if (rejected !== null) return rejected
  if (refusal.routine === raise || !refusal.code.startsWith('23')) return null
  if (refusal.code === '23503' || refusal.code === '23001') {
    const references = await findReferences(refusal, db, userId)
    if (references.length > 0) return deleteBlocked(references, error)
  }
  return explainTaken(refusal, error) ?? explainConstraint(refusal, error)
}

/** Where PostgreSQL executes RAISE: an error of Roster's own functions, then, with a code it chose. */
const raise = 'exec_stmt_raise'

/** Roster's own unique constraints, by their table: what another one has. */
const taken: Readonly<Record<string, Readonly<{ code: DomainErrorCode; field: string; message: string }>>> = {
  'users.users_email_key': { code: 'EMAIL_TAKEN', field: 'email', message: 'Another user has this e-mail address.' },
  'users.users_phone_number_key': { code: 'PHONE_NUMBER_TAKEN', field: 'phoneNumber', message: 'Another user has this phone number.' },
  'users.users_username_key': { code: 'USERNAME_TAKEN', field: 'username', message: 'Another user has this username.' },
  'users.users_external_id_key': { code: 'EXTERNAL_ID_TAKEN', field: 'externalId', message: 'Another user has this external id.' },
  'users.users_pkey': { code: 'INVALID_INPUT', field: 'id', message: 'Another user has this id.' },
  'connections.connections_key_key': { code: 'CONNECTION_KEY_TAKEN', field: 'key', message: 'Another connection has this key.' },
  'identities.identities_provider_key': {
    code: 'IDENTITY_TAKEN',
    field: 'providerUserId',
    message: 'Another user has this account at the provider.',
  },
}

function explainTaken({ schema, table, constraint }: PostgresError, error: unknown): DomainError | null {
  if (schema !== 'roster' || constraint === null) return null
  if (ownUserKeys.test(constraint)) return new DomainError('USER_NOT_FOUND', 'The user is gone.', [], {}, error)
  const known = taken[`${table}.${constraint}`]
  return known ? new DomainError(known.code, known.message, ['input', known.field], {}, error) : null
}

/** The foreign keys of Roster's tables to `roster.users`: they fail when somebody deletes the user meanwhile. */
const ownUserKeys = /^(profiles|profile_sources|identities|password_credentials|sessions|one_time_tokens|audit_events)_user_id_fkey$/

function deleteBlocked(references: readonly DeleteReference[], error: unknown): DomainError {
  const names = references.map(({ table, constraint }) => `${table} (${constraint})`).join(', ')
  const message = `Rows of ${names} hold this user. Remove them first, or recreate the foreign key with "on delete cascade" or "on delete set null".`
  return new DomainError('DELETE_BLOCKED', message, [], { references: [...references] }, error)
}

function explainConstraint(refusal: PostgresError, error: unknown): DomainError {
  const { code, constraint, column } = refusal
  const table = refusal.table === null ? null : `${refusal.schema}.${refusal.table}`
  const { kind, hint } = constraintKinds[code] ?? { kind: 'constraint', hint: 'Send a value that it allows, or change it.' }
  const what = code === '23502' ? `column "${column}"` : `${kind} "${constraint}"`
  const message = `The ${what}${table === null ? '' : ` of ${table}`} refuses the change (${code}).`
  return new DomainError('CONSTRAINT_FAILED', message, [], { table, constraint, column, hint: `It is not Roster's own. ${hint}` }, error)
}

const constraintKinds: Readonly<Record<string, Readonly<{ kind: string; hint: string }>>> = {
  23502: {
    kind: 'not-null constraint',
    hint: 'Send a value where Roster has a field for it, or give the column a default, or drop its NOT NULL.',
  },
  23503: { kind: 'foreign key', hint: 'Make the row that it refers to first, or change the foreign key.' },
  23505: { kind: 'unique constraint', hint: 'Another row has the same value: send another one, or change the constraint.' },
  23514: { kind: 'check constraint', hint: 'Send a value that it allows, or change it.' },
  '23P01': { kind: 'exclusion constraint', hint: 'Another row stands against this one: send another value, or change the constraint.' },
}
