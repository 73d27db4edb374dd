import type { Identity } from '../generated/prisma/client.ts'
import type { AuthenticationScope } from './authentication.ts'
import { type Changed, type ChangeScope, change } from './change.ts'
import { type Change, difference, type Image } from './difference.ts'
import { invalidInput } from './errors.ts'
import { identitiesImage } from './identity/identity-image.ts'
import { mergeProfile, type SourcedProfile } from './merge-users/merge-profile.ts'
import { type MetadataMerge, type MetadataMerges, mergedColumns, outlasts } from './merge-users/merged-columns.ts'
import { endSessions, standingSessions } from './session.ts'
import { lockUser, readUser, type UserRecord, userImage } from './user/user-record.ts'

/** Who goes into whom, and how their metadata become one. */
export type MergeUsersInput = Readonly<{
  sourceUserId: string
  targetUserId: string
  /** PREFER_TARGET when absent. */
  userMetadata?: MetadataMerge | null
  /** KEEP_TARGET when absent: nobody gets more rights by the way. */
  appMetadata?: MetadataMerge | null
  dryRun?: boolean | null
}>

/** What became of the target, what of the source it did not take (`after` is what it has in its place), and the sessions that ended. */
export type Merged = Readonly<{ userId: string; changes: readonly Change[]; discarded: readonly Change[]; sessionsEnded: number }>

/**
 * Merges the source into the target: its identities move, names and a password that the target has not too, its history is the
 * target's from then on; then it is removed. Its sessions end, and a block that stands goes on for both. Writes `user.merged`, and
 * `user.mergedInto` of the source. With `dryRun` everything is done and rolled back.
 *
 * @throws {DomainError} USER_NOT_FOUND; INVALID_INPUT for one user; METADATA_TOO_LARGE; DELETE_BLOCKED when a host table holds the source
 */
export async function mergeUsers(scope: AuthenticationScope, input: MergeUsersInput): Promise<Merged> {
  if (input.sourceUserId.toLowerCase() === input.targetUserId.toLowerCase())
    throw invalidInput(['input', 'sourceUserId'], 'A user cannot be merged into itself.')
  const merges = { userMetadata: input.userMetadata ?? 'PREFER_TARGET', appMetadata: input.appMetadata ?? 'KEEP_TARGET' } as const
  const work = async (tx: ChangeScope) => {
    const [target, source] = await lockBoth(tx, input)
    const where = { ...standingSessions(scope.sessionLifetime, tx.now), userId: source.user.id }
    const sessionsEnded = await tx.db.session.count({ where })
    const after = await merge(tx, target, source, merges)
    if (input.dryRun === true) return rehearsed(tx, merged(target, source, after, sessionsEnded))
    return changed(target, source, after, sessionsEnded)
  }
  return change(scope, 'user.merged', work, { deletes: input.sourceUserId })
}

/** A user with what moves. */
type Party = Readonly<{ user: UserRecord; identities: readonly Identity[]; profile: SourcedProfile }>

/** In the order of their ids, so that two merges of the same users cannot wait for each other. */
async function lockBoth({ db }: ChangeScope, { sourceUserId, targetUserId }: MergeUsersInput): Promise<[target: Party, source: Party]> {
  const asked = [
    { id: targetUserId.toLowerCase(), path: ['input', 'targetUserId'] },
    { id: sourceUserId.toLowerCase(), path: ['input', 'sourceUserId'] },
  ]
  const parties = new Map<string, Party>()
  for (const { id, path } of asked.toSorted((left, right) => (left.id < right.id ? -1 : 1))) {
    const user = await lockUser(db, id, { path })
    const identities = await db.identity.findMany({ where: { userId: user.id }, orderBy: { id: 'asc' } })
    const sources = await db.profileSource.findMany({ where: { userId: user.id } })
    parties.set(id, { user, identities, profile: { profile: user.profile, sources } })
  }
  return asked.map(({ id }) => parties.get(id)) as [Party, Party]
}

/** @returns the target as it is afterwards */
async function merge(tx: ChangeScope, target: Party, source: Party, merges: MetadataMerges): Promise<Image> {
  const { db, now } = tx
  const [to, from] = [target.user.id, source.user.id]
  await moveIdentities(tx, target, source)
  await db.$queryRaw`select set_config('roster.merged_user', ${from}, true)`
  await db.auditEvent.updateMany({ where: { userId: from }, data: { userId: to } })
  // First it goes, then the names that it had are free.
  await db.user.delete({ where: { id: from }, select: { id: true } })
  await db.user.update({ where: { id: to }, data: mergedColumns(target.user, source.user, merges, now), select: { id: true } })
  const identities = await db.identity.findMany({ where: { userId: to }, orderBy: { id: 'asc' } })
  await mergeProfile(tx, to, target.profile, source.profile, new Set(identities.map(({ id }) => id)))
  if (outlasts(source.user, target.user, now)) await endSessions(tx, to)
  return { ...userImage(await readUser(db, to)), ...identitiesImage(identities) }
}

/** A user has one password: the source's moves where the target has none. */
async function moveIdentities({ db }: ChangeScope, target: Party, source: Party): Promise<void> {
  const [userId, from] = [target.user.id, source.user.id]
  await db.identity.updateMany({ where: { userId: from, provider: { not: 'password' } }, data: { userId } })
  if (target.user.passwordCredential !== null || source.user.passwordCredential === null) return
  await db.identity.deleteMany({ where: { userId, provider: 'password' } })
  await db.identity.updateMany({ where: { userId: from, provider: 'password' }, data: { userId, providerUserId: userId } })
  await db.passwordCredential.updateMany({ where: { userId: from }, data: { userId } })
}

function imageOf({ user, identities }: Party): Image {
  return { ...userImage(user), ...identitiesImage(identities) }
}

function merged(target: Party, source: Party, after: Image, sessionsEnded: number): Merged {
  const discarded = difference(imageOf(source), after).filter(({ before }) => before !== null)
  return { userId: target.user.id, changes: difference(imageOf(target), after), discarded, sessionsEnded }
}

function changed(target: Party, source: Party, after: Image, sessionsEnded: number): Changed<Merged> {
  const [to, from] = [target.user.id, source.user.id]
  return {
    result: merged(target, source, after, sessionsEnded),
    subjectId: to,
    userId: to,
    before: { ...imageOf(target), mergedFrom: null },
    after: { ...after, mergedFrom: from },
    also: {
      type: 'user.mergedInto',
      subjectId: from,
      userId: to,
      before: { ...imageOf(source), mergedInto: null },
      after: { mergedInto: to },
    },
  }
}

/** Rolls back; what a host table would refuse at the commit refuses it now. */
async function rehearsed({ db }: ChangeScope, result: Merged): Promise<Changed<Merged>> {
  await db.$executeRaw`set constraints all immediate`
  return { result, subjectId: result.userId, before: {}, after: {} }
}
