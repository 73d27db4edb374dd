import type { Metadata } from '../metadata.ts'
import type { ProfileAttribute, ProfileInput, ProfileOrigin } from '../profile.ts'
import type { UserAttributes } from '../user/user-attributes.ts'

/** An account at a provider, checked. What is absent is left alone where it is known already. */
export type ImportIdentity = Readonly<{
  provider: string
  providerUserId: string
  email: string | null
  emailVerified: boolean
  claims: Metadata
  createdAt?: Date
  lastSignInAt?: Date | null
}>

/** Where an attribute of the profile came from. */
export type ImportSource = Readonly<{ origin: ProfileOrigin; identity: string | null; setAt: Date }>

/**
 * A record of a file, checked: what is absent is left alone, null clears. `identitiesOf` is the id of the user that it brings identities
 * to and nothing else; null for all other records.
 */
export type ImportRecord = Readonly<{
  identitiesOf: string | null
  id?: string
  attributes: UserAttributes
  profile?: ProfileInput
  /** By the keys of `identityKey`. */
  sources?: ReadonlyMap<ProfileAttribute, ImportSource>
  profileUpdatedAt?: Date
  userMetadata?: Metadata
  appMetadata?: Metadata
  identities: readonly ImportIdentity[]
  passwordHash?: string | null
  passwordChangedAt?: Date | null
  /** `at` is now, or when the block began that stands already. */
  block?: Readonly<{ at: Date | null; until: Date | null; reason: string | null }> | null
  invitedAt?: Date | null
  createdAt?: Date
  updatedAt?: Date
  deletedAt?: Date | null
  anonymizedAt?: Date | null
  lastSignInAt?: Date | null
  lastSignInIp?: string | null
  signInCount?: number
  version?: number
}>

/** What tells identities apart. */
export function identityKey({ provider, providerUserId }: Readonly<{ provider: string; providerUserId: string }>): string {
  return `${provider}\n${providerUserId}`
}
