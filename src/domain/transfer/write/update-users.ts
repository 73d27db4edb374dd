import type { Prisma } from '../../../generated/prisma/client.ts'
import type { ManyScope } from '../../change.ts'
import { newId } from '../../id.ts'
import { forgetSources } from '../../profile-source.ts'
import type { ImportRecord } from '../import-record.ts'
import { type ChangedUser, changedInclude, type KnownUser } from './changed-user.ts'
import { copiedRows, emptyRows, rowBytes, updateRows } from './rows.ts'
import { sourceRows } from './source-rows.ts'

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
  const replaced = applied.map(({ changed }) => ({ userId: changed.user.id, attributes: changed.changedAttributes }))
  await forgetSources(
    db,
    replaced.filter(({ attributes }) => attributes.length > 0),
  )
  await updateRows(
    db,
    'identities',
    'id',
    applied.flatMap(({ changed }) => changed.changedIdentities.map(snakeCase)),
  )
  const rows = {
    ...emptyRows,
    identities: applied.flatMap(({ changed }) => [...changed.newIdentities.map(identityRow), ...passwordIdentity(changed, now)]),
    sources: applied.flatMap(({ record, changed: { user, changedAttributes: attributes } }) =>
      sourceRows(record, { userId: user.id, attributes, identityId: () => null, now: now.toISOString() }),
    ),
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

function snakeCase(row: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), value]),
  )
}
