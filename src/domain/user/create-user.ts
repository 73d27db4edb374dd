import type { Authentication } from '../authentication.ts'
import { type Changed, type ChangeScope, change } from '../change.ts'
import { type DomainError, DomainErrors, invalidInput } from '../errors.ts'
import { newId } from '../id.ts'
import { type Metadata, metadataProblems } from '../metadata.ts'
import { isUuid } from '../normalize.ts'
import { type PasswordPolicy, passwordProblem } from '../password/password-policy.ts'
import { credentialHash, passwordHashProblem } from '../password.ts'
import { type ProfileInput, profileProblems } from '../profile.ts'
import type { Scope } from '../scope.ts'
import { insertUser } from './insert-user.ts'
import { parseUserAttributes, settleVerification, type UserAttributes, type UserAttributesInput } from './user-attributes.ts'
import { idPath } from './user-record.ts'

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
 * @throws {RequestError} SERVICE_UNAVAILABLE when too many passwords wait to be hashed
 */
export async function createUser(scope: Scope & Pick<Authentication, 'passwords'>, input: CreateUserInput): Promise<{ userId: string }> {
  const attributes = parse(input, scope.clock.now(), scope.passwords.policy)
  const hash = await credentialHash(scope.passwords, input)
  return change(scope, 'user.created', (tx) => insert(tx, input, attributes, hash))
}

function parse(input: CreateUserInput, now: Date, policy: PasswordPolicy): UserAttributes {
  const problems: DomainError[] = []
  const settled = settleVerification(parseUserAttributes(withoutNulls(input), problems), null)
  problems.push(...settled.problems, ...recordProblems(input, now, policy))
  if (input.profile) problems.push(...profileProblems(input.profile, ['input', 'profile']))
  for (const bag of ['userMetadata', 'appMetadata'] as const) if (input[bag]) problems.push(...metadataProblems(input[bag], ['input', bag]))
  if (problems.length > 0) throw new DomainErrors(problems)
  return settled.attributes
}

function recordProblems(input: CreateUserInput, now: Date, policy: PasswordPolicy): DomainError[] {
  const { id, createdAt, password, passwordHash } = input
  const problems: (DomainError | null)[] = [
    typeof id === 'string' && !isUuid(id) ? invalidInput(idPath, 'An id is a UUID.') : null,
    createdAt && createdAt > now ? invalidInput(['input', 'createdAt'], 'A user cannot have been created in the future.') : null,
    typeof password === 'string' ? passwordProblem(policy, password, ['input', 'password'], input) : null,
    typeof passwordHash === 'string' ? passwordHashProblem(passwordHash, ['input', 'passwordHash']) : null,
    password && passwordHash ? invalidInput(['input', 'passwordHash'], 'Send a password or a hash, not both.') : null,
  ]
  return problems.filter((problem) => problem !== null)
}

function insert(
  tx: ChangeScope,
  input: CreateUserInput,
  attributes: UserAttributes,
  hash: string | null,
): Promise<Changed<{ userId: string }>> {
  const { id, profile, userMetadata, appMetadata, createdAt } = input
  return insertUser(tx, {
    id: id?.toLowerCase() ?? newId(),
    attributes,
    profile: profile ?? {},
    userMetadata: userMetadata ?? {},
    appMetadata: appMetadata ?? {},
    hash,
    createdAt: createdAt ?? tx.now,
  })
}

/** In a new record there is nothing to clear. */
function withoutNulls<Input extends object>(input: Input): Input {
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== null)) as Input
}
