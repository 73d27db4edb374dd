import type { AuthenticationScope } from '../authentication.ts'
import { type Changed, type ChangeScope, change } from '../change.ts'
import type { ChangeType } from '../change-type.ts'
import { difference } from '../difference.ts'
import { queueMail } from '../mail.ts'
import { removePassword, setPassword } from '../password.ts'
import { endSessions, startSession } from '../session.ts'
import { readUser, type UserRecord, userImage } from '../user/user-record.ts'
import type { Found } from './find-proof.ts'
import { redeem } from './redeem.ts'
import type { Verified } from './verified.ts'

type How = Readonly<{
  /** The new password's hash; null to leave the password alone. */
  hash: string | null
  isCode: boolean
  withSession: boolean
}>

/**
 * Verifies the address that a link or code went to, sets the new password, and starts a session. A new password ends all sessions
 * before, and every other link and code. Writes `user.signedIn`, `user.emailVerified`, `user.inviteAccepted` or `user.passwordReset`.
 */
export async function signInByProof(scope: AuthenticationScope, found: Found, how: How): Promise<Verified> {
  return change(scope, eventOf(found, how), (tx) => signIn(tx, scope, found, how))
}

function eventOf({ type }: Found, { hash, withSession }: How): ChangeType {
  if (type === 'INVITE') return 'user.inviteAccepted'
  if (hash !== null) return 'user.passwordReset'
  return type === 'SIGNUP' || !withSession ? 'user.emailVerified' : 'user.signedIn'
}

async function signIn(tx: ChangeScope, scope: AuthenticationScope, found: Found, how: How): Promise<Changed<Verified>> {
  const user = await redeem(tx, found)
  const { id: userId } = user
  if (how.hash !== null) await replacePassword(tx, scope, user, how.hash)
  else if (found.type !== 'SIGNUP' && !user.emailVerified) await dropUnprovenPassword(tx, user)
  // Nothing that was asked for before the address or the password was proved may undo it, such as a change of the address.
  if (how.hash !== null || !user.emailVerified) await tx.db.oneTimeToken.deleteMany({ where: { userId, id: { not: found.id } } })
  await tx.db.user.update({ where: { id: userId }, data: signedInColumns(tx, user, how), select: { id: true } })
  const session = { userId, connection: 'email', aal: 'aal1', amr: ['otp'], ip: tx.caller.ip, userAgent: tx.caller.userAgent }
  const tokens = how.withSession ? await startSession(tx, scope, session) : null
  const event = { subjectId: userId, userId, actorUserId: userId, connection: 'email' }
  return { ...event, ...(await images(tx, user)), result: { userId, tokens, redirectTo: found.redirectTo } }
}

async function replacePassword(
  tx: ChangeScope,
  { secrets }: AuthenticationScope,
  { id, email, passwordCredential }: UserRecord,
  hash: string,
): Promise<void> {
  await setPassword(tx, id, hash)
  await endSessions(tx, id)
  if (passwordCredential !== null && email !== null) await queueMail(tx, secrets, { template: 'PASSWORD_CHANGED', to: email, data: {} })
}

/**
 * Whoever signed up with an address that was not his must not share the account with whom it turns out to belong to: what was set
 * before the address was verified ends. (The owner who confirms a sign-up says that it was his.)
 */
async function dropUnprovenPassword(tx: ChangeScope, { id, passwordCredential }: UserRecord): Promise<void> {
  if (passwordCredential === null) return
  await removePassword(tx, id)
  await endSessions(tx, id)
}

function signedInColumns({ now, caller }: ChangeScope, { emailVerified, invitedAt }: UserRecord, { hash, withSession }: How) {
  const changes = !emailVerified || invitedAt !== null || hash !== null
  return {
    ...(changes ? { emailVerified: true, invitedAt: null, version: { increment: 1 }, updatedAt: now } : {}),
    ...(withSession ? { lastSignInAt: now, lastSignInIp: caller.ip, signInCount: { increment: 1 } } : {}),
  }
}

/** What changed of the record; nothing at all is a change all the same: somebody signed in. */
async function images({ db }: ChangeScope, user: UserRecord): Promise<Pick<Changed<unknown>, 'before' | 'after'>> {
  const [before, after] = [userImage(user), userImage(await readUser(db, user.id))]
  return difference(before, after).length === 0 ? { before: null, after: null } : { before, after }
}
