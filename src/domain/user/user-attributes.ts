import { type DomainError, invalidInput } from '../errors.ts'
import { normalizeEmail, normalizeExternalId, normalizePhoneNumber, normalizeUsername } from '../normalize.ts'

/** The attributes of a user that are its names, as an input brings them: absent is left alone, null clears. */
export type UserAttributesInput = Readonly<{
  email?: string | null
  emailVerified?: boolean | null
  phoneNumber?: string | null
  phoneNumberVerified?: boolean | null
  username?: string | null
  externalId?: string | null
}>

/** The columns they become. */
export type UserAttributes = {
  email?: string | null
  emailNormal?: string | null
  emailVerified?: boolean
  phoneNumber?: string | null
  phoneNumberVerified?: boolean
  username?: string | null
  usernameNormal?: string | null
  externalId?: string | null
}

/** Who the attributes belong to until now; null for a user who is being made. */
type Current = Readonly<{ emailNormal: string | null; phoneNumber: string | null }> | null

/** Parses the attributes; everything that is wrong with them is put into `problems`. */
export function parseUserAttributes(input: UserAttributesInput, problems: DomainError[]): UserAttributes {
  return Object.assign(
    parseEmail(input.email, problems),
    parsePhoneNumber(input.phoneNumber, problems),
    parseUsername(input.username, problems),
    parseExternalId(input.externalId, problems),
    parseFlag('emailVerified', input.emailVerified, problems),
    parseFlag('phoneNumberVerified', input.phoneNumberVerified, problems),
  )
}

/**
 * A new address or number is not verified unless the same input says so, and none at all cannot be verified.
 * @returns the attributes with their flags settled, and what is wrong with the flags
 */
export function settleVerification(
  attributes: UserAttributes,
  current: Current,
): Readonly<{ attributes: UserAttributes; problems: DomainError[] }> {
  const email = attributes.emailNormal === undefined ? (current?.emailNormal ?? null) : attributes.emailNormal
  const phone = attributes.phoneNumber === undefined ? (current?.phoneNumber ?? null) : attributes.phoneNumber
  const settled = { ...attributes }
  if (email !== (current?.emailNormal ?? null)) settled.emailVerified ??= false
  if (phone !== (current?.phoneNumber ?? null)) settled.phoneNumberVerified ??= false
  const problems = [
    ...(settled.emailVerified && email === null
      ? [invalidInput(['input', 'emailVerified'], 'There is no e-mail address that could be verified.')]
      : []),
    ...(settled.phoneNumberVerified && phone === null
      ? [invalidInput(['input', 'phoneNumberVerified'], 'There is no phone number that could be verified.')]
      : []),
  ]
  return { attributes: settled, problems }
}

function parseEmail(text: string | null | undefined, problems: DomainError[]): UserAttributes {
  if (text === undefined) return {}
  if (text === null) return { email: null, emailNormal: null }
  const parsed = normalizeEmail(text)
  if (parsed === null) problems.push(invalidInput(['input', 'email'], 'This is not an e-mail address.'))
  return { email: parsed?.email ?? null, emailNormal: parsed?.normal ?? null }
}

function parsePhoneNumber(text: string | null | undefined, problems: DomainError[]): UserAttributes {
  if (text === undefined) return {}
  const phoneNumber = text === null ? null : normalizePhoneNumber(text)
  if (text !== null && phoneNumber === null)
    problems.push(
      invalidInput(['input', 'phoneNumber'], 'A phone number starts with + and the country code, and has 7 to 15 digits (E.164).'),
    )
  return { phoneNumber }
}

function parseUsername(text: string | null | undefined, problems: DomainError[]): UserAttributes {
  if (text === undefined) return {}
  if (text === null) return { username: null, usernameNormal: null }
  const parsed = normalizeUsername(text)
  if (parsed === null)
    problems.push(
      invalidInput(['input', 'username'], 'A username has 1 to 64 characters, none of them a space or @, and does not start with +.'),
    )
  return { username: parsed?.username ?? null, usernameNormal: parsed?.normal ?? null }
}

function parseExternalId(text: string | null | undefined, problems: DomainError[]): UserAttributes {
  if (text === undefined) return {}
  const externalId = text === null ? null : normalizeExternalId(text)
  if (text !== null && externalId === null) problems.push(invalidInput(['input', 'externalId'], 'An external id has 1 to 255 characters.'))
  return { externalId }
}

function parseFlag(
  name: 'emailVerified' | 'phoneNumberVerified',
  value: boolean | null | undefined,
  problems: DomainError[],
): UserAttributes {
  if (value === undefined) return {}
  if (value === null) problems.push(invalidInput(['input', name], `\`${name}\` is true or false; it cannot be cleared.`))
  return { [name]: value ?? false }
}
