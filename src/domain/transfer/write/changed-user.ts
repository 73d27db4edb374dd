import { isDeepStrictEqual } from 'node:util'
import type { Prisma } from '../../../generated/prisma/client.ts'
import { difference, type Image, type Json } from '../../difference.ts'
import { newId } from '../../id.ts'
import { identitiesImage } from '../../identity/identity-image.ts'
import { type Metadata, type MetadataMode, mergeMetadata, metadataMaxBytes } from '../../metadata.ts'
import { nameNormal, type ProfileAttribute, profileAttributes } from '../../profile.ts'
import { settleVerification } from '../../user/user-attributes.ts'
import { userImage } from '../../user/user-record.ts'
import { type ImportIdentity, type ImportRecord, identityKey } from '../import-record.ts'
import type { Problem } from '../problem.ts'

/** All of a user that a record may change. */
export const changedInclude = {
  profile: true,
  passwordCredential: { select: { updatedAt: true } },
  identities: true,
} satisfies Prisma.UserInclude

/** A user who is there already, locked. */
export type KnownUser = Prisma.UserGetPayload<{ include: typeof changedInclude }>

/** What a user becomes by a record; `before` and `after` are how history sees it. */
export type ChangedUser = Readonly<{
  user: KnownUser
  hash: string | null
  changedAttributes: readonly ProfileAttribute[]
  newIdentities: readonly KnownUser['identities'][number][]
  changedIdentities: readonly KnownUser['identities'][number][]
  endsSessions: boolean
  before: Image
  after: Image
}>

/** Why a record cannot be applied, at a path into RosterRecord. */
export type Refusal = Readonly<{ problem: Omit<Problem, 'path'>; path: readonly string[] }>

/**
 * Applies a record to a user: what is absent is left alone, null clears. A password stays as it is where there is one: people have
 * changed theirs since the file was made. When the user was made, signed in and the like is left alone too. Null when nothing changes.
 */
export function changedUser(known: KnownUser, record: ImportRecord, mode: MetadataMode, now: Date): ChangedUser | Refusal | null {
  const settled = settleVerification(record.attributes, known)
  const [problem] = settled.problems
  if (problem) return refusal('INVALID_FORMAT', problem.message, problem.path.slice(1))
  const gone = goneProblem(known, record)
  if (gone !== null) return refusal('CONFLICT', gone, [])
  const bags = bagsOf(known, record, mode)
  if ('problem' in bags) return bags
  const { newIdentities, changedIdentities, identities } = identitiesOf(known, record, now)
  const hash = known.passwordCredential === null ? (record.passwordHash ?? null) : null
  const { profile, changedAttributes } = profileOf(known, record, now)
  const user: KnownUser = {
    ...known,
    ...settled.attributes,
    ...bags,
    ...blockOf(known, record, now),
    ...(record.deletedAt ? { deletedAt: known.deletedAt ?? record.deletedAt } : {}),
    ...(record.invitedAt === undefined ? {} : { invitedAt: record.invitedAt }),
    ...(changedAttributes.includes('name') ? { nameNormal: nameNormal(record.profile ?? {}) } : {}),
    profile,
    identities,
    passwordCredential: hash === null ? known.passwordCredential : { updatedAt: record.passwordChangedAt ?? now },
    version: known.version + 1,
    updatedAt: now,
  }
  const [before, after] = [imageOf(known), imageOf(user)]
  if (difference(before, after).length === 0) return null
  const endsSessions = (user.blockedAt !== null && known.blockedAt === null) || (user.deletedAt !== null && known.deletedAt === null)
  return { user, hash, changedAttributes, newIdentities, changedIdentities, endsSessions, before, after }
}

/** Nobody comes back by a file that knows nothing of his going. */
function goneProblem(known: KnownUser, record: ImportRecord): string | null {
  if (known.anonymizedAt !== null) return record.anonymizedAt ? null : 'The user who has the same is anonymous, for good.'
  return known.deletedAt !== null && !record.deletedAt ? 'The user who has the same is deleted: restore it first.' : null
}

