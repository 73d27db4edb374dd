import { Prisma, type Profile } from '../generated/prisma/client.ts'
import type { ChangeScope } from './change.ts'
import type { Image, Json } from './difference.ts'
import { type DomainError, invalidInput } from './errors.ts'
import { metadataProblems } from './metadata.ts'
import { foldText, isStorableText } from './normalize.ts'
import { forgetSources } from './profile-source.ts'

/** The attributes of a profile, by the graph's names: OpenID Connect Core 5.1. */
export const profileAttributes = [
  'name',
  'givenName',
  'familyName',
  'middleName',
  'nickname',
  'preferredUsername',
  'picture',
  'website',
  'gender',
  'birthdate',
  'zoneinfo',
  'locale',
  'address',
] as const

export type ProfileAttribute = (typeof profileAttributes)[number]
type TextAttribute = Exclude<ProfileAttribute, 'address'>

/** What an input says of a profile: absent is left alone, null clears. */
export type ProfileInput = Readonly<{ [Attribute in TextAttribute]?: string | null } & { address?: Record<string, unknown> | null }>

/** Who an attribute came from. */
export type ProfileOrigin = 'USER' | 'ADMIN' | 'IDENTITY' | 'IMPORT'

/** UTF-16 units; a URL may have 2048. */
const textMaxLength = 300
const urlMaxLength = 2048
const addressMaxBytes = 4096

/** A profile input that clears everything: what `profile: null` means. */
export const emptyProfile: ProfileInput = Object.fromEntries(profileAttributes.map((attribute) => [attribute, null]))

/** The profile as history sees it. */
export function profileImage(profile: Profile): Image {
  return Object.fromEntries(profileAttributes.map((attribute) => [attribute, profile[attribute] as Json]))
}

/** Everything that is wrong with a profile input, each with its path. */
export function profileProblems(input: ProfileInput, path: readonly string[]): DomainError[] {
  return profileAttributes.flatMap((attribute) => {
    const value = input[attribute]
    if (value === undefined || value === null) return []
    const at = [...path, attribute]
    if (typeof value === 'string') return textProblem(attribute as TextAttribute, value, at)
    return [...metadataProblems(value, at), ...sizeProblem(value, at)]
  })
}

function textProblem(attribute: TextAttribute, value: string, path: readonly string[]): DomainError[] {
  const longest = attribute === 'picture' || attribute === 'website' ? urlMaxLength : textMaxLength
  if (!isStorableText(value)) return [invalidInput(path, 'Text must not hold NUL or a lone surrogate.')]
  if (value.trim() === '' || value.length > longest)
    return [invalidInput(path, `\`${attribute}\` has 1 to ${longest} characters; null clears it.`)]
  const problem = formatProblems[attribute]?.(value) ?? null
  return problem === null ? [] : [invalidInput(path, problem)]
}

/** Looking one up is quick, and asking for one that has another name, or is none, is not. */
const timeZones: ReadonlySet<string> = new Set([
  ...Intl.supportedValuesOf('timeZone'),
  // Newer names of some of them, and what the list leaves out.
  ...['Asia/Kolkata', 'Asia/Ho_Chi_Minh', 'Asia/Kathmandu', 'Asia/Yangon', 'Africa/Asmara', 'America/Argentina/Buenos_Aires', 'UTC'],
])

const formatProblems: { readonly [Attribute in TextAttribute]?: (value: string) => string | null } = {
  picture: urlProblem,
  website: urlProblem,
  birthdate: birthdateProblem,
  zoneinfo: (value) =>
    timeZones.has(value) || isKnown(() => new Intl.DateTimeFormat('en', { timeZone: value }))
      ? null
      : 'A time zone is a name such as Europe/Paris.',
  locale: (value) =>
    usualLocale.test(value) || isKnown(() => new Intl.Locale(value.replaceAll('_', '-')))
      ? null
      : 'A locale is a BCP 47 language tag such as en-US.',
}

/** Language, script and region, which is what a language tag may be made of whatever they are: no need to have it read. */
const usualLocale = /^[a-z]{2,3}([-_][a-z]{4})?([-_]([a-z]{2}|\d{3}))?$/i

/** Other schemes, `javascript:` among them, would run in the pages that show the profile. */
function urlProblem(value: string): string | null {
  return URL.canParse(value) && (/^https?:/i.test(value) || /^https?:$/.test(new URL(value).protocol))
    ? null
    : 'This is not an http or https URL.'
}

/** OpenID Connect Core 5.1: YYYY-MM-DD, the year 0000 when it is left out, or YYYY alone. */
function birthdateProblem(value: string): string | null {
  const problem = 'A birthdate is YYYY-MM-DD (the year may be 0000) or YYYY.'
  if (/^\d{4}$/.test(value)) return null
  // A leap year stands in for the year that is left out, so that 29 February is a day.
  const date = /^\d{4}-\d{2}-\d{2}$/.test(value) ? new Date(`${value.replace(/^0000/, '2000')}T00:00:00Z`) : null
  if (date === null || Number.isNaN(date.getTime())) return problem
  return date.toISOString().slice(5, 10) === value.slice(5) ? null : problem
}

function isKnown(construct: () => unknown): boolean {
  try {
    construct()
    return true
  } catch {
    return false
  }
}

function sizeProblem(value: Record<string, unknown>, path: readonly string[]): DomainError[] {
  return Buffer.byteLength(JSON.stringify(value)) <= addressMaxBytes
    ? []
    : [invalidInput(path, `An address has ${addressMaxBytes} bytes at most.`)]
}

/**
 * Writes the attributes that the input brings, and where each came from: `identityId` is the identity's where the origin is one. Those that
 * did not change keep their source.
 */
export async function writeProfile(
  { db, now }: ChangeScope,
  userId: string,
  before: Profile | null,
  input: ProfileInput,
  origin: ProfileOrigin,
  identityId: string | null = null,
): Promise<void> {
  const changed = profileAttributes.filter((attribute) => input[attribute] !== undefined && !same(input[attribute], before?.[attribute]))
  if (changed.length === 0) return
  const set = changed.filter((attribute) => input[attribute] !== null)
  await db.profile.update({ where: { userId }, data: { ...profileColumns(input, changed), updatedAt: now }, select: { userId: true } })
  if (changed.includes('name'))
    await db.user.update({ where: { id: userId }, data: { nameNormal: nameNormal(input) }, select: { id: true } })
  await forgetSources(db, [{ userId, attributes: changed }])
  const [attribute, ...others] = set
  if (attribute !== undefined)
    await db.profileSource.create({ data: { userId, attribute, others, origin, identityId, setAt: now }, select: { userId: true } })
}

/** The name as users are searched and ordered by it: a column of the user, not of the profile. */
export function nameNormal({ name }: ProfileInput): string | null {
  return typeof name === 'string' ? foldText(name) : null
}

/** The columns that the named attributes of the input become. */
export function profileColumns(input: ProfileInput, attributes: readonly ProfileAttribute[]): Prisma.ProfileUncheckedUpdateInput {
  const columns: Record<string, unknown> = Object.fromEntries(attributes.map((attribute) => [attribute, input[attribute]]))
  if (attributes.includes('address')) columns['address'] = input.address ?? Prisma.DbNull
  return columns
}

function same(wanted: unknown, current: unknown): boolean {
  return JSON.stringify(wanted ?? null) === JSON.stringify(current ?? null)
}
