import { Prisma } from '../generated/prisma/client.ts'
import type { AuthenticationScope } from './authentication.ts'
import { changeByOneStatement, recordFailure } from './change.ts'
import { DomainError, invalidInput, RequestError } from './errors.ts'
import { networkOf } from './network.ts'
import { foldCase, normalizeEmail, normalizePhoneNumber, normalizeUsername } from './normalize.ts'
import { bringFromOldDirectory } from './old-directory/bring-from-old-directory.ts'
import { restoring, type Spending, spend } from './rate-limit.ts'
import { type AuthTokens, newSession, standingColumns, userStanding } from './session.ts'
import { countingSignIn, lockingStanding } from './user/count-sign-in.ts'

/** Exactly one name, and the password. */
export type SignInInput = Readonly<{ email?: string | null; phoneNumber?: string | null; username?: string | null; password: string }>

type Result = Readonly<{ userId: string; tokens: AuthTokens }>

type Sent = Readonly<{ field: 'email' | 'phoneNumber' | 'username'; text: string }>

/** The name that was sent. Without a normal form it is nobody's. */
type Name = Readonly<{
  field: Sent['field']
  normal: string | null
  /** What a try with it costs. Success gives back those of the account. */
  budgets: Readonly<{ account: readonly Spending[]; network: Spending }>
}>

const columns = {
  ...standingColumns,
  id: true,
  emailNormal: true,
  emailVerified: true,
  passwordCredential: { select: { hash: true } },
} satisfies Prisma.UserSelect

type Candidate = Prisma.UserGetPayload<{ select: typeof columns }>

/**
 * Signs a user in with a password: `user.signedIn`, or `user.signInFailed` for a user who exists. Whether the name is unknown, the
 * password wrong or missing, or the user blocked or deleted, is not told, and shows neither in the answer nor in the work it takes.
 *
 * @throws {DomainError} INVALID_CREDENTIALS; EMAIL_NOT_VERIFIED only to who knows the password; INVALID_INPUT without exactly one name
 * @throws {RequestError} RATE_LIMITED; SERVICE_UNAVAILABLE when too many passwords wait to be verified
 */
export async function signIn(scope: AuthenticationScope, input: SignInInput): Promise<Result> {
  const name = parseName(input, networkOf(scope.caller.ip))
  await spend(scope, scope.budgets, [...name.budgets.account, name.budgets.network])
  // Where two sign in at once and the hash is renewed by one, the other looks again.
  return (await attempt(scope, name, input)) ?? (await attempt(scope, name, input)) ?? refuse(scope, null)
}

/** Null when the user or the password was changed meanwhile, or somebody whom only an old system knew has become a user. */
async function attempt(scope: AuthenticationScope, name: Name, input: SignInInput): Promise<Result | null> {
  const { password } = input
  const candidate = await findCandidate(scope, name)
  const hash = candidate?.passwordCredential?.hash ?? null
  const matches = await scope.passwords.verify(hash, password)
  if (candidate === null && (await bringFromOldDirectory(scope, input, name.budgets.network))) return null
  if (candidate === null || hash === null || !matches || userStanding(candidate, scope.clock.now()) !== 'standing')
    return refuse(scope, candidate)
  if (scope.confirmsEmail && candidate.emailNormal !== null && !candidate.emailVerified) {
    await recordFailure(scope, 'user.signInFailed', candidate.id, 'password')
    throw new DomainError(
      'EMAIL_NOT_VERIFIED',
      'Verify the e-mail address first: by the link or the code that was sent to it.',
      ['input'],
      {},
    )
  }
  const renewed = scope.passwords.isOutdated(hash) ? await renew(scope, password) : null
  return admit(scope, name, { userId: candidate.id, hash, renewed })
}

/** For who does not exist, `bringFromOldDirectory` has written a row, so that who exists does not show in the time it takes. */
async function refuse(scope: AuthenticationScope, candidate: Candidate | null): Promise<never> {
  if (candidate !== null) await recordFailure(scope, 'user.signInFailed', candidate.id, 'password')
  throw invalidCredentials()
}

