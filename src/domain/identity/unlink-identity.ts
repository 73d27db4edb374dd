import type { Identity } from '../../generated/prisma/client.ts'
import type { AuthenticationScope } from '../authentication.ts'
import { type Changed, type ChangeScope, change } from '../change.ts'
import { DomainError } from '../errors.ts'
import { isUuid } from '../normalize.ts'
import { removePassword } from '../password.ts'
import { hasScope } from '../principal.ts'
import { endSessionsWhere } from '../session/end-sessions.ts'
import { stillStood } from '../session.ts'
import { proveFresh } from '../user/prove-fresh.ts'
import { type SelfProof, useProof } from '../user/prove-self.ts'
import { lockUser, type UserRecord } from '../user/user-record.ts'
import { identitiesImage } from './identity-image.ts'

/** Which identity, what shows that the user himself asks for it, and whether it goes even if no other is left. */
export type UnlinkIdentityInput = SelfProof & Readonly<{ id: string; force?: boolean | null }>

type Unlinked = Readonly<{ userId: string; sessionsEnded: number }>

/**
 * Unlinks one of the caller's own identities, or anybody's with `update:users`, and ends the sessions that were started with its
 * provider. Unlinking `password` takes the password away. What the profile has from it stays. Writes `identity.unlinked`.
 *
 * @throws {DomainError} IDENTITY_NOT_FOUND when there is none, or it is none of the caller's; LAST_IDENTITY when the user could not sign
 * in any more; REAUTHENTICATION_REQUIRED for the user's own in a session that was not started a moment ago
 * @throws {RequestError} RATE_LIMITED
 */
export async function unlinkIdentity(scope: AuthenticationScope, input: UnlinkIdentityInput): Promise<Unlinked> {
  const { principal } = scope.caller
  const userId = await ownerOf(scope, input.id)
  const proof = hasScope(principal, 'update:users') ? null : await proveFresh(scope, userId, input)
  return change(scope, 'identity.unlinked', async (tx) => {
    const user = await lockUser(tx.db, userId)
    if (proof !== null) await useProof(tx, proof, user.emailNormal)
    const identities = await tx.db.identity.findMany({ where: { userId: user.id } })
    const identity = identities.find(({ id }) => id === input.id.toLowerCase())
    if (identity === undefined) throw identityNotFound()
    const others = identities.filter((other) => other !== identity)
    if (input.force !== true && !canSignIn(scope, user, others)) throw lastIdentity()
    return unlink(tx, scope, identity)
  })
}

async function ownerOf({ db, caller: { principal } }: AuthenticationScope, id: string): Promise<string> {
  const where = { id, user: { deletedAt: null } }
  const identity = isUuid(id) ? await db.identity.findUnique({ where, select: { userId: true } }) : null
  const isReached = identity !== null && (identity.userId === principal.userId || hasScope(principal, 'update:users'))
  if (!isReached) throw identityNotFound()
  return identity.userId
}

/** With an account at a provider, with the password that the identity of that name stands for, or, where mail is sent, with a link to an address that is verified. */
function canSignIn(
  { mailEnabled }: AuthenticationScope,
  { email, emailVerified, passwordCredential }: UserRecord,
  identities: readonly Identity[],
): boolean {
  const isOfUse = ({ provider }: Identity) => provider !== 'password' || passwordCredential !== null
  return identities.some(isOfUse) || (mailEnabled && email !== null && emailVerified)
}

async function unlink(tx: ChangeScope, { sessionLifetime }: AuthenticationScope, identity: Identity): Promise<Changed<Unlinked>> {
  const { id, userId, provider } = identity
  const { db, now } = tx
  if (provider === 'password') await removePassword(tx, userId)
  else await db.identity.delete({ where: { id }, select: { id: true } })
  await db.user.update({ where: { id: userId }, data: { version: { increment: 1 }, updatedAt: now }, select: { id: true } })
  const { ended, before, after } = await endSessionsWhere(tx, userId, { connection: provider })
  const result = { userId, sessionsEnded: ended.filter(stillStood(sessionLifetime, now)).length }
  return {
    result,
    subjectId: userId,
    userId,
    before: { ...identitiesImage([identity]), ...before },
    after: { ...identitiesImage([]), ...after },
  }
}

function identityNotFound(): DomainError<'IDENTITY_NOT_FOUND'> {
  return new DomainError('IDENTITY_NOT_FOUND', 'There is no such identity.', ['input', 'id'], {})
}

function lastIdentity(): DomainError<'LAST_IDENTITY'> {
  const message = 'Without it the user could not sign in any more. Link another one, set a password or verify the e-mail address first.'
  return new DomainError('LAST_IDENTITY', message, ['input', 'id'], {})
}
