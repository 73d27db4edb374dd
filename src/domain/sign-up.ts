import type { AuthenticationScope } from './authentication.ts'
import { type Changed, type ChangeScope, change } from './change.ts'
import { DomainError, DomainErrors, invalidInput } from './errors.ts'
import { sendLink } from './link/send-link.ts'
import { assertMailEnabled } from './mail/mail-enabled.ts'
import { queueMail } from './mail.ts'
import { assertMetadataFits, type Metadata, metadataProblems } from './metadata.ts'
import { networkOf } from './network.ts'
import { passwordProblem } from './password/password-policy.ts'
import { type ProfileInput, profileProblems } from './profile.ts'
import { type Spending, spend } from './rate-limit.ts'
import { allowedRedirect, redirectNotAllowed } from './redirect.ts'
import { type AuthTokens, startSession } from './session.ts'
import { noSooner } from './sign-up/no-sooner.ts'
import { assertSignUpOpen } from './sign-up/sign-up-open.ts'
import { countSignIn } from './user/count-sign-in.ts'
import { insertUser } from './user/insert-user.ts'
import { parseUserAttributes, settleVerification, type UserAttributes } from './user/user-attributes.ts'

/** What a person says of himself. Null counts as absent. */
export type SignUpInput = Readonly<{
  email?: string | null
  phoneNumber?: string | null
  username?: string | null
  password?: string | null
  profile?: ProfileInput | null
  userMetadata?: Metadata | null
  redirectTo?: string | null
}>

type Result = Readonly<{ userId: string | null; tokens: AuthTokens | null }>

/** Longer than what signing up takes, so that whether the address was known cannot be told from the time. */
const leastMilliseconds = 250

/**
 * Signs a person up. Where e-mail addresses are confirmed and one is given, the answer holds nobody: a mail goes to the address, to
 * confirm it (`user.signedUp`) or to tell its owner (`user.signUpRepeated`), and which of them is not told. Else the person is signed
 * in at once, and what is taken is an expected failure.
 *
 * @throws {DomainErrors} everything that is wrong with the input
 * @throws {DomainError} SIGN_UP_DISABLED, METADATA_TOO_LARGE, USERNAME_TAKEN, PHONE_NUMBER_TAKEN; EMAIL_TAKEN only without confirmation; or what the
 * database refused
 * @throws {RequestError} RATE_LIMITED; SERVICE_UNAVAILABLE when too many passwords wait to be hashed
 */
export async function signUp(scope: AuthenticationScope, input: SignUpInput): Promise<Result> {
  assertSignUpOpen(scope)
  const attributes = parse(scope, input)
  const confirmed = addressToConfirm(scope, attributes)
  if (confirmed !== null) assertMailEnabled(scope)
  await spend(scope, scope.budgets, spendings(confirmed, networkOf(scope.caller.ip)))
  const hash = typeof input.password === 'string' ? await scope.passwords.hash(input.password) : null
  const person = { attributes, hash, profile: input.profile ?? {}, userMetadata: input.userMetadata ?? {} }
  if (confirmed === null) return change(scope, 'user.signedUp', (tx) => enter(tx, scope, person))
  return noSooner(leastMilliseconds, signUpToBeConfirmed(scope, person, confirmed, input.redirectTo ?? null))
}

type Address = Readonly<{ email: string; emailNormal: string }>
type Person = Readonly<{ attributes: UserAttributes; hash: string | null; profile: ProfileInput; userMetadata: Metadata }>

function parse(scope: AuthenticationScope, input: SignUpInput): UserAttributes {
  const problems: DomainError[] = []
  const { email, phoneNumber, username, password, profile, userMetadata, redirectTo } = input
  const names = { email: email ?? undefined, phoneNumber: phoneNumber ?? undefined, username: username ?? undefined }
  const { attributes } = settleVerification(parseUserAttributes(withoutAbsent(names), problems), null)
  if (Object.keys(withoutAbsent(names)).length === 0)
    problems.push(invalidInput(['input'], 'Send `email`, `phoneNumber` or `username`, or several of them.'))
  problems.push(...passwordProblems(scope, input, password ?? null))
  if (profile) problems.push(...profileProblems(profile, ['input', 'profile']))
  if (userMetadata) problems.push(...metadataProblems(userMetadata, ['input', 'userMetadata']))
  if (redirectTo != null && allowedRedirect(redirectTo, scope.links.allowedRedirects) === null) problems.push(redirectNotAllowed())
  if (problems.length > 0) throw new DomainErrors(problems)
  // Before it is known whether there will be a user.
  assertMetadataFits(userMetadata ?? {}, ['input', 'userMetadata'])
  return attributes
}

