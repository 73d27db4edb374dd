import { isPasswordHash, isWeakHash } from '../../../crypto/password-hash.ts'
import type { DomainError } from '../../errors.ts'
import { type Metadata, metadataProblems } from '../../metadata.ts'
import { isUuid } from '../../normalize.ts'
import { parseUserAttributes, type UserAttributesInput } from '../../user/user-attributes.ts'
import type { Draft } from '../format/draft.ts'
import type { ImportRecord } from '../import-record.ts'
import { checkIdentities } from './check-identities.ts'
import { checkSize } from './check-metadata.ts'
import { checkProfile, checkSources } from './check-profile.ts'
import { type FieldReader, fieldReader, type Refuse } from './field-reader.ts'

/** What is done with a password's hash that is easily guessed from: it is taken, the record is refused, or the user has no password. */
export type WeakHashes = 'accept' | 'refuse' | 'reset'

/** What a record is held against. */
export type Checks = Readonly<{
  now: Date
  weakHashes: WeakHashes
  /** Whether whoever imports may write `appMetadata`. */
  appMetadata: boolean
}>

const longestAddress = 64
const longestReason = 1000

/**
 * Checks all that a record says. What it answers is of use only when nothing was refused.
 */
export function checkRecord({ fields: members, identitiesOf }: Draft, checks: Checks, refuse: Refuse): ImportRecord {
  const fields = fieldReader(members, [], refuse)
  const id = checkId(fields.text('id'), ['id'], refuse)
  const identities = checkIdentities(fields.list('identities') ?? [], id ?? null, refuse)
  if (identitiesOf !== undefined) {
    const owner = checkId(typeof identitiesOf === 'string' ? identitiesOf : '', ['user_id'], refuse)
    return { identitiesOf: owner ?? null, attributes: {}, identities }
  }
  const [profile, sources] = [fields.object('profile'), fields.object('profileSources')]
  return {
    identitiesOf: null,
    id,
    attributes: checkAttributes(fields, refuse),
    profile: profile ? checkProfile(profile, refuse) : undefined,
    sources: sources ? checkSources(sources, refuse) : undefined,
    ...checkBags(fields, checks, refuse),
    identities,
    ...checkPassword(fields, checks, refuse),
    block: checkBlock(fields.object('block'), refuse),
    ...checkTimes(fields, checks.now, refuse),
    lastSignInIp: fields.text('lastSignInIp', longestAddress),
    signInCount: fields.count('signInCount', 0),
    version: fields.count('version', 1),
  }
}

function checkId(id: string | null | undefined, path: readonly string[], refuse: Refuse): string | undefined {
  if (typeof id !== 'string') return undefined
  if (!isUuid(id)) refuse(path, 'An id is a UUID.', 'INVALID_FORMAT')
  return id.toLowerCase()
}

function checkAttributes(fields: FieldReader, refuse: Refuse): ImportRecord['attributes'] {
  const problems: DomainError[] = []
  const input: UserAttributesInput = {
    email: fields.text('email'),
    emailVerified: fields.flag('emailVerified'),
    phoneNumber: fields.text('phoneNumber'),
    phoneNumberVerified: fields.flag('phoneNumberVerified'),
    username: fields.text('username'),
    externalId: fields.text('externalId'),
  }
  const attributes = parseUserAttributes(input, problems)
  for (const { path, message } of problems) refuse(path.slice(1), message, 'INVALID_FORMAT')
  return attributes
}

function checkBags(
  fields: FieldReader,
  { appMetadata: mayWriteApp }: Checks,
  refuse: Refuse,
): Pick<ImportRecord, 'userMetadata' | 'appMetadata'> {
  const bag = (name: string): Metadata | undefined => {
    const value = fields.object(name)
    if (value === null) return {}
    if (value !== undefined) checkSize(value, metadataProblems(value, [name]), [name], refuse)
    return value as Metadata | undefined
  }
  const [userMetadata, appMetadata] = [bag('userMetadata'), bag('appMetadata')]
  if (mayWriteApp) return { userMetadata, appMetadata }
  if (appMetadata !== undefined && Object.keys(appMetadata).length > 0)
    refuse(['appMetadata'], 'Importing this needs the scope update:users_app_metadata.', 'FORBIDDEN')
  return { userMetadata }
}

function checkPassword(
  fields: FieldReader,
  { weakHashes }: Checks,
  refuse: Refuse,
): Pick<ImportRecord, 'passwordHash' | 'passwordChangedAt'> {
  const hash = fields.text('passwordHash', 8192)
  const passwordChangedAt = fields.time('passwordChangedAt')
  if (typeof hash !== 'string') return { passwordHash: hash, passwordChangedAt }
  if (!isPasswordHash(hash))
    refuse(['passwordHash'], 'This is no password hash that may be kept: see docs/old-passwords.md.', 'INVALID_FORMAT')
  if (weakHashes === 'accept' || !isWeakHash(hash)) return { passwordHash: hash, passwordChangedAt }
  if (weakHashes === 'refuse') refuse(['passwordHash'], 'The password is easily found from this hash.', 'WEAK_PASSWORD_HASH')
  return { passwordHash: null }
}

function checkBlock(block: Readonly<Record<string, unknown>> | null | undefined, refuse: Refuse): ImportRecord['block'] {
  if (!block) return block
  const fields = fieldReader(block, ['block'], refuse)
  return { at: fields.time('at') ?? null, until: fields.time('until') ?? null, reason: fields.text('reason', longestReason) ?? null }
}

type Times = Pick<
  ImportRecord,
  'profileUpdatedAt' | 'invitedAt' | 'createdAt' | 'updatedAt' | 'deletedAt' | 'anonymizedAt' | 'lastSignInAt'
>

/** A time that is null means nothing where every user has one. */
function checkTimes(fields: FieldReader, now: Date, refuse: Refuse): Times {
  const createdAt = fields.time('createdAt') ?? undefined
  if (createdAt && createdAt > now) refuse(['createdAt'], 'A user cannot have been created in the future.', 'MAXIMUM')
  return {
    profileUpdatedAt: fields.time('profileUpdatedAt') ?? undefined,
    invitedAt: fields.time('invitedAt'),
    createdAt,
    updatedAt: fields.time('updatedAt') ?? undefined,
    deletedAt: fields.time('deletedAt'),
    anonymizedAt: fields.time('anonymizedAt'),
    lastSignInAt: fields.time('lastSignInAt'),
  }
}
