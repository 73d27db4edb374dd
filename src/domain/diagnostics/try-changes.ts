import { isRetryable, isUnavailable, postgresError } from '../../database/errors.ts'
import type { PrismaClient } from '../../generated/prisma/client.ts'
import type { Authentication, AuthenticationScope } from '../authentication.ts'
import { change } from '../change.ts'
import { newId } from '../id.ts'
import { system } from '../principal.ts'
import type { Scope } from '../scope.ts'
import { startSession } from '../session.ts'
import { blockUser } from '../user/block-user.ts'
import { countSignIn } from '../user/count-sign-in.ts'
import { createUser } from '../user/create-user.ts'
import { deleteUser } from '../user/delete-user.ts'
import { updateUser } from '../user/update-user.ts'
import { userNotFound } from '../user/user-record.ts'
import { trialAuthentication } from './trial-authentication.ts'

/** What trying takes: where, and the rules for passwords, which making a user asks. */
export type TrialScope = Pick<Scope, 'db' | 'clock'> & Pick<Authentication, 'passwords'>

/** A kind of change that failed; without an error where it could not be tried. */
export type Failure = Readonly<{ what: string; error: unknown; userId: string }>

type Trial = Readonly<{ what: string; work: (scope: AuthenticationScope, id: string) => Promise<unknown> }>

const created = 'creating a user'

const trials: readonly Trial[] = [
  { what: created, work: async () => {} },
  { what: 'changing the e-mail address', work: (scope, id) => updateUser(scope, { id, email: `new-${id}@roster.invalid` }) },
  {
    what: 'changing metadata',
    work: (scope, id) => updateUser(scope, { id, userMetadata: { doctor: 2 }, appMetadata: { doctor: 2 }, metadataMode: 'MERGE_DEEP' }),
  },
  { what: 'changing the profile', work: (scope, id) => updateUser(scope, { id, profile: { name: 'New Name' } }) },
  { what: 'signing in', work: signIn },
  { what: 'blocking a user', work: (scope, id) => blockUser(scope, { id }) },
  { what: 'deleting a user softly', work: (scope, id) => deleteUser(scope, { id, mode: 'SOFT' }) },
  { what: 'making a user anonymous', work: (scope, id) => deleteUser(scope, { id, mode: 'ANONYMIZE' }) },
  { what: 'deleting a user for good', work: (scope, id) => deleteUser(scope, { id, mode: 'HARD' }) },
]

/** How long one of them may take, and after how long no other is begun: a request has five seconds. */
const trialMs = 1500
const allMs = 3000

/**
 * Tries each kind of change on a made-up user, in a transaction of its own that is rolled back: no row stays, no mail is sent, no
 * history is written. What host triggers do outside of the transaction, they do. PGlite cannot cut a statement short. Where no user can be created nothing else is tried.
 */
export async function tryChanges(scope: TrialScope): Promise<readonly Failure[]> {
  const failures: Failure[] = []
  const end = scope.clock.now().getTime() + allMs
  for (const trial of trials) {
    const userId = newId()
    const late = () => scope.clock.now().getTime() > end
    const first = late() ? null : await attempt(scope, trial, userId)
    const error = isUndone(first) && !late() ? await attempt(scope, trial, userId) : first
    if (error !== undefined) failures.push({ what: trial.what, error, userId })
    if (trial.what === created && failures.length > 0) break
  }
  return failures
}

/** Whether another transaction may succeed. A change that is tried again inside of this one finds it undone: 25P02. */
function isUndone(error: unknown): boolean {
  return isRetryable(error) || postgresError(error)?.code === '25P02'
}

/** Answers what went wrong; undefined when nothing did, null when it took too long. */
async function attempt({ db, ...scope }: TrialScope, { work }: Trial, id: string): Promise<unknown> {
  try {
    await db.$transaction(
      async (transaction) => {
        await transaction.$executeRaw`SELECT set_config('statement_timeout', '1000', true), set_config('lock_timeout', '500', true)`
        const caller = { principal: system, ip: null, userAgent: null, requestId: null }
        const inside = { ...scope, ...trialAuthentication(scope), caller, db: inTransaction(transaction) }
        await createUser(inside, personOf(id))
        await work(inside, id)
        // What is left for the commit is done now, since there will be none.
        await transaction.$executeRaw`SET CONSTRAINTS ALL IMMEDIATE`
        throw new Done()
      },
      { timeout: trialMs },
    )
  } catch (error) {
    if (error instanceof Done) return undefined
    return isUnavailable(error) && postgresError(error) === null ? null : error
  }
  return undefined
}

/** Rolls the transaction back. */
class Done extends Error {}

type Transaction = Parameters<Parameters<PrismaClient['$transaction']>[0]>[0]

/** A client whose transactions are all this one, which whoever began it ends. */
function inTransaction(transaction: Transaction): PrismaClient {
  const $transaction = (work: (db: Transaction) => Promise<unknown>) => work(transaction)
  return new Proxy(transaction, {
    get: (target, name) => (name === '$transaction' ? $transaction : Reflect.get(target, name)),
  }) as PrismaClient
}

/** Somebody with something in every place that host triggers look at. The top-level domain is nobody's, RFC 2606 §2. */
function personOf(id: string) {
  return {
    id,
    email: `doctor-${id}@roster.invalid`,
    username: `doctor-${id}`,
    externalId: `doctor-${id}`,
    passwordHash: '$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRvZnJvc3Rlcg$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
    profile: { name: 'Made-up Person', givenName: 'Made-up', familyName: 'Person' },
    userMetadata: { doctor: 1, first_name: 'Made-up', last_name: 'Person', full_name: 'Made-up Person', name: 'Made-up Person' },
    appMetadata: { doctor: 1 },
  }
}

/** What signing in writes. No token comes of it. */
async function signIn(scope: AuthenticationScope, userId: string): Promise<void> {
  await change(scope, 'user.signedIn', async (tx) => {
    if (!(await countSignIn(tx, userId, 'password'))) throw userNotFound()
    const session = { userId, connection: 'password', aal: 'aal1', amr: ['pwd'], ip: null, userAgent: null }
    await startSession(tx, scope, session)
    return { result: null, subjectId: userId, userId, actorUserId: userId, connection: 'password', before: null, after: null }
  })
}
