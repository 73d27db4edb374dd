import type { Json } from '../difference.ts'
import { type Metadata, metadataMaxBytes, metadataProblems } from '../metadata.ts'
import { normalizeEmail, normalizeExternalId } from '../normalize.ts'
import { type ProfileAttribute, type ProfileInput, profileAttributes, profileProblems } from '../profile.ts'
import { adapters, type Claims } from './adapters.ts'
import type { ProviderConnection } from './provider-connection.ts'

/** Somebody as a provider knows him, in Roster's terms: nothing of it is malformed or too large. */
export type ProviderPerson = Readonly<{
  /** The provider's `sub`. */
  subject: string
  /** In the form to display; null when the provider named none, or none that is an address. */
  email: string | null
  /** Whether the provider itself vouches for the address. */
  emailVerified: boolean
  /** What the provider said of the profile, by the connection's strategy and its attribute map. What is absent was not said. */
  profile: ProfileInput
  /** The claims to keep: without what belongs to one token only, and no more than metadata may be. */
  claims: Metadata
}>

/**
 * Reads claims by the connection's strategy, then by its `attributeMap`: JSON Pointers into the claims, null for an attribute that is left
 * alone. Values that a profile could not hold, such as a malformed URL, are dropped. `appleUser` is the `user` that Apple's first form
 * post has beside the token: nobody has signed it, so only a name is taken from it.
 *
 * @returns null when there is no subject that could be one: 1 to 255 characters, or GitHub's number
 */
export function readPerson(
  { strategy, attributeMap }: Pick<ProviderConnection, 'strategy' | 'attributeMap'>,
  claims: Claims,
  { appleUser = null }: { appleUser?: string | null } = {},
): ProviderPerson | null {
  const said = adapters[strategy](claims, appleUser)
  const subject = said.subject === null ? null : normalizeExternalId(said.subject)
  if (subject === null) return null
  const email = typeof said.email === 'string' ? (normalizeEmail(said.email)?.email ?? null) : null
  const profile = goodAttributes({ ...said.profile, ...mappedAttributes(attributeMap, claims) })
  return { subject, email, emailVerified: email !== null && said.emailVerified, profile, claims: keptClaims(claims) }
}

/** Undefined, for what is left alone, takes the place of what the strategy reads. */
function mappedAttributes(attributeMap: Metadata, claims: Claims): Record<string, unknown> {
  const entries = Object.entries(attributeMap).map(([attribute, pointer]) => [
    attribute,
    typeof pointer === 'string' ? pointedValue(claims, pointer) : undefined,
  ])
  return Object.fromEntries(entries) as Record<string, unknown>
}

/** RFC 6901; undefined where the pointer leads nowhere. */
function pointedValue(claims: Claims, pointer: string): unknown {
  const segments = pointer.slice(1).split('/')
  return segments.reduce<unknown>((value, segment) => {
    const key = segment.replaceAll('~1', '/').replaceAll('~0', '~')
    return typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined
  }, claims)
}

function goodAttributes(values: Record<string, unknown>): ProfileInput {
  const entries = profileAttributes.flatMap((attribute) => {
    const value = attributeValue(attribute, values[attribute])
    return value !== null && profileProblems({ [attribute]: value }, []).length === 0 ? [[attribute, value] as const] : []
  })
  return Object.fromEntries(entries)
}

function attributeValue(attribute: ProfileAttribute, value: unknown): string | Record<string, unknown> | null {
  if (attribute === 'address') return typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, unknown> | null) : null
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' ? value.trim() : null
}

/** About one token, or one sign-in: kept, they would make each sign-in a change. */
const tokenClaims = new Set(
  'aud azp exp iat nbf jti nonce nonce_supported at_hash c_hash s_hash auth_time acr amr sid rh uti aio ver'.split(' '),
)

/** What does not fit is left out, member by member. */
function keptClaims(claims: Claims): Metadata {
  const kept: Record<string, Json> = {}
  let bytes = 2
  for (const [name, value] of Object.entries(claims)) {
    if (tokenClaims.has(name) || metadataProblems({ [name]: value }, []).length > 0) continue
    const more = Buffer.byteLength(JSON.stringify({ [name]: value }))
    if (bytes + more > metadataMaxBytes) continue
    bytes += more
    kept[name] = value as Json
  }
  return kept
}
