import { type ProfileAttribute, type ProfileInput, profileAttributes, profileProblems } from '../../profile.ts'
import { type ImportSource, identityKey } from '../import-record.ts'
import { fieldReader, type Refuse } from './field-reader.ts'

const origins = ['USER', 'ADMIN', 'IDENTITY', 'IMPORT'] as const

/** Checks the attributes of a profile: their types, and what each of them has to look like. */
export function checkProfile(profile: Readonly<Record<string, unknown>>, refuse: Refuse): ProfileInput {
  const fields = fieldReader(profile, ['profile'], refuse)
  for (const name of Object.keys(profile))
    if (!isAttribute(name)) refuse(['profile', name.slice(0, 100)], 'There is no such attribute.', 'INVALID_FORMAT')
  const input: Record<string, unknown> = {}
  for (const attribute of profileAttributes) {
    const value = attribute === 'address' ? fields.object(attribute) : fields.text(attribute, 4096)
    if (value !== undefined) input[attribute] = value
  }
  for (const { path, message } of profileProblems(input, ['profile'])) refuse(path, message, 'INVALID_FORMAT')
  return input
}

/** Checks where the attributes came from. */
export function checkSources(sources: Readonly<Record<string, unknown>>, refuse: Refuse): Map<ProfileAttribute, ImportSource> {
  const found = new Map<ProfileAttribute, ImportSource>()
  const all = fieldReader(sources, ['profileSources'], refuse)
  for (const attribute of Object.keys(sources)) {
    const path = ['profileSources', attribute.slice(0, 100)]
    const source = all.object(attribute)
    if (!isAttribute(attribute)) refuse(path, 'There is no such attribute.', 'INVALID_FORMAT')
    if (!source || !isAttribute(attribute)) continue
    const fields = fieldReader(source, path, refuse)
    const origin = origins.find((name) => name === fields.text('origin'))
    if (origin === undefined) refuse([...path, 'origin'], `This is one of ${origins.join(', ')}.`, 'ENUM_MISMATCH')
    const setAt = fields.time('setAt')
    if (!setAt && fields.has('setAt') === false) refuse([...path, 'setAt'], 'This must be there.', 'OBJECT_REQUIRED')
    if (origin && setAt) found.set(attribute, { origin, identity: identityOf(fields.object('identity')), setAt })
  }
  return found
}

function identityOf(identity: Readonly<Record<string, unknown>> | null | undefined): string | null {
  const { provider, providerUserId } = identity ?? {}
  return typeof provider === 'string' && typeof providerUserId === 'string' ? identityKey({ provider, providerUserId }) : null
}

function isAttribute(name: string): name is ProfileAttribute {
  return (profileAttributes as readonly string[]).includes(name)
}
