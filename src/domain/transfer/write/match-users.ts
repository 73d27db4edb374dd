import type { Prisma } from '../../../generated/prisma/client.ts'
import type { ImportOptions, MatchKey } from '../import-options.ts'
import { type ImportRecord, identityKey } from '../import-record.ts'
import type { Problem } from '../problem.ts'

/** Users and identities that are there already and have something in common with records. */
export type Known = Readonly<{
  /** The ids of users, by the field and what they have there. */
  users: Readonly<Record<KnownKey, ReadonlyMap<string, string>>>
  /** The ids of users, by the key of an identity of theirs. */
  identities: ReadonlyMap<string, string>
}>

const nobody: Known = {
  users: { id: new Map(), email: new Map(), phoneNumber: new Map(), username: new Map(), externalId: new Map() },
  identities: new Map(),
}

type KnownKey = 'id' | 'email' | 'phoneNumber' | 'username' | 'externalId'
type Row = { id: string; email: string | null; phoneNumber: string | null; username: string | null; externalId: string | null }

/** What a record has in each field that only one user can have. */
function keysOf({ id, attributes }: ImportRecord): Readonly<Record<KnownKey, string | null | undefined>> {
  const { emailNormal, phoneNumber, usernameNormal, externalId } = attributes
  return { id, externalId, email: emailNormal, phoneNumber, username: usernameNormal }
}

/** Looks for them, in two statements. */
export async function findKnown(db: Prisma.TransactionClient, records: readonly ImportRecord[]): Promise<Known> {
  if (records.length === 0) return nobody
  const all = records.map(keysOf)
  const values = (name: KnownKey) => all.flatMap((keys) => keys[name] ?? [])
  const owners = records.flatMap(({ identitiesOf }) => identitiesOf ?? [])
  const rows = await db.$queryRaw<Row[]>`
    select id, email_normal as email, phone_number as "phoneNumber", username_normal as username, external_id as "externalId"
    from roster.users
    where id = any(${[...values('id'), ...owners]}::uuid[]) or email_normal = any(${values('email')})
      or phone_number = any(${values('phoneNumber')}) or username_normal = any(${values('username')})
      or external_id = any(${values('externalId')})`
  const by = (name: KnownKey) => new Map(rows.flatMap((row) => (row[name] === null ? [] : [[row[name], row.id] as const])))
  const users = { id: by('id'), email: by('email'), phoneNumber: by('phoneNumber'), username: by('username'), externalId: by('externalId') }
  return { users, identities: await findIdentities(db, records) }
}

async function findIdentities(db: Prisma.TransactionClient, records: readonly ImportRecord[]): Promise<Known['identities']> {
  const identities = records.flatMap((record) => record.identities)
  if (identities.length === 0) return new Map()
  const rows = await db.$queryRaw<{ provider: string; providerUserId: string; userId: string }[]>`
    select identities.provider, provider_user_id as "providerUserId", user_id as "userId"
    from unnest(${identities.map(({ provider }) => provider)}::text[], ${identities.map((it) => it.providerUserId)}::text[])
      as wanted (provider, provider_id)
    join roster.identities on identities.provider = wanted.provider and provider_user_id = wanted.provider_id`
  return new Map(rows.map((row) => [identityKey(row), row.userId]))
}

/** Whom a record is about: a user who is there, or somebody new (null). Or why it cannot be taken, at a path into RosterRecord. */
export type Match = Readonly<{ userId: string | null }> | Readonly<{ problem: Omit<Problem, 'path'>; path: readonly string[] }>

const matchFields: Readonly<Record<MatchKey, KnownKey>> = {
  ID: 'id',
  EXTERNAL_ID: 'externalId',
  EMAIL: 'email',
  PHONE_NUMBER: 'phoneNumber',
}
const conflictCodes: Readonly<Partial<Record<KnownKey, string>>> = { email: 'CONFLICT_EMAIL', username: 'CONFLICT_USERNAME' }

/** Finds out whom a record is about. */
export function matchUser(record: ImportRecord, known: Known, { upsert, matchOn }: Pick<ImportOptions, 'upsert' | 'matchOn'>): Match {
  if (record.identitiesOf !== null) return matchOwner(record, record.identitiesOf, known)
  const found = Object.entries(keysOf(record)).flatMap(([name, key]) => {
    const userId = key == null ? undefined : known.users[name as KnownKey].get(key)
    return userId === undefined ? [] : [{ name: name as KnownKey, userId }]
  })
  const [first] = found
  if (!upsert && first !== undefined) return duplicated([first.name])
  const wanted = upsert ? matchOn.map((key) => matchFields[key]) : []
  const userId = wanted.map((name) => found.find((it) => it.name === name)?.userId).find((id) => id !== undefined) ?? null
  const other = found.find((it) => it.userId !== userId)
  if (other !== undefined) return conflict(conflictCodes[other.name] ?? 'CONFLICT', [other.name])
  return withIdentities(record, userId, known)
}

function matchOwner(record: ImportRecord, userId: string, known: Known): Match {
  if (known.users.id.has(userId)) return withIdentities(record, userId, known)
  return { problem: { code: 'USER_NOT_FOUND', message: 'There is no user of this id: import the users first.' }, path: ['user_id'] }
}

function withIdentities(record: ImportRecord, userId: string | null, known: Known): Match {
  const index = record.identities.findIndex((identity) => {
    const owner = known.identities.get(identityKey(identity))
    return owner !== undefined && owner !== userId
  })
  return index < 0 ? { userId } : conflict('CONFLICT', ['identities', String(index)])
}

function duplicated(path: readonly string[]): Match {
  return { problem: { code: 'DUPLICATED_USER', message: 'A user who is there already has the same here.' }, path }
}

function conflict(code: string, path: readonly string[]): Match {
  return { problem: { code, message: 'Another user has the same here.' }, path }
}
