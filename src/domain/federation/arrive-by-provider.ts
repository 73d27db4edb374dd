import type { Identity } from '../../generated/prisma/client.ts'
import type { AuthenticationScope } from '../authentication.ts'
import { type Changed, type ChangeScope, change, recordFailure } from '../change.ts'
import type { ChangeType } from '../change-type.ts'
import { difference, type Image } from '../difference.ts'
import { DomainError } from '../errors.ts'
import { identitiesImage } from '../identity/identity-image.ts'
import { removePassword } from '../password.ts'
import { endSessions, userStanding } from '../session.ts'
import { assertSignUpOpen } from '../sign-up/sign-up-open.ts'
import { insertUser } from '../user/insert-user.ts'
import type { UserAttributes } from '../user/user-attributes.ts'
import { readUser, type UserRecord, userImage } from '../user/user-record.ts'
import { findArriving } from './find-arriving.ts'
import { keepIdentity } from './keep-identity.ts'
import { holdProviderConnection, type ProviderConnection } from './provider-connection.ts'
import type { ProviderPerson } from './provider-person.ts'

/** Somebody whom a provider has vouched for a moment ago, and the connection as it was then. */
export type Arrival = Readonly<{ connection: ProviderConnection; person: ProviderPerson }>

/** Who it turned out to be. */
export type Arrived = Readonly<{ userId: string; connection: ProviderConnection }>

/** What is done with who arrived: its result. `type` is the event's for a user who was known and linked. */
export type Finished<Result> = Readonly<{ result: Result; type?: ChangeType }>

/** How often somebody else may be faster. */
const attempts = 3

/**
 * Lets somebody in whom a provider has vouched for: finds the user, links or makes one, keeps the claims and the profile, and hands the
 * user to `finish`, which starts a session or writes down a code. All of it is one change with one event that names the connection:
 * `user.signedUp`, `identity.linked`, or what `finish` says (`user.signedIn`). `finish` may run again when another arrival of the same
 * subject was faster, so it does nothing outside of its transaction.
 *
 * - The user is found by connection and `sub`; by e-mail only as `findArriving` says. An account that was registered with the address
 *   before its owner came, and was never verified, loses its password, its sessions, and all links and codes that were sent for it.
 * - A new user gets the address only if the provider has verified it and nobody has it; else he has none of his own.
 * - The address of a known user does not follow the provider's.
 *
 * @throws {DomainError} CONNECTION_NOT_FOUND when the connection was disabled or deleted meanwhile; SIGN_UP_DISABLED for somebody new where
 * the connection, or Roster, lets nobody sign up; INVALID_CREDENTIALS for a user who is blocked or deleted (`user.signInFailed`); what the
 * database refused
 * @throws {RequestError} SERVICE_UNAVAILABLE
 */
export async function arriveByProvider<Result>(
  scope: AuthenticationScope,
  arrival: Arrival,
  finish: (tx: ChangeScope, arrived: Arrived) => Promise<Finished<Result>>,
): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      const outcome = await change(scope, 'user.signedIn', (tx) => arrive(tx, scope, arrival, finish))
      if ('refusedUserId' in outcome) throw await refuse(scope, arrival, outcome.refusedUserId)
      return outcome.result
    } catch (error) {
      if (attempt === attempts || !isFromAnother(error)) throw error
    }
  }
}

type Outcome<Result> = Readonly<{ result: Result } | { refusedUserId: string }>

/** Another request made the user, or took the identity or the address, in between. */
function isFromAnother(error: unknown): boolean {
  return error instanceof DomainError && ['IDENTITY_TAKEN', 'EMAIL_TAKEN', 'USER_NOT_FOUND'].includes(error.code)
}

async function refuse(scope: AuthenticationScope, { connection }: Arrival, userId: string): Promise<DomainError> {
  await recordFailure(scope, 'user.signInFailed', userId, connection.key)
  return new DomainError('INVALID_CREDENTIALS', 'Nobody is signed in by this account.', ['input'], {})
}

async function arrive<Result>(
  tx: ChangeScope,
  scope: AuthenticationScope,
  arrival: Arrival,
  finish: (tx: ChangeScope, arrived: Arrived) => Promise<Finished<Result>>,
): Promise<Changed<Outcome<Result>>> {
  const { person } = arrival
  const connection = await holdProviderConnection(tx, arrival.connection.id)
  const { user, identity, address } = await findArriving(tx, connection, person)
  if (user !== null && userStanding(user, tx.now) !== 'standing')
    return { result: { refusedUserId: user.id }, subjectId: user.id, before: {}, after: {} }
  const before = user && image(user, identity)
  const entering = user ?? (await create(tx, scope, connection, address))
  if (user !== null && identity === null) await takeOver(tx, user)
  const kept = await keepIdentity(tx, entering, connection, person)
  const { result, type = 'user.signedIn' } = await finish(tx, { userId: entering.id, connection })
  const after = image(await readUser(tx.db, entering.id), kept)
  const known = { userId: entering.id, subjectId: entering.id, actorUserId: entering.id, connection: connection.key }
  if (user === null) return { ...known, result: { result }, type: 'user.signedUp', before, after }
  if (identity === null) return { ...known, result: { result }, type: 'identity.linked', before, after }
  await acceptInvite(tx, user)
  return { ...known, result: { result }, type, ...(await settled(tx, user.id, before, after)) }
}

function image(user: UserRecord, identity: Identity | null): Image {
  return { ...userImage(user), ...identitiesImage(identity === null ? [] : [identity]) }
}

async function create(
  tx: ChangeScope,
  scope: AuthenticationScope,
  { allowSignUp }: ProviderConnection,
  address: UserAttributes,
): Promise<UserRecord> {
  assertSignUpOpen(scope)
  if (!allowSignUp) throw new DomainError('SIGN_UP_DISABLED', 'Nobody can sign up by this connection.', [], {})
  const inserted = await insertUser(tx, { attributes: address })
  return readUser(tx.db, inserted.result.userId)
}

/**
 * The address is its owner's. Where nobody had shown before that the account is his, whoever set its password must not share it with
 * the owner; see sign-in-by-proof.ts.
 */
async function takeOver(tx: ChangeScope, { id: userId, emailVerified }: UserRecord): Promise<void> {
  if (!emailVerified) {
    await removePassword(tx, userId)
    await endSessions(tx, userId)
    await tx.db.oneTimeToken.deleteMany({ where: { userId } })
  }
  const data = { emailVerified: true, invitedAt: null, version: { increment: 1 }, updatedAt: tx.now }
  await tx.db.user.update({ where: { id: userId }, data, select: { id: true } })
}

async function acceptInvite({ db, now }: ChangeScope, { id, invitedAt }: UserRecord): Promise<void> {
  if (invitedAt === null) return
  await db.user.update({ where: { id }, data: { invitedAt: null, version: { increment: 1 }, updatedAt: now }, select: { id: true } })
}

/** Nothing at all is an event all the same: somebody signed in. */
async function settled(
  { db, now }: ChangeScope,
  id: string,
  before: Image | null,
  after: Image,
): Promise<Pick<Changed<unknown>, 'before' | 'after'>> {
  if (difference(before, after).length === 0) return { before: null, after: null }
  await db.user.update({ where: { id }, data: { version: { increment: 1 }, updatedAt: now }, select: { id: true } })
  return { before, after }
}
