import { type ProfileOrigin, profileAttributes } from '../profile.ts'
import type { RosterIdentity, RosterRecord } from '../transfer/roster-record.ts'

/** Origin, identity and time of an attribute. */
type StoredSource = readonly [attribute: string, origin: ProfileOrigin, identityId: string | null, setAt: string]
type StoredIdentity = RosterIdentity & Readonly<{ id: string }>

/** A record as the database writes it: with what is not set, identities by their ids, and times in a form of its own. */
export type StoredRecord = Omit<RosterRecord, 'profileSources' | 'identities' | 'block' | 'profileUpdatedAt'> &
  Readonly<{
    profileSources: readonly StoredSource[] | null
    identities: readonly StoredIdentity[] | null
    block: Readonly<{ at: string | null; until: string | null; reason: string | null }>
    profileUpdatedAt: string | null
  }>

/** The record in the form that files have. Its members stay in the order in which they were read. */
export function toRecord(stored: StoredRecord): RosterRecord {
  const identities = stored.identities ?? []
  const { at, until, reason } = stored.block
  const record: Record<string, unknown> = {
    ...stored,
    profile: inOrder(stored.profile),
    profileSources: inOrder(sourcesOf(stored.profileSources ?? [], identities)),
    // A profile is never missing but where somebody has deleted it by hand.
    profileUpdatedAt: stored.profileUpdatedAt ?? stored.updatedAt,
    identities: identities.map(({ id: _, ...identity }) => ({
      ...identity,
      createdAt: isoTime(identity.createdAt),
      lastSignInAt: isoTimeOrNull(identity.lastSignInAt),
    })),
    block: at === null ? null : { at: isoTime(at), until: isoTimeOrNull(until), reason },
  }
  for (const name of times) if (typeof record[name] === 'string') record[name] = isoTime(record[name])
  return record as RosterRecord
}

const times = [
  'profileUpdatedAt',
  'passwordChangedAt',
  'invitedAt',
  'createdAt',
  'updatedAt',
  'deletedAt',
  'anonymizedAt',
  'lastSignInAt',
] as const

function sourcesOf(sources: readonly StoredSource[], identities: readonly StoredIdentity[]): RosterRecord['profileSources'] {
  const entries = sources.map(([attribute, origin, identityId, setAt]) => {
    const found = identityId === null ? undefined : identities.find(({ id }) => id === identityId)
    const identity = found && { identity: { provider: found.provider, providerUserId: found.providerUserId } }
    return [attribute, { origin, ...identity, setAt: isoTime(setAt) }] as const
  })
  return Object.fromEntries(entries)
}

/** The attributes that are set, in the order of `profileAttributes`. */
function inOrder<Value>(values: { readonly [attribute: string]: Value }): Record<string, Value> {
  const ordered: Record<string, Value> = {}
  for (const attribute of profileAttributes) {
    const value = values[attribute]
    if (value !== undefined && value !== null) ordered[attribute] = value
  }
  return ordered
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
