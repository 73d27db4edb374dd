import type { Prisma } from '../../generated/prisma/client.ts'
import { type DomainError, invalidInput } from '../errors.ts'
import type { Metadata } from '../metadata.ts'
import { isStorableText } from '../normalize.ts'
import { profileAttributes } from '../profile.ts'
import { isServiceUrl } from './service-url.ts'
import { type ConfiguredStrategy, isOpenId, knownBeforehand } from './strategy.ts'

export const profileSyncs = ['ON_EACH_SIGN_IN', 'ON_FIRST_SIGN_IN', 'NEVER'] as const

/** When a sign-in writes the profile; see the GraphQL enum of the same name. */
export type ProfileSync = (typeof profileSyncs)[number]

/** What may be set at any time. Absent is left alone; null is what a new connection has. */
export type ConnectionSettings = Readonly<{
  displayName?: string | null
  enabled?: boolean | null
  clientId?: string | null
  /** Null: none. */
  clientSecret?: string | null
  scopes?: readonly string[] | null
  profileSync?: ProfileSync | null
  attributeMap?: Metadata | null
  /** The old system that a connection of the strategy PASSWORD asks. */
  verifierUrl?: string | null
  linkByVerifiedEmail?: boolean | null
  allowSignUp?: boolean | null
}>

const nameMaxLength = 100
const clientIdMaxLength = 255
/** Apple's is a private key. */
const secretMaxLength = 8192
const mostScopes = 50
const pointerMaxLength = 300

/** What a connection has of which nothing is said. */
export function defaultSettings(strategy: ConfiguredStrategy) {
  const { displayName, scopes } = knownBeforehand(strategy)
  const profileSync: ProfileSync = 'ON_FIRST_SIGN_IN'
  const attributeMap: Prisma.InputJsonObject = {}
  const verifierUrl: string | null = null
  const usual = { enabled: true, linkByVerifiedEmail: false, allowSignUp: true }
  return { displayName, scopes: [...scopes], profileSync, attributeMap, verifierUrl, ...usual }
}

/** The columns that the settings become. */
export function settingColumns(strategy: ConfiguredStrategy, settings: ConnectionSettings): Partial<ReturnType<typeof defaultSettings>> {
  const defaults = defaultSettings(strategy)
  const names = (Object.keys(defaults) as (keyof typeof defaults)[]).filter((name) => settings[name] !== undefined)
  return Object.fromEntries(names.map((name) => [name, settings[name] ?? defaults[name]]))
}

/** Everything that is wrong with the settings, each with its path. */
export function settingProblems(strategy: ConfiguredStrategy, settings: ConnectionSettings): DomainError[] {
  const { displayName, clientId, clientSecret, scopes, attributeMap, verifierUrl } = settings
  return [
    ...(displayName == null ? [] : textProblems('displayName', displayName, nameMaxLength)),
    ...(clientId === undefined ? [] : textProblems('clientId', clientId ?? '', clientIdMaxLength)),
    ...(clientSecret == null ? [] : textProblems('clientSecret', clientSecret, secretMaxLength)),
    ...(scopes == null ? [] : scopeProblems(strategy, scopes)),
    ...(attributeMap == null ? [] : mapProblems(attributeMap)),
    ...(verifierUrl === undefined ? [] : verifierProblems(strategy, verifierUrl)),
  ]
}

function verifierProblems(strategy: ConfiguredStrategy, url: string | null): DomainError[] {
  const path = ['input', 'verifierUrl']
  if (strategy !== 'PASSWORD')
    return url === null ? [] : [invalidInput(path, 'Only a connection of the strategy PASSWORD asks an old system.')]
  if (url === null) return [invalidInput(path, 'A connection of the strategy PASSWORD needs the URL of an old system.')]
  return isServiceUrl(url) ? [] : [invalidInput(path, 'The old system is asked at an https URL without user, query and fragment.')]
}

function textProblems(field: string, text: string, longest: number): DomainError[] {
  const isGood = text.trim() !== '' && text.length <= longest && isStorableText(text)
  return isGood ? [] : [invalidInput(['input', field], `\`${field}\` has 1 to ${longest} characters.`)]
}

function scopeProblems(strategy: ConfiguredStrategy, scopes: readonly string[]): DomainError[] {
  const path = ['input', 'scopes']
  if (scopes.length > mostScopes) return [invalidInput(path, `A connection asks for ${mostScopes} scopes at most.`)]
  // RFC 6749 §3.3
  const malformed = scopes.flatMap((scope, index) => (/^[\x21\x23-\x5b\x5d-\x7e]{1,255}$/.test(scope) ? [] : [String(index)]))
  if (malformed.length > 0) return malformed.map((index) => invalidInput([...path, index], 'This is no scope.'))
  const needsOpenId = isOpenId(strategy) && !scopes.includes('openid')
  return needsOpenId ? [invalidInput(path, 'OpenID Connect needs the scope `openid`.')] : []
}

/** RFC 6901 pointers into the claims. */
function mapProblems(map: Metadata): DomainError[] {
  return Object.entries(map).flatMap(([attribute, pointer]) => {
    const path = ['input', 'attributeMap', attribute.slice(0, nameMaxLength)]
    if (!(profileAttributes as readonly string[]).includes(attribute)) return [invalidInput(path, 'A profile has no such attribute.')]
    const isPointer =
      typeof pointer === 'string' && /^\/(?:[^~]|~[01])*$/s.test(pointer) && pointer.length <= pointerMaxLength && isStorableText(pointer)
    return isPointer || pointer === null
      ? []
      : [invalidInput(path, 'Send a JSON Pointer into the claims such as /given_name, or null to leave the attribute alone.')]
  })
}
