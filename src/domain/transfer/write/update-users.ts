import type { Prisma } from '../../../generated/prisma/client.ts'
import type { ManyScope } from '../../change.ts'
import { newId } from '../../id.ts'
import type { ImportRecord } from '../import-record.ts'
import { type ChangedUser, changedInclude, type KnownUser } from './changed-user.ts'
import { copiedRows, emptyRows, rowBytes, updateRows } from './rows.ts'

/** Reads users and keeps others from changing them, in the order of their ids, so that nobody waits in a ring. */
export async function lockUsers(db: Prisma.TransactionClient, ids: readonly string[]): Promise<ReadonlyMap<string, KnownUser>> {
  if (ids.length === 0) return new Map()
  await db.$queryRaw`select from roster.users where id = any(${ids}::uuid[]) order by id for update`
  const users = await db.user.findMany({ where: { id: { in: [...ids] } }, include: changedInclude })
  return new Map(users.map((user) => [user.id, user]))
}

type Identity = KnownUser['identities'][number]

/** A record, and what a user becomes by it. */
export type AppliedRecord = Readonly<{ record: ImportRecord; changed: ChangedUser }>

/** Writes what users have become. Who is blocked or deleted by it loses his sessions. */
export async function updateUsers({ db, now, copy }: ManyScope, applied: readonly AppliedRecord[]): Promise<void> {
  if (applied.length === 0) return
  await updateRows(
    db,
    'users',
    'id',
    applied.map(({ changed }) => userColumns(changed.user)),
  )
  const profiles = applied.flatMap(({ changed }) =>
    changed.changedAttributes.length > 0 && changed.user.profile ? [changed.user.profile] : [],
  )
  await updateRows(db, 'profiles', 'user_id', profiles.map(snakeCase))
  const replaced = applied.flatMap(({ changed }) => changed.changedAttributes.map((attribute) => ({ userId: changed.user.id, attribute })))
  if (replaced.length > 0)
    await db.$executeRaw`
      delete from roster.profile_sources using unnest(${replaced.map((it) => it.userId)}::uuid[], ${replaced.map((it) => it.attribute)}::text[])
        as replaced (user_id, attribute)
      where profile_sources.user_id = replaced.user_id and profile_sources.attribute = replaced.attribute`
  await updateRows(
    db,
    'identities',
    'id',
    applied.flatMap(({ changed }) => changed.changedIdentities.map(snakeCase)),
  )
  const rows = {
    ...emptyRows,
    identities: applied.flatMap(({ changed }) => [...changed.newIdentities.map(identityRow), ...passwordIdentity(changed, now)]),
    sources: applied.flatMap((one) => sourceRows(one, now)),
    credentials: applied.flatMap(({ changed: { user, hash } }) =>
      hash === null ? [] : [{ user_id: user.id, hash, updated_at: user.passwordCredential?.updatedAt ?? now }],
    ),
  }
  await copy(copiedRows([rowBytes(rows)]))
  const ended = applied.flatMap(({ changed }) => (changed.endsSessions ? [changed.user.id] : []))
  if (ended.length > 0) await db.session.updateMany({ where: { userId: { in: ended }, revokedAt: null }, data: { revokedAt: now } })
}

function userColumns({ profile: _, identities: __, passwordCredential: ___, ...user }: KnownUser) {
  return snakeCase(user)
}

function identityRow({ id, userId, provider, providerUserId, email, emailVerified, claims, createdAt, lastSignInAt }: Identity) {
  return {
    ...{ id, user_id: userId, provider, provider_user_id: providerUserId, email, email_verified: emailVerified, claims },
    ...{ created_at: createdAt, last_sign_in_at: lastSignInAt },
  }
}

function passwordIdentity({ user, hash }: ChangedUser, now: Date) {
  if (hash === null || user.identities.some(({ provider }) => provider === 'password')) return []
  const empty = { email: null, email_verified: false, claims: {}, created_at: now, last_sign_in_at: null }
  return [{ id: newId(), user_id: user.id, provider: 'password', provider_user_id: user.id, ...empty }]
}

function sourceRows({ record, changed }: AppliedRecord, now: Date) {
  return changed.changedAttributes.flatMap((attribute) => {
    if (record.profile?.[attribute] == null) return []
    const source = record.sources?.get(attribute)
    const origin = source?.origin ?? 'IMPORT'
    return [{ user_id: changed.user.id, attribute, origin, identity_id: null, set_at: source?.setAt ?? now }]
  })
}

function snakeCase(row: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), value]),
  )
}
