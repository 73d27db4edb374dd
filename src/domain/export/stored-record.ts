import type { Json } from '../difference.ts'
import type { Metadata } from '../metadata.ts'
import { type ProfileOrigin, profileAttributes } from '../profile.ts'
import type { RosterIdentity, RosterRecord, RosterSource } from '../transfer/roster-record.ts'

/** Where attributes came from: most often all of them from one place, at one time. */
type StoredSource = readonly [attributes: readonly string[], origin: ProfileOrigin, identityId: string | null, setAt: string]

type StoredIdentity = readonly [
  id: string,
  provider: string,
  providerUserId: string,
  email: string | null,
  emailVerified: boolean,
  claims: Metadata,
  createdAt: string,
  lastSignInAt: string | null,
]

/** A record as the database writes it: without names, which would be longer than what they name, and with times in a form of its own. */
export type StoredRecord = readonly [
  id: string,
  email: string | null,
  emailVerified: boolean,
  phoneNumber: string | null,
  phoneNumberVerified: boolean,
  username: string | null,
  externalId: string | null,
  /** In the order of `profileAttributes`. */
  profile: readonly Json[],
  sources: readonly StoredSource[] | null,
  /** Never null but where somebody has deleted the profile by hand. */
  profileUpdatedAt: string | null,
  userMetadata: Metadata,
  /** Null when nothing is to be said of it. */
  appMetadata: Metadata | null,
  identities: readonly StoredIdentity[] | null,
  /** Null when nothing is to be said of it. */
  password: readonly [hash: string | null, changedAt: string | null] | null,
  block: readonly [at: string, until: string | null, reason: string | null] | null,
  invitedAt: string | null,
  createdAt: string,
  updatedAt: string,
  deletedAt: string | null,
  anonymizedAt: string | null,
  lastSignInAt: string | null,
  lastSignInIp: string | null,
  signInCount: number,
  version: number,
]

/** The record in the form that files have. What nothing is to be said of is undefined. */
export function toRecord(stored: StoredRecord): RosterRecord {
  const [id, email, emailVerified, phoneNumber, phoneNumberVerified, username, externalId, ...others] = stored
  const [profile, sources, profileUpdatedAt, userMetadata, appMetadata, identities, password, block, ...state] = others
  const [invitedAt, createdAt, updatedAt, deletedAt, anonymizedAt, lastSignInAt, lastSignInIp, signInCount, version] = state
  return {
    id,
    email,
    emailVerified,
    phoneNumber,
    phoneNumberVerified,
    username,
    externalId,
    profile: profileOf(profile),
    profileSources: sourcesOf(sources ?? [], identities ?? []),
    profileUpdatedAt: isoTime(profileUpdatedAt ?? updatedAt),
    userMetadata,
    appMetadata: (appMetadata ?? undefined) as Metadata,
    identities: (identities ?? []).map(toIdentity),
    passwordHash: password?.[0],
    passwordChangedAt: password === null ? undefined : isoTimeOrNull(password[1]),
    block: block === null ? null : { at: isoTime(block[0]), until: isoTimeOrNull(block[1]), reason: block[2] },
    invitedAt: isoTimeOrNull(invitedAt),
    createdAt: isoTime(createdAt),
    updatedAt: isoTime(updatedAt),
    deletedAt: isoTimeOrNull(deletedAt),
    anonymizedAt: isoTimeOrNull(anonymizedAt),
    lastSignInAt: isoTimeOrNull(lastSignInAt),
    lastSignInIp,
    signInCount,
    version,
  }
}

/** The attributes that are set. */
function profileOf(values: readonly Json[]): RosterRecord['profile'] {
  const profile: Record<string, Json> = {}
  profileAttributes.forEach((attribute, index) => {
    const value = values[index]
    if (value !== undefined && value !== null) profile[attribute] = value
  })
  return profile
}

function sourcesOf(sources: readonly StoredSource[], identities: readonly StoredIdentity[]): RosterRecord['profileSources'] {
  const rows = sources.map((stored) => ({ attributes: stored[0], source: toSource(stored, identities) }))
  const ordered: Record<string, RosterSource> = {}
  for (const attribute of profileAttributes) {
    // As `eachSource` has it.
    const row = rows.find(({ attributes: [first] }) => first === attribute) ?? rows.find(({ attributes }) => attributes.includes(attribute))
    if (row !== undefined) ordered[attribute] = row.source
  }
  return ordered
}

function toSource([, origin, identityId, setAt]: StoredSource, identities: readonly StoredIdentity[]): RosterSource {
  const identity = identityId === null ? undefined : identities.find(([id]) => id === identityId)
  if (identity === undefined) return { origin, setAt: isoTime(setAt) }
  const [, provider, providerUserId] = identity
  return { origin, identity: { provider, providerUserId }, setAt: isoTime(setAt) }
}

function toIdentity(stored: StoredIdentity): RosterIdentity {
  const [, provider, providerUserId, email, emailVerified, claims, createdAt, lastSignInAt] = stored
  return {
    provider,
    providerUserId,
    email,
    emailVerified,
    claims,
    createdAt: isoTime(createdAt),
    lastSignInAt: isoTimeOrNull(lastSignInAt),
  }
}

function isoTimeOrNull(time: string | null): string | null {
  return time === null ? null : isoTime(time)
}

/** `2026-01-02T03:04:05.6+00:00`, as a database in UTC writes it, needs no calendar. */
function isoTime(time: string): string {
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?\+00:00$/.test(time))
    return `${time.slice(0, 19)}.${time.slice(20, -6).padEnd(3, '0')}Z`
  return new Date(time).toISOString()
}
