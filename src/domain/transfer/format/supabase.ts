import { parseJsonText } from '../../faithful-json.ts'
import { profileProblems } from '../../profile.ts'
import { type Draft, emptyAsNull, type FileFormat, isObject, renamed } from './draft.ts'

/** By the columns of `auth.users` and the names of its admin API, the fields of RosterRecord. */
const attributes = {
  id: 'id',
  email: 'email',
  raw_user_meta_data: 'userMetadata',
  user_metadata: 'userMetadata',
  invited_at: 'invitedAt',
  created_at: 'createdAt',
  updated_at: 'updatedAt',
  deleted_at: 'deletedAt',
  last_sign_in_at: 'lastSignInAt',
  encrypted_password: 'passwordHash',
} as const

/** Where people's names and pictures stand in the metadata that Supabase takes from providers. */
const claims: readonly (readonly [from: string, attribute: string])[] = [
  ['name', 'name'],
  ['full_name', 'name'],
  ['picture', 'picture'],
  ['avatar_url', 'picture'],
  ['preferred_username', 'preferredUsername'],
  ['user_name', 'preferredUsername'],
]

/**
 * Supabase's: rows of `auth.users`, with their identities where they are told, and rows of `auth.identities`, which belong to users who
 * are there already. Flags go to the application's metadata. Tokens and factors are passed over.
 */
export const supabaseFormat: FileFormat = {
  names: {
    id: 'id',
    email: 'email',
    emailVerified: 'email_confirmed_at',
    phoneNumber: 'phone',
    phoneNumberVerified: 'phone_confirmed_at',
    userMetadata: 'raw_user_meta_data',
    appMetadata: 'raw_app_meta_data',
    identities: 'identities',
    passwordHash: 'encrypted_password',
    'block.until': 'banned_until',
    block: 'banned_until',
    invitedAt: 'invited_at',
    createdAt: 'created_at',
    updatedAt: 'updated_at',
    deletedAt: 'deleted_at',
    lastSignInAt: 'last_sign_in_at',
  },
  toDraft: (record) => ('identity_data' in record && 'provider' in record ? identityDraft(record) : userDraft(record)),
}

/** A row as CSV has it: flags, and JSON, and nothing where a cell is empty. */
export function supabaseRow(cells: ReadonlyMap<string, string>): Record<string, unknown> {
  return Object.fromEntries([...cells].map(([column, cell]) => [column, cellValue(column, cell)]))
}

function cellValue(column: string, cell: string): unknown {
  if (cell === '' || cell.toLowerCase() === 'null') return null
  if (/^is_/.test(column)) return /^(t|true)$/i.test(cell)
  return /^[{[]/.test(cell) ? json(cell) : cell
}

/** As it stands where it is no JSON: then its type is wrong. */
function json(cell: string): unknown {
  try {
    return parseJsonText(cell)
  } catch {
    return cell
  }
}

function userDraft(record: Readonly<Record<string, unknown>>): Draft {
  const fields: Record<string, unknown> = renamed(record, attributes)
  for (const [name, value] of Object.entries(fields)) fields[name] = emptyAsNull(value)
  const phone = emptyAsNull(record['phone'] ?? null)
  const flag = (name: string, value: unknown) => (value === true ? { [name]: true } : {})
  const app = record['raw_app_meta_data'] ?? record['app_metadata'] ?? {}
  const role = record['role'] === 'authenticated' || record['role'] == null || record['role'] === '' ? {} : { role: record['role'] }
  fields['email'] ??= null
  fields['emailVerified'] = fields['email'] !== null && record['email_confirmed_at'] != null && record['email_confirmed_at'] !== ''
  // It keeps numbers without the plus sign.
  fields['phoneNumber'] = typeof phone === 'string' && /^\d/.test(phone) ? `+${phone}` : phone
  fields['phoneNumberVerified'] = phone !== null && record['phone_confirmed_at'] != null && record['phone_confirmed_at'] !== ''
  const flags = { ...flag('is_anonymous', record['is_anonymous']), ...flag('is_sso_user', record['is_sso_user']), ...role }
  fields['appMetadata'] = isObject(app) ? { ...app, ...flags } : app
  fields['userMetadata'] ??= {}
  fields['profile'] = profileOf(fields['userMetadata'])
  fields['block'] = emptyAsNull(record['banned_until'] ?? null) === null ? null : { until: record['banned_until'] }
  const { identities } = record
  fields['identities'] = Array.isArray(identities) ? identities.flatMap((it) => (isObject(it) ? identityOf(it) : [it])) : (identities ?? [])
  return { fields, problems: [] }
}

/** What is no name or picture stays where it was: it is nobody's mistake. */
function profileOf(metadata: unknown): object {
  if (!isObject(metadata)) return {}
  const found = claims.flatMap(([from, attribute]) => {
    const value = metadata[from]
    return typeof value === 'string' && profileProblems({ [attribute]: value }, []).length === 0 ? [[attribute, value] as const] : []
  })
  return Object.fromEntries(found)
}

function identityDraft(record: Readonly<Record<string, unknown>>): Draft {
  return { fields: { identities: identityOf(record) }, identitiesOf: record['user_id'] ?? null, problems: [] }
}

/** The account of a password, a mail address or a number is the user's own. `id` is the provider's before Supabase had `provider_id`. */
function identityOf(identity: Readonly<Record<string, unknown>>): object[] {
  const { provider, identity_data: data, provider_id: id } = identity
  if (provider === 'email' || provider === 'phone') return []
  const claims = isObject(data) ? data : {}
  const email = emptyAsNull(identity['email'] ?? claims['email'] ?? null)
  return [
    {
      provider,
      providerUserId: id ?? claims['sub'] ?? identity['id'],
      email,
      emailVerified: email !== null && claims['email_verified'] === true,
      claims,
      createdAt: emptyAsNull(identity['created_at']) ?? undefined,
      lastSignInAt: emptyAsNull(identity['last_sign_in_at']) ?? null,
    },
  ]
}
