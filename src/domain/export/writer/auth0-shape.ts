import { auth0CustomHash } from '../../../crypto/auth0-custom-hash.ts'
import type { RosterRecord } from '../../transfer/roster-record.ts'
import type { Shape } from './user-writer.ts'

/**
 * Auth0's bulk import: no more than its JSON schema takes, so that a file can be sent there as it is. `user_id` is the external id where
 * there is one, which is what an import from Auth0 made of it. It takes no null: what is not set is undefined, which no file has.
 */
export const auth0Shape: Shape = {
  members: [
    'user_id',
    'email',
    'email_verified',
    'username',
    'name',
    'given_name',
    'family_name',
    'nickname',
    'picture',
    'blocked',
    'password_hash',
    'custom_password_hash',
    'user_metadata',
    'app_metadata',
  ],
  of: (record, now) => {
    const { id, email, username, externalId, profile, block, userMetadata, appMetadata, passwordHash } = record
    return {
      user_id: externalId ?? id,
      email: email ?? undefined,
      email_verified: email === null ? undefined : record.emailVerified,
      username: username ?? undefined,
      name: profile.name,
      given_name: profile.givenName,
      family_name: profile.familyName,
      nickname: profile.nickname,
      picture: profile.picture,
      blocked: isInForce(block, now) || undefined,
      ...(typeof passwordHash === 'string' ? hashMember(passwordHash) : {}),
      user_metadata: userMetadata,
      app_metadata: appMetadata,
    }
  },
}

/** Auth0's own hashes are bcrypt of ten rounds. */
function hashMember(hash: string): Record<string, unknown> {
  return /^\$2[ab]\$10\$/.test(hash) ? { password_hash: hash } : { custom_password_hash: auth0CustomHash(hash) }
}

/** Auth0 knows no block that runs out by itself: somebody has to lift it there. */
function isInForce(block: RosterRecord['block'], now: Date): boolean {
  return block !== null && (block.until === null || new Date(block.until) > now)
}
