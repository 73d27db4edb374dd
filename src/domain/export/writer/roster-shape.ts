import type { RosterRecord } from '../../transfer/roster-record.ts'
import type { Shape } from './user-writer.ts'

/** The members of a RosterRecord, in their order. */
export const rosterMembers = [
  'id',
  'email',
  'emailVerified',
  'phoneNumber',
  'phoneNumberVerified',
  'username',
  'externalId',
  'profile',
  'profileSources',
  'profileUpdatedAt',
  'userMetadata',
  'appMetadata',
  'identities',
  'passwordHash',
  'passwordChangedAt',
  'block',
  'invitedAt',
  'createdAt',
  'updatedAt',
  'deletedAt',
  'anonymizedAt',
  'lastSignInAt',
  'lastSignInIp',
  'signInCount',
  'version',
] as const satisfies readonly (keyof RosterRecord)[]

/** Roster's own. */
export const rosterShape: Shape = { members: rosterMembers, of: (record) => record }
