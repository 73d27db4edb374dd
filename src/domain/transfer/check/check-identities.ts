import { ownProviders } from '../../identity/own-providers.ts'
import { type Metadata, metadataProblems } from '../../metadata.ts'
import { normalizeEmail, normalizeExternalId } from '../../normalize.ts'
import { type ImportIdentity, identityKey } from '../import-record.ts'
import { checkSize } from './check-metadata.ts'
import { fieldReader, type Refuse } from './field-reader.ts'

/** More accounts than anybody has. */
const mostIdentities = 50

/**
 * Checks the identities of a record. The account of the user's own password is told with the user's own id, and nobody brings along
 * another one of Roster's own.
 */
export function checkIdentities(list: readonly unknown[], userId: string | null, refuse: Refuse): ImportIdentity[] {
  if (list.length > mostIdentities) refuse(['identities'], `A user has ${mostIdentities} identities at most.`, 'ARRAY_LENGTH_LONG')
  const found = list.slice(0, mostIdentities).flatMap((item, index) => {
    const identity = checkIdentity(item, ['identities', String(index)], userId, refuse)
    return identity === null ? [] : [identity]
  })
  if (new Set(found.map(identityKey)).size < found.length) refuse(['identities'], 'An identity is there twice.', 'DUPLICATED_USER')
  return found
}

function checkIdentity(item: unknown, path: readonly string[], userId: string | null, refuse: Refuse): ImportIdentity | null {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) {
    refuse(path, 'This is an object.', 'OBJECT_REQUIRED')
    return null
  }
  const fields = fieldReader(item as Record<string, unknown>, path, refuse)
  const provider = required('provider')
  const providerUserId = required('providerUserId')
  if (ownProviders.includes(provider) && !(provider === 'password' && providerUserId.toLowerCase() === userId))
    refuse([...path, 'provider'], 'Roster makes the identities of this provider itself.', 'INVALID_FORMAT')
  const text = fields.text('email')
  const email = typeof text === 'string' ? (normalizeEmail(text)?.email ?? null) : null
  if (typeof text === 'string' && email === null) refuse([...path, 'email'], 'This is not an e-mail address.', 'INVALID_FORMAT')
  const claims = (fields.object('claims') ?? {}) as Metadata
  checkSize(claims, metadataProblems(claims, [...path, 'claims']), [...path, 'claims'], refuse)
  const [createdAt, lastSignInAt] = [fields.time('createdAt'), fields.time('lastSignInAt')]
  const emailVerified = email !== null && fields.flag('emailVerified') === true
  return {
    ...{ provider, providerUserId: provider === 'password' ? providerUserId.toLowerCase() : providerUserId, email, emailVerified, claims },
    ...(createdAt ? { createdAt } : {}),
    ...(lastSignInAt === undefined ? {} : { lastSignInAt }),
  }

  function required(name: string): string {
    const value = fields.text(name)
    const key = typeof value === 'string' ? normalizeExternalId(value) : null
    if (value === null || (value === undefined && !fields.has(name))) refuse([...path, name], 'This must be there.', 'OBJECT_REQUIRED')
    else if (value !== undefined && key === null) refuse([...path, name], 'This has 1 to 255 characters.', 'INVALID_FORMAT')
    return key ?? ''
  }
}