/** Whoever confirms an address can do without: a link to it signs in as well. */
function passwordProblems(scope: AuthenticationScope, { email, username }: SignUpInput, password: string | null): DomainError[] {
  const path = ['input', 'password']
  if (password === null) {
    const isNeeded = !scope.confirmsEmail || typeof email !== 'string'
    return isNeeded ? [invalidInput(path, 'A password is needed to sign in with.')] : []
  }
  const problem = passwordProblem(scope.passwords.policy, password, path, { email: email ?? null, username: username ?? null })
  return problem === null ? [] : [problem]
}

function withoutAbsent<Input extends object>(input: Input): Input {
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined)) as Input
}

function addressToConfirm({ confirmsEmail }: AuthenticationScope, { email, emailNormal }: UserAttributes): Address | null {
  return confirmsEmail && email && emailNormal ? { email, emailNormal } : null
}

function spendings(confirmed: Address | null, network: string): Spending[] {
  const signUp: Spending = { budget: 'signUp.network', of: network }
  if (confirmed === null) return [signUp]
  return [signUp, { budget: 'mail.address', of: confirmed.emailNormal }, { budget: 'mail.network', of: network }]
}

/** Without anything to confirm: the user, and at once a session. */
async function enter(tx: ChangeScope, scope: AuthenticationScope, person: Person): Promise<Changed<Result>> {
  const inserted = await insert(tx, person)
  const { userId } = inserted.result
  await countSignIn(tx, userId, 'password')
  const { ip, userAgent } = tx.caller
  const session = { userId, connection: 'password', aal: 'aal1', amr: ['pwd'], ip, userAgent }
  const { sessionId: _, ...tokens } = await startSession(tx, scope, session)
  return { ...inserted, actorUserId: userId, connection: 'password', result: { userId, tokens } }
}

function insert(tx: ChangeScope, person: Person) {
  return insertUser(tx, { ...person, origin: 'USER' })
}

const nobody: Result = { userId: null, tokens: null }

async function signUpToBeConfirmed(
  scope: AuthenticationScope,
  person: Person,
  address: Address,
  redirectTo: string | null,
): Promise<Result> {
  await assertNamesFree(scope, person.attributes)
  const owner = await findOwner(scope, address)
  if (owner !== null) return tellOwner(scope, owner)
  try {
    return await change(scope, 'user.signedUp', async (tx) => {
      const inserted = await insert(tx, person)
      const { userId } = inserted.result
      await sendLink(tx, scope, { id: userId, ...address }, { type: 'SIGNUP', redirectTo })
      return { ...inserted, actorUserId: userId, result: nobody }
    })
  } catch (error) {
    const faster = error instanceof DomainError && error.code === 'EMAIL_TAKEN' ? await findOwner(scope, address) : null
    if (faster === null) throw error
    return tellOwner(scope, faster)
  }
}

/** Told whoever the address belongs to, so that it says nothing of the address. */
async function assertNamesFree({ db }: AuthenticationScope, { usernameNormal, phoneNumber }: UserAttributes): Promise<void> {
  const named = usernameNormal ? await db.user.findUnique({ where: { usernameNormal }, select: { id: true } }) : null
  if (named !== null) throw new DomainError('USERNAME_TAKEN', 'Another user has this username.', ['input', 'username'], {})
  const reached = phoneNumber ? await db.user.findUnique({ where: { phoneNumber }, select: { id: true } }) : null
  if (reached !== null) throw new DomainError('PHONE_NUMBER_TAKEN', 'Another user has this phone number.', ['input', 'phoneNumber'], {})
}

type Owner = Readonly<{ id: string; email: string | null; deletedAt: Date | null }>

function findOwner({ db }: AuthenticationScope, { emailNormal }: Address): Promise<Owner | null> {
  return db.user.findUnique({ where: { emailNormal }, select: { id: true, email: true, deletedAt: true } })
}

/** The address of a deleted user stays taken; there is nobody to write to. */
function tellOwner(scope: AuthenticationScope, { id, email, deletedAt }: Owner): Promise<Result> {
  return change(scope, 'user.signUpRepeated', async (tx) => {
    if (email !== null && deletedAt === null) await queueMail(tx, scope.secrets, { template: 'ALREADY_REGISTERED', to: email, data: {} })
    return { result: nobody, subjectId: id, userId: id, before: null, after: null }
  })
}
