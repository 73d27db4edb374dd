import type { RosterRecord } from '../roster-record.ts'
import type { Draft, FileFormat } from './draft.ts'

/** The members of a RosterRecord, in their order. */
export const rosterFields = [
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

/** Roster's own: an object a line. A member that it does not know refuses the record, for it may be a slip. */
export const rosterFormat: FileFormat = { names: {}, toDraft: draftOf }

function draftOf(record: Readonly<Record<string, unknown>>): Draft {
  const unknown = Object.keys(record).filter((name) => !(rosterFields as readonly string[]).includes(name))
  const problems = unknown.map((name) => ({ code: 'INVALID_FORMAT', path: name.slice(0, 100), message: 'There is no such field.' }))
  return { fields: record, problems }
}
