import type { Json } from '../difference.ts'
import type { Metadata } from '../metadata.ts'
import type { ProfileAttribute, ProfileOrigin } from '../profile.ts'

/** An identity of a user in a file. */
export type RosterIdentity = Readonly<{
  provider: string
  providerUserId: string
  email: string | null
  emailVerified: boolean
  claims: Metadata
  createdAt: string
  lastSignInAt: string | null
}>

/** Where an attribute of the profile came from; `identity` for the origin IDENTITY, as long as there is one. */
export type RosterSource = Readonly<{
  origin: ProfileOrigin
  identity?: Readonly<{ provider: string; providerUserId: string }>
  setAt: string
}>

/**
 * A user as one line of a ROSTER_NDJSON file: a JSON object with these members, in this order, all that is kept of a user but sessions,
 * tokens and history. An export writes each of them, `passwordHash` and `passwordChangedAt` only when they are asked for; an import
 * takes any of them. Times are ISO 8601 in UTC with milliseconds. Identities are in the order of their provider and its id, attributes
 * in the order of `profileAttributes`, and the members of a JSON object as PostgreSQL's `jsonb` has them.
 */
export type RosterRecord = Readonly<{
  id: string
  email: string | null
  emailVerified: boolean
  phoneNumber: string | null
  phoneNumberVerified: boolean
  username: string | null
  externalId: string | null
  /** Those that are set. `address` is an object. */
  profile: Readonly<Partial<Record<ProfileAttribute, Json>>>
  profileSources: Readonly<Partial<Record<ProfileAttribute, RosterSource>>>
  profileUpdatedAt: string
  userMetadata: Metadata
  appMetadata: Metadata
  /** The identity of a password among them: provider `password`, and the user's id. */
  identities: readonly RosterIdentity[]
  /** As it is kept: an argon2 or bcrypt string, or another system's in the form that Roster keeps it in. Null: the user has none. */
  passwordHash?: string | null
  passwordChangedAt?: string | null
  block: Readonly<{ at: string; until: string | null; reason: string | null }> | null
  invitedAt: string | null
  createdAt: string
  updatedAt: string
  deletedAt: string | null
  anonymizedAt: string | null
  lastSignInAt: string | null
  lastSignInIp: string | null
  signInCount: number
  version: number
}>
