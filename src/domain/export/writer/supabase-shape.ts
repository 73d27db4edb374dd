import { ownProviders } from '../../identity/own-providers.ts'
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
    ...(record.passwordHash === undefined ? {} : { encrypted_password: record.passwordHash ?? '' }),
    // It keeps when an address was confirmed; Roster keeps whether.
    email_confirmed_at: record.emailVerified ? record.createdAt : null,
    phone: record.phoneNumber?.slice(1) ?? null,
    phone_confirmed_at: record.phoneNumberVerified ? record.createdAt : null,
    invited_at: record.invitedAt,
    last_sign_in_at: record.lastSignInAt,
    ...(record.appMetadata === undefined ? {} : { raw_app_meta_data: record.appMetadata }),
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

function userMetadata({ userMetadata: metadata, profile }: RosterRecord): Readonly<Record<string, unknown>> {
  const missing = {
    ...(profile.name === undefined || 'name' in metadata || 'full_name' in metadata ? {} : { full_name: profile.name }),
    ...(profile.picture === undefined || 'picture' in metadata || 'avatar_url' in metadata ? {} : { avatar_url: profile.picture }),
  }
  if (Object.keys(missing).length === 0) return metadata
  // In the order in which `jsonb` has keys: by length, then by bytes.
  const order = (one: string, other: string) =>
    Buffer.byteLength(one) - Buffer.byteLength(other) || Buffer.compare(Buffer.from(one), Buffer.from(other))
  return Object.fromEntries(Object.entries({ ...metadata, ...missing }).sort(([one], [other]) => order(one, other)))
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
