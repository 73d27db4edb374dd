import { Prisma } from '../../generated/prisma/client.ts'
import type { Authentication } from '../authentication.ts'
import { type Changed, type ChangeScope, change } from '../change.ts'
import { DomainError, DomainErrors, invalidInput, RequestError } from '../errors.ts'
import { assertMetadataFits, type Metadata, type MetadataMode, metadataProblems, patchedMetadata } from '../metadata.ts'
import { isUuid } from '../normalize.ts'
import { credentialHash, removePassword, setPassword } from '../password.ts'
import { type PasswordContext, type PasswordPolicy, passwordProblem } from '../password-policy.ts'
import { hasScope } from '../principal.ts'
import { emptyProfile, type ProfileInput, profileProblems, writeProfile } from '../profile.ts'
import type { Scope } from '../scope.ts'
import { endSessions } from '../session.ts'
import { parseUserAttributes, settleVerification, type UserAttributes, type UserAttributesInput } from './user-attributes.ts'
import { lockRow, lockUser, readUser, type UserRow, userColumns, userImage } from './user-record.ts'

/** A change of a user: what is absent is left alone, null clears. */
export type UpdateUserInput = UserAttributesInput &
  Readonly<{
    /** Absent: the caller. */
    id?: string | null
    password?: string | null
    currentPassword?: string | null
    nonce?: string | null
    profile?: ProfileInput | null
    userMetadata?: Metadata | null
    appMetadata?: Metadata | null
    metadataMode?: MetadataMode | null
    expectedVersion?: number | null
  }>

type Result = { userId: string }
type PasswordScope = Scope & Pick<Authentication, 'passwords'>

/**
 * Changes a user: one mutation for the user and for an administrator. Who may send what is declared on the input's fields
 * and checked before this runs. A new password ends the user's other sessions. Writes `user.updated`.
 *
 * @throws {RequestError} SERVICE_UNAVAILABLE when too many passwords wait to be hashed
 * @throws {DomainErrors} everything that is wrong with the input
 * @throws {DomainError} USER_NOT_FOUND, VERSION_CONFLICT, METADATA_TOO_LARGE, EMAIL_TAKEN and its like, or what the database refused
 */
export async function updateUser(scope: PasswordScope, input: UpdateUserInput): Promise<Result> {
  const userId = input.id ?? scope.caller.principal.userId
  if (userId === null) throw new RequestError('BAD_USER_INPUT', 'This token has no user: name one in `input.id`.', { field: 'input.id' })
  const attributes = parse(input, scope.passwords.policy, await namesOf(scope, userId, input))
  await proveOwnPassword(scope, userId, input)
  const hash = await credentialHash(scope.passwords, { password: input.password ?? null })
  return change(scope, 'user.updated', (tx) => update(tx, userId, input, attributes, hash))
}

/** The names a new password is held against: those the user has, or gets by the same input. */
async function namesOf({ db }: Scope, userId: string, { password, email, username }: UpdateUserInput): Promise<PasswordContext> {
  if (typeof password !== 'string' || !isUuid(userId)) return {}
  const user = await db.user.findUnique({ where: { id: userId }, select: { email: true, username: true } })
  return { email: email ?? user?.email ?? null, username: username ?? user?.username ?? null }
}

function parse(input: UpdateUserInput, policy: PasswordPolicy, names: PasswordContext): UserAttributes {
  const problems: DomainError[] = []
  const attributes = parseUserAttributes(input, problems)
  if (input.profile) problems.push(...profileProblems(input.profile, ['input', 'profile']))
  for (const bag of ['userMetadata', 'appMetadata'] as const) if (input[bag]) problems.push(...metadataProblems(input[bag], ['input', bag]))
  const weak = typeof input.password === 'string' ? passwordProblem(policy, input.password, ['input', 'password'], names) : null
  if (weak) problems.push(weak)
  if (problems.length > 0) throw new DomainErrors(problems)
  return attributes
}

