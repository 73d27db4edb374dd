import type { Image, Json } from '../../difference.ts'
import type { ImportRecord } from '../import-record.ts'
import type { NewUserRows } from './rows.ts'

/** Somebody new as history sees him, without secrets, by the graph's names. */
export function newUserImage({ profile = {} }: ImportRecord, { users: [user], identities, credentials }: NewUserRows): Image {
  const text = (value: unknown): Json => (value instanceof Date ? value.toISOString() : (value as Json))
  return {
    email: text(user.email),
    emailVerified: text(user.email_verified),
    phoneNumber: text(user.phone_number),
    phoneNumberVerified: text(user.phone_number_verified),
    username: text(user.username),
    externalId: text(user.external_id),
    block: user.blocked_at ? { at: text(user.blocked_at), until: text(user.blocked_until), reason: text(user.block_reason) } : null,
    deletedAt: text(user.deleted_at),
    passwordChangedAt: text(credentials[0]?.updated_at ?? null),
    profile: profile as Image,
    userMetadata: text(user.user_metadata),
    appMetadata: text(user.app_metadata),
    identities: Object.fromEntries(
      identities.map((row) => [
        row.id as string,
        {
          provider: text(row.provider),
          providerUserId: text(row.provider_user_id),
          email: text(row.email),
          emailVerified: text(row.email_verified),
          claims: text(row.claims),
        },
      ]),
    ),
  }
}
