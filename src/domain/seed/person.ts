import { UUID } from 'uuidv7'
import { foldText, normalizeEmail, normalizePhoneNumber } from '../normalize.ts'
import { accountOf, preferencesOf } from './bags.ts'
import { type Culture, cultures } from './culture.ts'
import { mix, pick, type Random, randomOf } from './random.ts'

/** What makes seeded users known again, and keeps their external ids apart from real ones. */
export const seededExternalId = 'demo-'

/** One sign-up a minute from here on. */
const firstSignUpAt = Date.UTC(2020, 0, 1)
const day = 86_400_000

/** Nobody knows its password, for it was made of other bytes than a password leads to; verifying against it costs the usual. */
const unknownPasswordHash = '$argon2id$v=19$m=19456,t=2,p=1$cm9zdGVyLWRlbW8tdXNlcnM$pK7cZ4m0cF4m3qXhVYw1n0J3R4oE7uXcB2tG6yLQh0k'

/**
 * The person of an index, as rows of the tables that keep it, each with all columns that must have a value. Always the same
 * but for times, which are never later than `now`.
 */
export function seededPerson(index: number, now: Date) {
  const random = randomOf(index)
  const created = Math.min(firstSignUpAt + index * 60_000, now.getTime())
  const [id, created_at] = [idOf(index, created), time(created)]
  const culture = pick(cultures, random(1, cultures.length))
  const { address, ...names } = namesOf(culture, index, random)
  const contact = contactOf(address, index, random)
  const state = stateOf(created, now, random)
  const bags = { user_metadata: preferencesOf(culture, random), app_metadata: accountOf(random) }
  const identities = identitiesOf(id, contact.email, index, random)
  const external_id = `${seededExternalId}${String(index).padStart(9, '0')}`
  return {
    user: { id, external_id, ...contact, name_normal: foldText(names.name), ...state, ...bags, version: 1, created_at },
    profile: { user_id: id, ...names, zoneinfo: culture.zoneinfo, locale: culture.locale, updated_at: created_at },
    identities: identities.map((identity) => ({ ...identity, user_id: id, created_at, last_sign_in_at: state.last_sign_in_at })),
    sources: sourcesOf(id, names.picture === null ? typed : [...typed, 'picture'], identities, created_at),
    credentials: identities.some(isPassword) ? [{ user_id: id, hash: unknownPasswordHash, updated_at: created_at }] : [],
  }
}

const typed = ['name', 'givenName', 'familyName', 'zoneinfo', 'locale']

/** Reserved for documentation and tests (RFC 2606, RFC 6761): mail to them reaches nobody. */
const domains = ['example.com', 'example.com', 'example.org', 'example.net', 'mail.example', 'münchen.example']

function contactOf(address: string, index: number, random: Random) {
  const email = random(10, 40) === 0 ? null : normalizeEmail(`${address}@${pick(domains, random(11, domains.length))}`)
  const hasPhone = email === null || random(12, 5) === 0
  const username = random(13, 5) < 2 ? address.replaceAll('.', '_') : null
  return {
    email: email?.email ?? null,
    email_normal: email?.normal ?? null,
    email_verified: email !== null && random(14, 20) > 2,
    // No country has the code 999, so no message to a made-up person reaches a real one.
    phone_number: hasPhone ? normalizePhoneNumber(`+999 ${String(index).padStart(10, '0')}`) : null,
    phone_number_verified: hasPhone && random(15, 2) === 0,
    username,
    username_normal: username,
  }
}

function namesOf(culture: Culture, index: number, random: Random) {
  const [given = '', givenAscii = given] = pick(culture.given, random(20, culture.given.length)).split('=')
  const [family = '', familyAscii = family] = pick(culture.family, random(21, culture.family.length)).split('=')
  const name = culture.familyFirst ? `${family}${given}` : `${given} ${family}`
  return {
    address: `${ascii(givenAscii)}.${ascii(familyAscii)}.${index}`,
    name,
    given_name: given,
    family_name: family,
    picture: random(22, 3) === 0 ? `https://www.example.com/pictures/${index}.png` : null,
  }
}

function identitiesOf(userId: string, email: string | null, index: number, random: Random) {
  const providers = ['password', 'google-oauth2', 'github', 'acme-okta']
  const first = email === null ? 0 : pick([0, 0, 0, 1, 1, 1, 2, 2, 2, 3], random(30, 10))
  const count = 1 + pick([0, 0, 0, 0, 0, 0, 1, 1, 1, 2], random(31, 10))
  return Array.from({ length: count }, (_, position) => {
    const provider = pick(providers, (first + position) % providers.length)
    const id = idOf(index, firstSignUpAt + index * 60_000, position + 1)
    const subject = String(100_000_000_000 + 4 * index + position)
    return isPassword({ provider })
      ? { id, provider, provider_user_id: userId, email: null, email_verified: false, claims: {} }
      : { id, provider, provider_user_id: subject, email, email_verified: email !== null, claims: { sub: subject, email } }
  })
}

/** Whoever signed up with a provider has from there what others have typed. */
function sourcesOf(userId: string, attributes: readonly string[], [first]: readonly { id: string; provider: string }[], setAt: string) {
  const source = first && !isPassword(first) ? { origin: 'IDENTITY', identity_id: first.id } : { origin: 'USER', identity_id: null }
  const [attribute, ...others] = attributes
  return [{ user_id: userId, attribute, others, ...source, set_at: setAt }]
}

function isPassword({ provider }: Readonly<{ provider: string }>): boolean {
  return provider === 'password'
}

/** One in a hundred is blocked, half of those until a time; two in a hundred have not accepted their invitation. */
function stateOf(createdAt: number, now: Date, random: Random) {
  const lastSignInAt = random(40, 8) === 0 ? null : Math.min(createdAt + random(41, 900) * day + random(42, day), now.getTime())
  const share = random(43, 1000)
  const isBlocked = share < 10
  return {
    blocked_at: isBlocked ? time(Math.min(createdAt + day, now.getTime())) : null,
    blocked_until: share < 5 ? time(now.getTime() + (1 + random(44, 30)) * day) : null,
    block_reason: isBlocked ? 'Too many complaints' : null,
    invited_at: share >= 10 && share < 30 ? time(createdAt) : null,
    deleted_at: share >= 30 && share < 35 ? time(Math.min(createdAt + day, now.getTime())) : null,
    updated_at: time(lastSignInAt ?? createdAt),
    last_sign_in_at: lastSignInAt === null ? null : time(lastSignInAt),
    last_sign_in_ip: lastSignInAt === null ? null : `192.0.2.${1 + random(45, 254)}`,
    sign_in_count: lastSignInAt === null ? 0 : 1 + random(46, 200),
  }
}

/** UUIDs of version 7 that sort by time, as the real ones do; `salt` keeps those of one person apart. */
function idOf(index: number, msecs: number, salt = 0): string {
  const bits = (count: number, position: number) => mix(index, 1000 * (salt + 1) + position) >>> (32 - count)
  return UUID.fromFieldsV7(msecs, bits(12, 0), bits(30, 1), bits(32, 2)).toString()
}

/** What is left without accents and other letters than ASCII's. */
function ascii(text: string): string {
  return text
    .normalize('NFD')
    .toLowerCase()
    .replaceAll('ß', 'ss')
    .replaceAll(/[^a-z]/g, '')
}

function time(at: number): string {
  return new Date(at).toISOString()
}
