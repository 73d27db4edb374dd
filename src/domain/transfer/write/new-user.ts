import type { Json } from '../../difference.ts'
import { newId } from '../../id.ts'
import { nameNormal } from '../../profile.ts'
import { settleVerification } from '../../user/user-attributes.ts'
import { type ImportIdentity, type ImportRecord, identityKey } from '../import-record.ts'
import type { NewUserRows } from './rows.ts'
import { sourceRows } from './source-rows.ts'

/**
 * The rows of somebody new, with the names of the columns, and all that must have a value. Times that stand in many rows are text already:
 * making text of each would be a third of the work.
 */
export function newUserRows(record: ImportRecord, time: Date): NewUserRows {
  const id = record.id ?? newId()
  const now = time.toISOString()
  const createdAt = record.createdAt?.toISOString() ?? now
  const identities = identityRows(withPassword(record, id), id, createdAt)
  const hash = record.passwordHash ?? null
  return {
    users: [userRow(record, id, { createdAt, now })],
    profiles: [profileRow(record, id, now)],
    sources: sourceRows(record, { userId: id, identityId: (wanted) => identities.find(({ key }) => key === wanted)?.row.id ?? null, now }),
    identities: identities.map(({ row }) => row),
    credentials: hash === null ? [] : [{ user_id: id, hash, updated_at: record.passwordChangedAt ?? now }],
  }
}

function userRow(record: ImportRecord, id: string, { createdAt, now }: { createdAt: string; now: string }) {
  const { attributes } = settleVerification(record.attributes, null)
  const { block = null } = record
  return {
    id,
    email: attributes.email ?? null,
    email_normal: attributes.emailNormal ?? null,
    email_verified: attributes.emailVerified ?? false,
    phone_number: attributes.phoneNumber ?? null,
    phone_number_verified: attributes.phoneNumberVerified ?? false,
    username: attributes.username ?? null,
    username_normal: attributes.usernameNormal ?? null,
    name_normal: nameNormal(record.profile ?? {}),
    external_id: attributes.externalId ?? null,
    invited_at: record.invitedAt ?? null,
    blocked_at: block && (block.at ?? now),
    blocked_until: block?.until ?? null,
    block_reason: block?.reason ?? null,
    user_metadata: record.userMetadata ?? {},
    app_metadata: record.appMetadata ?? {},
    version: record.version ?? 1,
    created_at: createdAt,
    updated_at: record.updatedAt ?? now,
    deleted_at: record.deletedAt ?? null,
    anonymized_at: record.anonymizedAt ?? null,
    last_sign_in_at: record.lastSignInAt ?? null,
    last_sign_in_ip: record.lastSignInIp ?? null,
    sign_in_count: record.signInCount ?? 0,
  }
}

function profileRow({ profile = {}, profileUpdatedAt }: ImportRecord, id: string, now: string) {
  return {
    user_id: id,
    name: profile.name ?? null,
    given_name: profile.givenName ?? null,
    family_name: profile.familyName ?? null,
    middle_name: profile.middleName ?? null,
    nickname: profile.nickname ?? null,
    preferred_username: profile.preferredUsername ?? null,
    picture: profile.picture ?? null,
    website: profile.website ?? null,
    gender: profile.gender ?? null,
    birthdate: profile.birthdate ?? null,
    zoneinfo: profile.zoneinfo ?? null,
    locale: profile.locale ?? null,
    address: (profile.address ?? null) as Json,
    updated_at: profileUpdatedAt ?? now,
  }
}

/** Whoever has a password has the identity that stands for signing in with it. */
function withPassword({ identities, passwordHash }: ImportRecord, id: string): readonly ImportIdentity[] {
  if (!passwordHash || identities.some(({ provider }) => provider === 'password')) return identities
  return [...identities, { provider: 'password', providerUserId: id, email: null, emailVerified: false, claims: {} }]
}

/** The rows of identities, by their keys. */
function identityRows(identities: readonly ImportIdentity[], userId: string, createdAt: string) {
  return identities.map((identity) => ({
    key: identityKey(identity),
    row: {
      id: newId(),
      user_id: userId,
      provider: identity.provider,
      provider_user_id: identity.providerUserId,
      email: identity.email,
      email_verified: identity.emailVerified,
      claims: identity.claims,
      created_at: identity.createdAt ?? createdAt,
      last_sign_in_at: identity.lastSignInAt ?? null,
    },
  }))
}