function bagsOf(known: KnownUser, record: ImportRecord, mode: MetadataMode): Pick<KnownUser, 'userMetadata' | 'appMetadata'> | Refusal {
  const bags = { userMetadata: known.userMetadata, appMetadata: known.appMetadata }
  for (const name of ['userMetadata', 'appMetadata'] as const) {
    const patch = record[name]
    if (patch === undefined) continue
    const merged = mergeMetadata(known[name] as Metadata, patch, mode)
    const bytes = Buffer.byteLength(JSON.stringify(merged))
    if (bytes > metadataMaxBytes)
      return refusal('MAX_LENGTH', `This would have ${bytes} bytes; at most ${metadataMaxBytes} are kept.`, [name])
    // The database has the members in an order of its own.
    if (!isDeepStrictEqual(merged, known[name])) bags[name] = merged as Prisma.JsonObject
  }
  return bags
}

function blockOf(known: KnownUser, { block }: ImportRecord, now: Date): Partial<KnownUser> {
  if (block === undefined) return {}
  if (block === null) return { blockedAt: null, blockedUntil: null, blockReason: null }
  return { blockedAt: block.at ?? known.blockedAt ?? now, blockedUntil: block.until, blockReason: block.reason }
}

function profileOf({ profile: known }: KnownUser, { profile: wanted = {} }: ImportRecord, now: Date) {
  const changedAttributes = profileAttributes.filter(
    (attribute) => wanted[attribute] !== undefined && !isDeepStrictEqual(wanted[attribute], known?.[attribute] ?? null),
  )
  const changes = Object.fromEntries(changedAttributes.map((attribute) => [attribute, wanted[attribute]]))
  const profile = changedAttributes.length === 0 || known === null ? known : { ...known, ...changes, updatedAt: now }
  return { profile, changedAttributes: known === null ? [] : changedAttributes }
}

type Identity = KnownUser['identities'][number]

/** Identities are added and brought up to date, and never taken away. */
function identitiesOf(known: KnownUser, { identities: wanted, createdAt }: ImportRecord, now: Date) {
  const before = new Map(known.identities.map((identity) => [identityKey(identity), identity]))
  const made = wanted
    .filter(({ provider }) => provider !== 'password')
    .map((identity) => {
      const existing = before.get(identityKey(identity))
      return { existing, identity: toIdentity(known.id, identity, existing ?? null, createdAt ?? now) }
    })
  const newIdentities = made.flatMap(({ existing, identity }) => (existing ? [] : [identity]))
  const changedIdentities = made.flatMap(({ existing, identity }) =>
    existing && JSON.stringify(identitiesImage([existing])) !== JSON.stringify(identitiesImage([identity])) ? [identity] : [],
  )
  const identities = new Map(
    [...before.values(), ...made.map(({ identity }) => identity)].map((identity) => [identityKey(identity), identity]),
  )
  return { newIdentities, changedIdentities, identities: [...identities.values()] }
}

function toIdentity(userId: string, identity: ImportIdentity, existing: Identity | null, createdAt: Date): Identity {
  return {
    id: existing?.id ?? newId(),
    userId,
    provider: identity.provider,
    providerUserId: identity.providerUserId,
    email: identity.email,
    emailVerified: identity.emailVerified,
    claims: isDeepStrictEqual(identity.claims, existing?.claims) ? (existing?.claims ?? {}) : (identity.claims as Prisma.JsonObject),
    createdAt: existing?.createdAt ?? identity.createdAt ?? createdAt,
    lastSignInAt: existing?.lastSignInAt ?? identity.lastSignInAt ?? null,
  }
}

function imageOf(user: KnownUser): Image {
  return { ...userImage(user), invitedAt: user.invitedAt?.toISOString() ?? (null as Json), ...identitiesImage(user.identities) }
}

function refusal(code: string, message: string, path: readonly string[]): Refusal {
  return { problem: { code, message }, path }
}