/** Whoever may not change anybody's password changes his own by knowing the one he has (OWASP ASVS 5.0 §6.2.3). */
async function proveOwnPassword(scope: PasswordScope, userId: string, { password, currentPassword }: UpdateUserInput): Promise<void> {
  if (password === undefined || hasScope(scope.caller.principal, 'update:users')) return
  if (password === null) throw invalidInput(['input', 'password'], 'Only an administrator takes a password away.')
  const credential = await scope.db.passwordCredential.findUnique({ where: { userId } })
  const proved =
    typeof currentPassword === 'string' && credential !== null && (await scope.passwords.verify(credential.hash, currentPassword))
  if (!proved) throw invalidInput(['input', 'currentPassword'], 'To change the password, send the current one.')
}

async function update(
  tx: ChangeScope,
  userId: string,
  input: UpdateUserInput,
  parsed: UserAttributes,
  hash: string | null,
): Promise<Changed<Result>> {
  const whole = input.profile !== undefined || input.password !== undefined ? await lockUser(tx.db, userId) : null
  const before = whole ?? (await lockRow(tx.db, userId))
  assertVersion(before, input.expectedVersion ?? null)
  const { attributes, problems } = settleVerification(parsed, before)
  if (problems.length > 0) throw new DomainErrors(problems)
  const row = await updateRow(tx, before, assignments(tx, input, attributes))
  if (whole && input.profile !== undefined)
    await writeProfile(tx, whole.id, whole.profile, input.profile ?? emptyProfile, origin(tx, whole.id))
  if (input.password !== undefined) await changePassword(tx, before.id, hash)
  const after = whole ? await readUser(tx.db, whole.id) : row
  for (const bag of ['userMetadata', 'appMetadata'] as const) if (input[bag]) assertMetadataFits(after[bag], ['input', bag])
  return { result: { userId: before.id }, subjectId: before.id, userId: before.id, before: userImage(before), after: userImage(after) }
}

/** The row as the statement left it. A trigger of the host may skip the change. */
async function updateRow({ db }: ChangeScope, before: UserRow, set: Prisma.Sql[]): Promise<UserRow> {
  const rows = await db.$queryRaw<UserRow[]>`
    update roster.users set ${Prisma.join(set)} where id = ${before.id}::uuid returning ${userColumns}`
  return rows[0] ?? before
}

function assertVersion({ version }: UserRow, expected: number | null): void {
  if (expected === null || expected === version) return
  const message = `The user has been changed since: it has version ${version}, not ${expected}. Read it again.`
  throw new DomainError('VERSION_CONFLICT', message, ['input', 'expectedVersion'], { currentVersion: version })
}

const columns = {
  email: Prisma.sql`email`,
  emailNormal: Prisma.sql`email_normal`,
  emailVerified: Prisma.sql`email_verified`,
  phoneNumber: Prisma.sql`phone_number`,
  phoneNumberVerified: Prisma.sql`phone_number_verified`,
  username: Prisma.sql`username`,
  usernameNormal: Prisma.sql`username_normal`,
  externalId: Prisma.sql`external_id`,
} satisfies Record<keyof UserAttributes, Prisma.Sql>

function assignments({ now }: ChangeScope, input: UpdateUserInput, attributes: UserAttributes): Prisma.Sql[] {
  const set = Object.entries(attributes).map(([name, value]) => Prisma.sql`${columns[name as keyof UserAttributes]} = ${value}`)
  const bags = { userMetadata: Prisma.sql`user_metadata`, appMetadata: Prisma.sql`app_metadata` }
  for (const [bag, column] of Object.entries(bags) as ['userMetadata' | 'appMetadata', Prisma.Sql][]) {
    const patch = input[bag]
    if (patch === null) set.push(Prisma.sql`${column} = '{}'::jsonb`)
    else if (patch !== undefined) set.push(Prisma.sql`${column} = ${patchedMetadata(column, patch, input.metadataMode ?? 'MERGE')}`)
  }
  return [...set, Prisma.sql`version = version + 1`, Prisma.sql`updated_at = ${now}`]
}

function origin({ caller }: ChangeScope, userId: string): 'USER' | 'ADMIN' {
  return caller.principal.userId === userId ? 'USER' : 'ADMIN'
}

async function changePassword(tx: ChangeScope, userId: string, hash: string | null): Promise<void> {
  if (hash === null) await removePassword(tx, userId)
  else await setPassword(tx, userId, hash)
  await endSessions(tx, userId, { except: tx.caller.principal.sessionId })
}
