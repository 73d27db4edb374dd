import type { Prisma } from '../../generated/prisma/client.ts'
import { type Changed, type ChangeScope, change } from '../change.ts'
import type { ChangeType } from '../change-type.ts'
import { DomainError } from '../errors.ts'
import { emptyProfile, profileAttributes, profileColumns } from '../profile.ts'
import type { Scope } from '../scope.ts'
import { endSessions } from '../session.ts'
import { idPath, lockUser, readUser, type UserRecord, userImage } from './user-record.ts'

/** How a user is deleted; see the GraphQL enum of the same name. */
export type DeleteMode = 'SOFT' | 'HARD' | 'ANONYMIZE'

type Result = { userId: string | null }

const types: { readonly [Mode in DeleteMode]: ChangeType } = { SOFT: 'user.deleted', HARD: 'user.purged', ANONYMIZE: 'user.anonymized' }

/**
 * Deletes a user. SOFT hides it, ends its sessions and keeps its names reserved. HARD removes the row and all it owns.
 * ANONYMIZE keeps the row and erases the person. HARD and ANONYMIZE also take a user that is deleted softly, and erase what
 * is personal from its history, which stays. Writes `user.deleted`, `user.purged` or `user.anonymized`.
 *
 * @throws {DomainError} USER_NOT_FOUND, or DELETE_BLOCKED when a host table's foreign key holds the row
 */
export async function deleteUser(scope: Scope, { id, mode }: { id: string; mode?: DeleteMode | null }): Promise<Result> {
  const chosen = mode ?? 'SOFT'
  const work = async (tx: ChangeScope) => {
    const before = await lockUser(tx.db, id, { deleted: chosen !== 'SOFT' })
    if (chosen === 'SOFT') return hide(tx, before)
    return chosen === 'HARD' ? purge(tx, before) : anonymize(tx, before)
  }
  return change(scope, types[chosen], work, { deletes: id })
}

/**
 * Brings a softly deleted user back.
 * @throws {DomainError} USER_NOT_FOUND when it is not deleted, or erased for good
 */
export async function restoreUser(scope: Scope, { id }: { id: string }): Promise<{ userId: string }> {
  return change(scope, 'user.restored', async (tx) => {
    const before = await lockUser(tx.db, id, { deleted: true })
    if (before.deletedAt === null || before.anonymizedAt !== null) throw notDeleted()
    await tx.db.user.update({ where: { id: before.id }, data: { deletedAt: null, ...touched(tx) }, select: { id: true } })
    return { ...(await changed(tx, before)), result: { userId: before.id } }
  })
}

async function hide(tx: ChangeScope, before: UserRecord): Promise<Changed<Result>> {
  await tx.db.user.update({ where: { id: before.id }, data: { deletedAt: tx.now, ...touched(tx) }, select: { id: true } })
  await endSessions(tx, before.id)
  return changed(tx, before)
}

async function purge(tx: ChangeScope, { id }: UserRecord): Promise<Changed<Result>> {
  await eraseHistory(tx, id)
  await tx.db.user.delete({ where: { id }, select: { id: true } })
  return { result: { userId: null }, subjectId: id, before: null, after: null }
}

async function anonymize(tx: ChangeScope, { id, deletedAt }: UserRecord): Promise<Changed<Result>> {
  await tx.db.user.update({
    where: { id },
    data: { ...nobody, deletedAt: deletedAt ?? tx.now, anonymizedAt: tx.now, ...touched(tx) },
    select: { id: true },
  })
  const profile = { ...profileColumns(emptyProfile, profileAttributes), updatedAt: tx.now }
  await tx.db.profile.update({ where: { userId: id }, data: profile, select: { userId: true } })
  await tx.db.profileSource.deleteMany({ where: { userId: id } })
  await tx.db.identity.deleteMany({ where: { userId: id } })
  await tx.db.passwordCredential.deleteMany({ where: { userId: id } })
  await tx.db.session.deleteMany({ where: { userId: id } })
  await tx.db.oneTimeToken.deleteMany({ where: { userId: id } })
  await eraseHistory(tx, id)
  return { result: { userId: id }, subjectId: id, userId: id, before: null, after: null }
}

const nobody = {
  email: null,
  emailNormal: null,
  emailVerified: false,
  phoneNumber: null,
  phoneNumberVerified: false,
  username: null,
  usernameNormal: null,
  nameNormal: null,
  externalId: null,
  invitedAt: null,
  blockReason: null,
  userMetadata: {},
  appMetadata: {},
  lastSignInIp: null,
} satisfies Prisma.UserUncheckedUpdateInput

/** What happened stays in history; the values, which are the person's, do not. */
async function eraseHistory({ db }: ChangeScope, userId: string): Promise<void> {
  await db.auditEvent.updateMany({ where: { userId }, data: { changes: [], ip: null, userAgent: null } })
}

function touched({ now }: ChangeScope): Prisma.UserUncheckedUpdateInput {
  return { version: { increment: 1 }, updatedAt: now }
}

async function changed(tx: ChangeScope, before: UserRecord): Promise<Changed<{ userId: string }>> {
  const { id } = before
  return { result: { userId: id }, subjectId: id, userId: id, before: userImage(before), after: userImage(await readUser(tx.db, id)) }
}

function notDeleted(): DomainError<'USER_NOT_FOUND'> {
  return new DomainError('USER_NOT_FOUND', 'There is no such deleted user that could be restored.', idPath, {})
}
