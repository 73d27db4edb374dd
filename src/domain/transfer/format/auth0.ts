import { foreignPasswordHash } from '../../../crypto/auth0-hash.ts'
import { ownProviders } from '../../identity/own-providers.ts'
import type { Problem } from '../problem.ts'
import { type Draft, emptyAsNull, type FileFormat, isObject, renamed } from './draft.ts'

/** By Auth0's names, the fields of RosterRecord. */
const attributes = {
  email: 'email',
  email_verified: 'emailVerified',
  phone_number: 'phoneNumber',
  phone_verified: 'phoneNumberVerified',
  username: 'username',
  user_metadata: 'userMetadata',
  app_metadata: 'appMetadata',
  created_at: 'createdAt',
  updated_at: 'updatedAt',
  last_login: 'lastSignInAt',
  last_ip: 'lastSignInIp',
  logins_count: 'signInCount',
} as const

const claims = {
  name: 'name',
  given_name: 'givenName',
  family_name: 'familyName',
  middle_name: 'middleName',
  nickname: 'nickname',
  preferred_username: 'preferredUsername',
  picture: 'picture',
  website: 'website',
  gender: 'gender',
  birthdate: 'birthdate',
  zoneinfo: 'zoneinfo',
  locale: 'locale',
  address: 'address',
} as const

/** Providers whose accounts are Roster's own: a password, a link by mail, a code by text message. */
const own = ['auth0', 'sms', ...ownProviders]

/**
 * Auth0's: the objects of its bulk import, and those of its exports, with `passwordHash` where they have it. `user_id` becomes the
 * external id. Factors, roles, permissions and what is not named here are passed over.
 */
export const auth0Format: FileFormat = {
  names: {
    ...reversed(attributes),
    ...Object.fromEntries(Object.entries(claims).map(([name, attribute]) => [`profile.${attribute}`, name])),
    profile: '',
    externalId: 'user_id',
    block: 'blocked',
    identities: 'identities',
    passwordHash: 'password_hash',
    passwordChangedAt: 'password_set_date',
  },
  toDraft: draftOf,
}

function draftOf(record: Readonly<Record<string, unknown>>): Draft {
  const problems: Problem[] = []
  const userId = record['user_id'] ?? databaseId(record)
  const found = renamed(record, attributes)
  const fields: Record<string, unknown> = Object.fromEntries(Object.entries(found).map(([name, value]) => [name, emptyAsNull(value)]))
  const profile = Object.entries(renamed(record, claims)).filter(([, value]) => value !== null && value !== '')
  if (profile.length > 0) fields['profile'] = Object.fromEntries(profile)
  if (userId !== undefined) fields['externalId'] = userId
  if ('blocked' in record) fields['block'] = blockOf(record['blocked'], problems)
  fields['identities'] = identitiesOf(record, userId)
  const hash = hashOf(record, problems)
  if (hash !== undefined) fields['passwordHash'] = hash
  const changedAt = record['password_set_date']
  if (changedAt !== undefined) fields['passwordChangedAt'] = member(changedAt, '$date') ?? changedAt
  const isSomebody = ['email', 'phoneNumber', 'username', 'externalId'].some((name) => fields[name] != null)
  if (!isSomebody)
    problems.push({ code: 'ANY_OF_MISSING', path: null, message: 'One of email, phone_number, username and user_id must be there.' })
  return { fields, problems }
}

function blockOf(blocked: unknown, problems: Problem[]): object | null {
  if (blocked === true) return {}
  if (blocked !== false && blocked !== null) problems.push({ code: 'INVALID_TYPE', path: 'blocked', message: 'This is true or false.' })
  return null
}

/** `password_hash` is bcrypt; `passwordHash` is what Auth0 hands out on request. */
function hashOf(record: Readonly<Record<string, unknown>>, problems: Problem[]): unknown {
  const [custom, plain] = [record['custom_password_hash'], emptyAsNull(record['password_hash'] ?? record['passwordHash'])]
  if (custom == null) return plain
  const made = foreignPasswordHash(custom)
  if ('hash' in made && plain == null) return made.hash
  const wrong = 'hash' in made ? [{ path: [], message: 'Send `password_hash` or `custom_password_hash`, not both.' }] : made.problems
  for (const { path, message } of wrong)
    problems.push({ code: 'INVALID_FORMAT', path: ['custom_password_hash', ...path].join('.'), message })
  return undefined
}

/** Accounts at other providers, by the names of their connections. Where none are told, the user's id may be one: `google-oauth2|123`. */
function identitiesOf({ identities }: Readonly<Record<string, unknown>>, userId: unknown): unknown {
  if (Array.isArray(identities)) return identities.flatMap((identity) => (isObject(identity) ? identityOf(identity) : [identity]))
  if (identities != null) return identities
  const [provider = '', id = ''] = typeof userId === 'string' ? userId.split(/\|(.*)/s, 2) : []
  return id === '' ? [] : identityOf({ provider, user_id: id })
}

function identityOf(identity: Readonly<Record<string, unknown>>): object[] {
  const { provider, connection, user_id: id, profileData } = identity
  if (typeof provider === 'string' && own.includes(provider)) return []
  const data = isObject(profileData) ? profileData : {}
  const email = emptyAsNull(data['email'] ?? null)
  return [
    {
      provider: connection ?? provider,
      providerUserId: typeof id === 'number' ? String(id) : id,
      email,
      emailVerified: email !== null && data['email_verified'] === true,
      claims: data,
    },
  ]
}

/** What Auth0 hands out with password hashes names users without the prefix that they have everywhere else. */
function databaseId({ _id: id }: Readonly<Record<string, unknown>>): string | undefined {
  const text = member(id, '$oid')
  return typeof text === 'string' ? `auth0|${text}` : undefined
}

function member(value: unknown, key: string): unknown {
  return isObject(value) ? value[key] : undefined
}

function reversed(names: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(names).map(([name, field]) => [field, name]))
}
