import type { Prisma } from '../../generated/prisma/client.ts'
import { type Changed, type ChangeScope, change } from '../change.ts'
import { type DomainError, DomainErrors, invalidInput } from '../errors.ts'
import { newId } from '../id.ts'
import { assertMetadataFits, type Metadata, metadataProblems } from '../metadata.ts'
import { isUuid } from '../normalize.ts'
import { credentialHash, passwordHashProblem, passwordProblem, setPassword } from '../password.ts'
import { nameNormal, type ProfileInput, profileAttributes, profileColumns, profileProblems } from '../profile.ts'
import type { Scope } from '../scope.ts'
import { parseUserAttributes, settleVerification, type UserAttributes, type UserAttributesInput } from './user-attributes.ts'
import { idPath, readUser, userImage } from './user-record.ts'

/** What an administrator says of a new user. Null counts as absent. */
export type CreateUserInput = UserAttributesInput &
  Readonly<{
    id?: string | null
    password?: string | null
    passwordHash?: string | null
    createdAt?: Date | null
    profile?: ProfileInput | null
    userMetadata?: Metadata | null
    appMetadata?: Metadata | null
  }>

/**
 * Creates a user. Without a password or hash the user has none. Writes `user.created`.
 * @throws {DomainErrors} everything that is wrong with the input
 * @throws {DomainError} EMAIL_TAKEN and its like, or what the database refused
 */
export async function createUser(scope: Scope, input: CreateUserInput): Promise<{ userId: string }> {
  const attributes = parse(input, scope.clock.now())
  const hash = await credentialHash(input)
  return change(scope, 'user.created', (tx) => insertUser(tx, input, attributes, hash))
}

function parse(input: CreateUserInput, now: Date): UserAttributes {
  const problems: DomainError[] = []
  const settled = settleVerification(parseUserAttributes(withoutNulls(input), problems), null)
  problems.push(...settled.problems, ...recordProblems(input, now))
  if (input.profile) problems.push(...profileProblems(input.profile, ['input', 'profile']))
  for (const bag of ['userMetadata', 'appMetadata'] as const) if (input[bag]) problems.push(...metadataProblems(input[bag], ['input', bag]))
  if (problems.length > 0) throw new DomainErrors(problems)
  return settled.attributes
}

function recordProblems({ id, createdAt, password, passwordHash }: CreateUserInput, now: Date): DomainError[] {
  const problems: (DomainError | null)[] = [
    typeof id === 'string' && !isUuid(id) ? invalidInput(idPath, 'An id is a UUID.') : null,
    createdAt && createdAt > now ? invalidInput(['input', 'createdAt'], 'A user cannot have been created in the future.') : null,
    typeof password === 'string' ? passwordProblem(password, ['input', 'password']) : null,
    typeof passwordHash === 'string' ? passwordHashProblem(passwordHash, ['input', 'passwordHash']) : null,
    password && passwordHash ? invalidInput(['input', 'passwordHash'], 'Send a password or a hash, not both.') : null,
  ]
  return problems.filter((problem) => problem !== null)
}

/** Writes the rows of a new user, inside of the change that makes it. The input and its attributes were found good before. */
export async function insertUser(
  tx: ChangeScope,
  input: CreateUserInput,
  attributes: UserAttributes,
  hash: string | null,
): Promise<Changed<{ userId: string }>> {
  const userId = input.id?.toLowerCase() ?? newId()
  const userMetadata = input.userMetadata ?? {}
  const appMetadata = input.appMetadata ?? {}
  assertMetadataFits(userMetadata, ['input', 'userMetadata'])
  assertMetadataFits(appMetadata, ['input', 'appMetadata'])
  const createdAt = input.createdAt ?? tx.now
  await tx.db.user.create({
    data: {
      id: userId,
      ...attributes,
      nameNormal: nameNormal(input.profile ?? {}),
      userMetadata: userMetadata as Prisma.InputJsonObject,
      appMetadata: appMetadata as Prisma.InputJsonObject,
      createdAt,
      updatedAt: tx.now,
    },
    select: { id: true },
  })
  await insertProfile(tx, userId, input.profile ?? {})
  if (hash !== null) await setPassword(tx, userId, hash)
  const after = userImage(await readUser(tx.db, userId))
  return { result: { userId }, subjectId: userId, userId, before: null, after }
}

async function insertProfile({ db, now, caller }: ChangeScope, userId: string, profile: ProfileInput): Promise<void> {
  const set = profileAttributes.filter((attribute) => profile[attribute] !== undefined && profile[attribute] !== null)
  const columns = profileColumns(profile, set) as Prisma.ProfileUncheckedCreateInput
  await db.profile.create({ data: { ...columns, userId, updatedAt: now }, select: { userId: true } })
  const origin = caller.principal.userId === userId ? 'USER' : 'ADMIN'
  if (set.length > 0) await db.profileSource.createMany({ data: set.map((attribute) => ({ userId, attribute, origin, setAt: now })) })
}

/** In a new record there is nothing to clear. */
function withoutNulls<Input extends object>(input: Input): Input {
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== null)) as Input
}