function parseName(input: SignInInput, network: string): Name {
  const sent = (['email', 'phoneNumber', 'username'] as const).flatMap((field) => {
    const text = input[field]
    return typeof text === 'string' ? [{ field, text }] : []
  })
  const [name] = sent
  if (name === undefined || sent.length > 1) throw invalidInput(['input'], 'Send exactly one of `email`, `phoneNumber` and `username`.')
  const normal = normalForm(name)
  return { field: name.field, normal, budgets: budgetsOf(`${name.field} ${normal ?? foldCase(name.text)}`, network) }
}

function normalForm({ field, text }: Sent): string | null {
  if (field === 'email') return normalizeEmail(text)?.normal ?? null
  return field === 'phoneNumber' ? normalizePhoneNumber(text) : (normalizeUsername(text)?.normal ?? null)
}

/** By the name that was sent, whoever's it is: an unknown one is counted alike. */
function budgetsOf(account: string, network: string): Name['budgets'] {
  return {
    account: [
      { budget: 'signIn.account', of: account },
      { budget: 'signIn.accountDaily', of: account },
      { budget: 'signIn.accountAndNetwork', of: `${account} ${network}` },
    ],
    network: { budget: 'signIn.network', of: network },
  }
}

/** One statement, for what is no name too. */
function findCandidate({ db }: AuthenticationScope, { field, normal }: Name): Promise<Candidate | null> {
  const value = normal ?? ''
  const where = { email: { emailNormal: value }, phoneNumber: { phoneNumber: value }, username: { usernameNormal: value } }[field]
  return db.user.findUnique({ where, relationLoadStrategy: 'join', select: columns })
}

/** A hash of today's cost. When too much waits, the old one stays until the next time. */
async function renew({ passwords }: AuthenticationScope, password: string): Promise<string | null> {
  try {
    return await passwords.hash(password)
  } catch (error) {
    if (error instanceof RequestError) return null
    throw error
  }
}

/** The password that was verified, and the hash that shall take the place of its hash, if one shall. */
type Verified = Readonly<{ userId: string; hash: string; renewed: string | null }>

/**
 * What was read before may have changed since: the statement locks the user, looks again whether he may sign in and whether the hash
 * is the one that was verified, and does everything else only then. `for share` sees what was committed while it waited for the user.
 */
async function admit(scope: AuthenticationScope, name: Name, { userId, hash, renewed }: Verified): Promise<Result | null> {
  const { ip, userAgent } = scope.caller
  const at = scope.clock.now()
  const kept = Prisma.sql`kept`
  const session = { userId, connection: 'password', aal: 'aal1', amr: ['pwd'], ip, userAgent }
  const { started, steps } = await newSession(at, scope, session, Prisma.sql`from ${kept}`)
  const { sessionId: _, ...tokens } = started
  const done = await changeByOneStatement(scope, 'user.signedIn', {
    ...{ at, subjectId: userId, userId, actorUserId: userId, connection: 'password' },
    steps: [
      Prisma.sql`standing as (${lockingStanding(userId, at)})`,
      Prisma.sql`${kept} as (
        select user_id from roster.password_credentials where user_id = (select id from standing) and hash = ${hash} for share
      )`,
      ...countingSignIn({ now: at, ip }, 'password', Prisma.sql`(select user_id from ${kept})`),
      Prisma.sql`given_back as (${restoring(name.budgets.account, Prisma.sql`exists (select from ${kept})`)})`,
      ...(renewed === null
        ? []
        : [
            Prisma.sql`renewed as (update roster.password_credentials set hash = ${renewed} where user_id = (select user_id from ${kept}))`,
          ]),
      ...steps,
    ],
    done: kept,
  })
  return done === null ? null : { userId, tokens }
}

function invalidCredentials(): DomainError<'INVALID_CREDENTIALS'> {
  return new DomainError('INVALID_CREDENTIALS', 'The name and the password do not belong together.', ['input'], {})
}
