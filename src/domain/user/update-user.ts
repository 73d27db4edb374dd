import { Prisma } from '../../generated/prisma/client.ts'
import type { AuthenticationScope } from '../authentication.ts'
import { type Changed, type ChangeScope, change } from '../change.ts'
import { difference } from '../difference.ts'
import { DomainError, DomainErrors, invalidInput, RequestError } from '../errors.ts'
import { spendMail } from '../link/addressee.ts'
import { requestEmailChange } from '../link/request-email-change.ts'
import { queueMail } from '../mail.ts'
import { assertMetadataFits, type Metadata, type MetadataMode, metadataProblems, patchedMetadata } from '../metadata.ts'
import type { EmailForms } from '../normalize.ts'
import { credentialHash, passwordProblem, removePassword, setPassword } from '../password.ts'
import { hasScope } from '../principal.ts'
import { emptyProfile, type ProfileInput, profileProblems, writeProfile } from '../profile.ts'
import { endSessions } from '../session.ts'
import { type ProvenSelf, proveSelf, useProof } from './prove-self.ts'
import { parseUserAttributes, settleVerification, type UserAttributes, type UserAttributesInput } from './user-attributes.ts'
import { lockUser, readUser, type UserRecord, userImage } from './user-record.ts'

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

/**
 * Changes a user: one mutation for the user and for an administrator. Who may send what is declared on the input's fields
 * and checked before this runs. A new password ends the user's other sessions. The user's own change of the address is asked for by
 * mail first. Writes `user.updated`, or `user.emailChangeRequested` when that is all.
 *
 * @throws {DomainErrors} everything that is wrong with the input
 * @throws {DomainError} USER_NOT_FOUND, VERSION_CONFLICT, METADATA_TOO_LARGE, EMAIL_TAKEN and its like, or what the database refused;
 * REAUTHENTICATION_REQUIRED for the user's own password or address without the current password or a nonce
 * @throws {RequestError} RATE_LIMITED
 */
export async function updateUser(scope: AuthenticationScope, input: UpdateUserInput): Promise<Result> {
  const userId = input.id ?? scope.caller.principal.userId
  if (userId === null) throw new RequestError('BAD_USER_INPUT', 'This token has no user: name one in `input.id`.', { field: 'input.id' })
  const attributes = parse(input)
  const own = await proveOwn(scope, userId, input, attributes)
  const hash = await credentialHash({ password: input.password ?? null })
  return change(scope, 'user.updated', async (tx) => {
    const before = await lockUser(tx.db, userId)
    assertVersion(before, input.expectedVersion ?? null)
    if (own !== null) await useProof(tx, own.proof, before.emailNormal)
    const changed = await update(tx, before, input, attributes, hash)
    if (own === null) return changed
    if (typeof input.password === 'string') await tellPasswordChanged(tx, scope, before)
    return own.newEmail === null ? changed : askForEmail(tx, scope, before, own.newEmail, changed)
  })
}

function parse(input: UpdateUserInput): UserAttributes {
  const problems: DomainError[] = []
  const attributes = parseUserAttributes(input, problems)
  if (input.profile) problems.push(...profileProblems(input.profile, ['input', 'profile']))
  for (const bag of ['userMetadata', 'appMetadata'] as const) if (input[bag]) problems.push(...metadataProblems(input[bag], ['input', bag]))
  const weak = typeof input.password === 'string' ? passwordProblem(input.password, ['input', 'password']) : null
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

async function update(
  tx: ChangeScope,
  before: UserRecord,
  input: UpdateUserInput,
  parsed: UserAttributes,
  hash: string | null,
): Promise<Changed<Result>> {
  const { attributes, problems } = settleVerification(parsed, before)
  if (problems.length > 0) throw new DomainErrors(problems)
  await tx.db.$executeRaw`update roster.users set ${Prisma.join(assignments(tx, input, attributes))} where id = ${before.id}::uuid`
  if (input.profile !== undefined) await writeProfile(tx, before.id, before.profile, input.profile ?? emptyProfile, origin(tx, before.id))
  if (input.password !== undefined) await changePassword(tx, before.id, hash)
  const after = await readUser(tx.db, before.id)
  for (const bag of ['userMetadata', 'appMetadata'] as const) if (input[bag]) assertMetadataFits(after[bag], ['input', bag])
  return { result: { userId: before.id }, subjectId: before.id, userId: before.id, before: userImage(before), after: userImage(after) }
}

function assertVersion({ version }: UserRecord, expected: number | null): void {
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
