import type { UserFilter } from '../user-filter.ts'
import { metadataFilter } from './metadata-value.ts'
import { searchError } from './search-error.ts'
import type { Field, Value } from './token.ts'
import { booleanFilter, countFilter, idFilter, statusFilter, textFilter, timeFilter } from './value.ts'

/** By Roster's names and by Auth0's. */
const fields: Readonly<Record<string, (value: Value) => UserFilter>> = {
  id: idFilter,
  email: (value) => textFilter(value, (email) => ({ email })),
  emailVerified: (value) => booleanFilter(value, (emailVerified) => ({ emailVerified })),
  phoneNumber: (value) => textFilter(value, (phoneNumber) => ({ phoneNumber })),
  phoneNumberVerified: (value) => booleanFilter(value, (phoneNumberVerified) => ({ phoneNumberVerified })),
  username: (value) => textFilter(value, (username) => ({ username })),
  externalId: (value) => textFilter(value, (externalId) => ({ externalId })),
  name: (value) => textFilter(value, (name) => ({ name }), { termIsPart: true }),
  status: statusFilter,
  blocked: (value) => booleanFilter(value, (is) => (is ? { status: ['BLOCKED'] } : { not: { status: ['BLOCKED'] } })),
  hasPassword: (value) => booleanFilter(value, (hasPassword) => ({ hasPassword })),
  createdAt: (value) => timeFilter(value, (createdAt) => ({ createdAt })),
  updatedAt: (value) => timeFilter(value, (updatedAt) => ({ updatedAt })),
  lastSignInAt: (value) => timeFilter(value, (lastSignInAt) => ({ lastSignInAt })),
  signInCount: (value) => countFilter(value, (signInCount) => ({ signInCount })),
  'identities.provider': (value) => textFilter(value, (provider) => ({ identity: { provider } })),
  'identities.providerUserId': (value) => textFilter(value, (providerUserId) => ({ identity: { providerUserId } })),
}

const aliases: Readonly<Record<string, keyof typeof fields>> = {
  user_id: 'id',
  email_verified: 'emailVerified',
  phone_number: 'phoneNumber',
  phone_verified: 'phoneNumberVerified',
  external_id: 'externalId',
  created_at: 'createdAt',
  updated_at: 'updatedAt',
  last_login: 'lastSignInAt',
  logins_count: 'signInCount',
  'identities.connection': 'identities.provider',
  'identities.user_id': 'identities.providerUserId',
}

const bags: Readonly<Record<string, 'userMetadata' | 'appMetadata'>> = {
  userMetadata: 'userMetadata',
  user_metadata: 'userMetadata',
  appMetadata: 'appMetadata',
  app_metadata: 'appMetadata',
}

/**
 * The filter that a field with a value stands for.
 * @throws {RequestError} BAD_USER_INPUT
 */
export function fieldFilter(field: Field, value: Value): UserFilter {
  if (field.name === 'identities' && value.kind === 'exists') return { identity: { exists: true } }
  const bag = own(bags, field.parts[0] ?? '')
  if (bag) return metadataFilter(bag, field, value)
  const filter = own(fields, own(aliases, field.name) ?? field.name)
  if (filter) return filter(value)
  throw searchError(field.at, `there is no such field; there are ${fieldNames.join(', ')}. A colon in a term is written \\:`)
}

const fieldNames = [...Object.keys(fields), ...Object.keys(aliases), 'userMetadata.<key>', 'appMetadata.<key>', '_exists_']

/** Names that are searched for may be those every object has. */
function own<Entry>(table: Readonly<Record<string, Entry>>, name: string): Entry | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined
}
