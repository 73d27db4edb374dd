import { Prisma, type User } from '../../generated/prisma/client.ts'
import type { AuthenticationScope } from '../authentication.ts'
import { type Changed, type ChangeScope, change } from '../change.ts'
import { difference } from '../difference.ts'
import { DomainError, DomainErrors, invalidInput, RequestError } from '../errors.ts'
import { spendMail } from '../link/addressee.ts'
import { requestEmailChange } from '../link/request-email-change.ts'
import { assertMailEnabled } from '../mail/mail-enabled.ts'
import { queueMail } from '../mail.ts'
import { assertMetadataFits, type Metadata, type MetadataMode, metadataProblems, patchedMetadata } from '../metadata.ts'
import { type EmailForms, isUuid } from '../normalize.ts'
import { type PasswordContext, type PasswordPolicy, passwordProblem } from '../password/password-policy.ts'
import { credentialHash, removePassword, setPassword } from '../password.ts'
import { hasScope } from '../principal.ts'
import { emptyProfile, type ProfileInput, profileProblems, writeProfile } from '../profile.ts'
import { endSessions } from '../session.ts'
import { isMetadataPatch, patchMetadata } from './patch-metadata.ts'
import { type ProvenSelf, proveSelf, useProof } from './prove-self.ts'
import { parseUserAttributes, settleVerification, type UserAttributes, type UserAttributesInput } from './user-attributes.ts'
import { lockRow, lockUser, readUser, type UserRecord, type UserRow, userColumns, userImage } from './user-record.ts'

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

/** Who was changed, and what the user has become where that is known. */
type Result = Readonly<{ userId: string; user?: User }>

/**
 * Changes a user: one mutation for the user and for an administrator. Who may send what is declared on the input's fields
 * and checked before this runs. A new password ends the user's other sessions. The user's own change of the address is asked for by
 * mail first. Writes `user.updated`, or `user.emailChangeRequested` when that is all.
 *
 * @throws {RequestError} SERVICE_UNAVAILABLE when too many passwords wait to be hashed
 * @throws {DomainErrors} everything that is wrong with the input
 * @throws {DomainError} USER_NOT_FOUND, VERSION_CONFLICT, METADATA_TOO_LARGE, EMAIL_TAKEN and its like, or what the database refused;
 * REAUTHENTICATION_REQUIRED for the user's own password or address without the current password or a nonce
 * @throws {RequestError} RATE_LIMITED
 */
export async function updateUser(scope: AuthenticationScope, input: UpdateUserInput): Promise<Result> {
  const userId = input.id ?? scope.caller.principal.userId
  if (userId === null) throw new RequestError('BAD_USER_INPUT', 'This token has no user: name one in `input.id`.', { field: 'input.id' })
  const attributes = parse(input, scope.passwords.policy, await namesOf(scope, userId, input))
  const own = await proveOwn(scope, userId, input, attributes)
  const user = isMetadataPatch(input) ? await patchMetadata(scope, userId, input) : null
  if (user !== null) return { userId: user.id, user }
  const hash = await credentialHash(scope.passwords, { password: input.password ?? null })
  return change(scope, 'user.updated', async (tx) => {
    const isMore = input.profile !== undefined || input.password !== undefined || own !== null
    const whole = isMore ? await lockUser(tx.db, userId) : null
    const before = whole ?? (await lockRow(tx.db, userId))
    assertVersion(before, input.expectedVersion ?? null)
    if (own !== null) await useProof(tx, own.proof, before.emailNormal)
    const changed = await update(tx, { before, whole }, input, attributes, hash)
    if (own === null || whole === null) return changed
    if (typeof input.password === 'string') await tellPasswordChanged(tx, scope, whole)
    return own.newEmail === null ? changed : askForEmail(tx, scope, whole, own.newEmail, changed)
  })
}

/** The names a new password is held against: those the user has, or gets by the same input. */
async function namesOf(
  { db }: AuthenticationScope,
  userId: string,
  { password, email, username }: UpdateUserInput,
): Promise<PasswordContext> {
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

/** What a user without the right to change others does to himself: what he has proved, and the address he asks for. */
type Own = Readonly<{ proof: ProvenSelf; newEmail: EmailForms | null }>

/**
 * Whoever may not change anybody's password or address changes his own by proving himself. The new address does not become his at
 * once: it is taken out of the attributes, to be confirmed by mail. Null for an administrator, and when there is nothing to prove.
 */
async function proveOwn(
  scope: AuthenticationScope,
  userId: string,
  input: UpdateUserInput,
  attributes: UserAttributes,
): Promise<Own | null> {
  if (hasScope(scope.caller.principal, 'update:users')) return null
  const { email, emailNormal: normal } = attributes
  delete attributes.email
  delete attributes.emailNormal
  const problems = (['password', 'email'] as const).filter((name) => input[name] === null)
  if (problems.length > 0)
    throw new DomainErrors(problems.map((name) => invalidInput(['input', name], 'Only an administrator takes this away.')))
  const user = normal == null ? null : await scope.db.user.findUnique({ where: { id: userId }, select: { emailNormal: true } })
  const newEmail = email == null || normal == null || user?.emailNormal === normal ? null : { email, normal }
  if (input.password === undefined && newEmail === null) return null
  if (newEmail !== null) assertMailEnabled(scope)
  const proof = await proveSelf(scope, userId, input)
  if (newEmail !== null) await spendMail(scope, scope, newEmail.normal, user?.emailNormal ?? `user ${userId}`)
  return { proof, newEmail }
}

/** The old address stands until the new one is confirmed; history shows which one was asked for. */
async function askForEmail(
  tx: ChangeScope,
  scope: AuthenticationScope,
  user: UserRecord,
  newEmail: EmailForms,
  changed: Changed<Result>,
): Promise<Changed<Result>> {
  await requestEmailChange(tx, scope, user, newEmail)
  const changesMore = difference(changed.before, changed.after).length > 0
  const asked = { before: { ...changed.before, requestedEmail: null }, after: { ...changed.after, requestedEmail: newEmail.email } }
  return { ...changed, ...asked, ...(changesMore ? {} : { type: 'user.emailChangeRequested' as const }) }
}

async function tellPasswordChanged(tx: ChangeScope, { secrets }: AuthenticationScope, { email }: UserRecord): Promise<void> {
  if (email !== null) await queueMail(tx, secrets, { template: 'PASSWORD_CHANGED', to: email, data: {} })
}

/** The user's row, locked; and with its profile and credential where more than the row is changed. */
type Locked = Readonly<{ before: UserRow; whole: UserRecord | null }>

async function update(
  tx: ChangeScope,
  { before, whole }: Locked,
  input: UpdateUserInput,
  parsed: UserAttributes,
  hash: string | null,
): Promise<Changed<Result>> {
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
