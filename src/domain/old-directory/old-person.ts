import { type Metadata, metadataMaxBytes, metadataProblems } from '../metadata.ts'
import { normalizeEmail, normalizeExternalId, normalizePhoneNumber, normalizeUsername } from '../normalize.ts'
import { type ProfileInput, profileAttributes, profileProblems } from '../profile.ts'
import type { UserAttributes } from '../user/user-attributes.ts'

/** Somebody as the old system knows him, in Roster's terms: nothing of it is malformed or too large. */
export type OldPerson = Readonly<{ attributes: UserAttributes; profile: ProfileInput; userMetadata: Metadata }>

/** The name that was asked for: what the person must have, so that he is found by it from now on. */
export type AskedName = Readonly<{ field: 'email' | 'username'; shown: string; normal: string }>

/**
 * Reads the profile that Auth0's login script returns: `user_id`, `email`, `email_verified`, `username`, `phone_number`,
 * `phone_verified`, the claims of OpenID Connect and `user_metadata`. What Roster could not keep is left out. `app_metadata` is not
 * read: no sign-in writes what only administrators may.
 * @returns null for somebody else than was asked for, and for who is blocked there
 */
export function readOldPerson(answer: Readonly<Record<string, unknown>>, asked: AskedName): OldPerson | null {
  const email = text(answer['email'])
  const username = text(answer['username'])
  const names = {
    email: email === null ? null : normalizeEmail(email),
    username: username === null ? null : normalizeUsername(username),
  }
  const named = names[asked.field]
  const isSomebodyElse = answer[asked.field] != null && named?.normal !== asked.normal
  if (isSomebodyElse || answer['blocked'] === true) return null
  const attributes = {
    ...(names.email && { email: names.email.email, emailNormal: names.email.normal }),
    ...(names.username && { username: names.username.username, usernameNormal: names.username.normal }),
    ...(named === null && { [asked.field]: asked.shown, [`${asked.field}Normal`]: asked.normal }),
    ...phone(answer),
  }
  const hasEmail = 'emailNormal' in attributes
  return {
    attributes: { ...attributes, emailVerified: hasEmail && answer['email_verified'] === true, externalId: externalId(answer['user_id']) },
    profile: readProfile(answer),
    userMetadata: readMetadata(answer['user_metadata']),
  }
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

function phone(answer: Readonly<Record<string, unknown>>): UserAttributes {
  const phoneNumber = normalizePhoneNumber(text(answer['phone_number']) ?? '')
  return phoneNumber === null ? {} : { phoneNumber, phoneNumberVerified: answer['phone_verified'] === true }
}

/** An id may be a number. */
function externalId(value: unknown): string | null {
  const id = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : text(value)
  return id === null ? null : normalizeExternalId(id)
}

/** By the claims' names: `given_name`. */
function readProfile(answer: Readonly<Record<string, unknown>>): ProfileInput {
  const entries = profileAttributes.flatMap((attribute) => {
    const value = answer[attribute.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)]
    const isOfItsType = attribute === 'address' ? typeof value === 'object' && value !== null : typeof value === 'string'
    return isOfItsType && profileProblems({ [attribute]: value }, []).length === 0 ? [[attribute, value] as const] : []
  })
  return Object.fromEntries(entries)
}

function readMetadata(value: unknown): Metadata {
  const isGood = metadataProblems(value, []).length === 0 && Buffer.byteLength(JSON.stringify(value)) <= metadataMaxBytes
  return isGood ? (value as Metadata) : {}
}
