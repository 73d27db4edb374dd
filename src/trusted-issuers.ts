import { ownProviders } from './domain/identity/own-providers.ts'
import { isPermissionScope, type PermissionScope } from './domain/principal.ts'

/** An issuer whose tokens are accepted beside Roster's own. */
export type TrustedIssuer = Readonly<{
  /** The exact `iss`. */
  issuer: string
  /** The exact `aud` that must be among the token's. */
  audience: string
  /** Where the issuer publishes its keys; exactly one of this and `secret` is set. */
  jwksUrl: string | null
  /** The shared HS256 secret, 32 bytes or more. */
  secret: string | null
  /** The provider key of the identities that its `sub` is looked up among. */
  provider: string
  /** The claim that holds scopes, as a list or separated by spaces; null: its tokens hold none. */
  scopeClaim: string | null
  /** The most its tokens may be allowed to do; what else the claim says is ignored. */
  scopes: readonly PermissionScope[]
  /** Whether an unknown `sub` creates a user, just in time. */
  createUsers: boolean
}>

/** Reads TRUSTED_ISSUERS. @throws {Error} that says which entry and what is wrong with it */
export function parseTrustedIssuers(text: string): readonly TrustedIssuer[] {
  let entries: unknown
  try {
    entries = JSON.parse(text)
  } catch {
    throw new Error('must be a JSON array')
  }
  if (!Array.isArray(entries)) throw new Error('must be a JSON array')
  const issuers = entries.map((entry, index) => parseEntry(entry, `entry ${index + 1}`))
  for (const key of ['issuer', 'provider'] as const)
    if (new Set(issuers.map((issuer) => issuer[key])).size < issuers.length) throw new Error(`two entries have the same ${key}`)
  return issuers
}

const keys = ['issuer', 'audience', 'jwksUrl', 'secret', 'provider', 'scopeClaim', 'scopes', 'createUsers']

function parseEntry(entry: unknown, where: string): TrustedIssuer {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) throw new Error(`${where} must be an object`)
  const values = entry as Record<string, unknown>
  for (const key of Object.keys(values)) if (!keys.includes(key)) throw new Error(`${where} has an unknown key "${key}"`)
  const jwksUrl = optionalText(values, 'jwksUrl', where)
  const secret = optionalText(values, 'secret', where)
  if ((jwksUrl === null) === (secret === null)) throw new Error(`${where} needs either jwksUrl or secret`)
  if (jwksUrl !== null && !(URL.canParse(jwksUrl) && /^https?:$/.test(new URL(jwksUrl).protocol)))
    throw new Error(`${where}: jwksUrl must be an http or https URL`)
  // RFC 7518 §3.2: an HS256 key has at least as many bits as the hash.
  if (secret !== null && Buffer.byteLength(secret) < 32) throw new Error(`${where}: secret must have at least 32 bytes`)
  const scopes = values['scopes'] ?? []
  if (!Array.isArray(scopes) || !scopes.every((scope) => typeof scope === 'string' && isPermissionScope(scope)))
    throw new Error(`${where}: scopes must be a list of Roster's scopes`)
  const createUsers = values['createUsers'] ?? false
  if (typeof createUsers !== 'boolean') throw new Error(`${where}: createUsers must be true or false`)
  const provider = requiredText(values, 'provider', where)
  // A token of another issuer must not find a user by an identity that Roster made.
  if (ownProviders.includes(provider))
    throw new Error(`${where}: provider cannot be ${provider}: identities of Roster's own have that name`)
  return {
    issuer: requiredText(values, 'issuer', where),
    audience: requiredText(values, 'audience', where),
    jwksUrl,
    secret,
    provider,
    scopeClaim: optionalText(values, 'scopeClaim', where),
    scopes,
    createUsers,
  }
}

function requiredText(values: Record<string, unknown>, key: string, where: string): string {
  const value = optionalText(values, key, where)
  if (value === null) throw new Error(`${where} needs ${key}`)
  return value
}

function optionalText(values: Record<string, unknown>, key: string, where: string): string | null {
  const value = values[key] ?? null
  if (value !== null && (typeof value !== 'string' || value === '')) throw new Error(`${where}: ${key} must be text`)
  return value
}
