import type { Json } from '../../difference.ts'
import { ownProviders } from '../../identity/own-providers.ts'
import type { Metadata } from '../../metadata.ts'
import type { RosterRecord } from '../../transfer/roster-record.ts'
import type { Shape } from './user-writer.ts'

/** Supabase has a block without an end by a time far away. */
const endless = '9999-12-31T23:59:59.999Z'

/**
 * Rows of Supabase's `auth.users`, each with its rows of `auth.identities`. It has no profile: name and picture go to where it looks for
 * them, the metadata, unless they are there.
 */
export const supabaseShape: Shape = {
  members: [
    'id',
    'aud',
    'role',
    'email',
    'encrypted_password',
    'email_confirmed_at',
    'phone',
    'phone_confirmed_at',
    'invited_at',
    'last_sign_in_at',
    'raw_app_meta_data',
    'raw_user_meta_data',
    'banned_until',
    'created_at',
    'updated_at',
    'deleted_at',
    'is_sso_user',
    'is_anonymous',
    'identities',
  ],
  of: (record) => ({
    id: record.id,
    aud: 'authenticated',
    role: 'authenticated',
    email: record.email,
    encrypted_password: record.passwordHash === undefined ? undefined : (record.passwordHash ?? ''),
    // It keeps when an address was confirmed; Roster keeps whether.
    email_confirmed_at: record.emailVerified ? record.createdAt : null,
    phone: record.phoneNumber?.slice(1) ?? null,
    phone_confirmed_at: record.phoneNumberVerified ? record.createdAt : null,
    invited_at: record.invitedAt,
    last_sign_in_at: record.lastSignInAt,
    raw_app_meta_data: record.appMetadata,
    raw_user_meta_data: userMetadata(record),
    banned_until: record.block === null ? null : (record.block.until ?? endless),
    created_at: record.createdAt,
    updated_at: record.updatedAt,
    deleted_at: record.deletedAt,
    is_sso_user: record.appMetadata?.['is_sso_user'] === true,
    is_anonymous: record.appMetadata?.['is_anonymous'] === true,
    identities: identities(record),
  }),
}

function userMetadata({ userMetadata: metadata, profile }: RosterRecord): Metadata {
  const named = profile.name === undefined || 'name' in metadata ? metadata : withMember(metadata, 'full_name', profile.name)
  return profile.picture === undefined || 'picture' in metadata ? named : withMember(named, 'avatar_url', profile.picture)
}

/** With a member more, where `jsonb` would have it: its keys are in the order of their length, then of their bytes. */
function withMember(object: Metadata, name: string, value: Json): Metadata {
  if (name in object) return object
  const entries = Object.entries(object)
  const isEarlier = ([key]: readonly [string, Json]) => {
    const longer = Buffer.byteLength(key) - name.length
    // The name is ASCII, and what is not comes after that in characters as it does in bytes.
    return longer < 0 || (longer === 0 && key < name)
  }
  return Object.fromEntries(entries.toSpliced(entries.findLastIndex(isEarlier) + 1, 0, [name, value]))
}

/** The address of a user is an identity of his there. */
function identities({ id, email, emailVerified, createdAt, updatedAt, lastSignInAt, identities: all }: RosterRecord): object[] {
  const times = { last_sign_in_at: lastSignInAt, created_at: createdAt, updated_at: updatedAt }
  const own = { provider: 'email', provider_id: id, identity_data: { sub: id, email, email_verified: emailVerified }, email, ...times }
  const others = all.filter(({ provider }) => !ownProviders.includes(provider))
  return [
    ...(email === null ? [] : [own]),
    ...others.map((identity) => ({
      provider: identity.provider,
      provider_id: identity.providerUserId,
      identity_data: identity.claims,
      email: identity.email,
      last_sign_in_at: identity.lastSignInAt,
      created_at: identity.createdAt,
      updated_at: identity.lastSignInAt ?? identity.createdAt,
    })),
  ]
}
