import { Prisma } from '../generated/prisma/client.ts'
import {
  foldCase,
  foldPhoneNumber,
  foldText,
  normalizeEmail,
  normalizeExternalId,
  normalizePhoneNumber,
  normalizeUsername,
} from './normalize.ts'
import { allOf, always, anyOf, given, noneOf } from './user-filter/condition.ts'
import { checkFilter } from './user-filter/filter-limits.ts'
import { type MetadataFilter, metadataCondition } from './user-filter/metadata-filter.ts'
import {
  type DateTimeFilter,
  dateTimeCondition,
  type IDFilter,
  type IntFilter,
  idCondition,
  intCondition,
  type StringFilter,
  type TextColumn,
  textCondition,
} from './user-filter/scalar-filter.ts'

export type { DateTimeFilter, IDFilter, IntFilter, MetadataFilter, StringFilter }

/** What state a user is in; see user-status.ts. */
export type UserStatus = 'ACTIVE' | 'INVITED' | 'BLOCKED' | 'DELETED'

/** Holds when one identity of the user is all that is given; with `exists: false`, when none is. */
export type IdentityFilter = Readonly<{ provider?: StringFilter | null; providerUserId?: StringFilter | null; exists?: boolean | null }>

/** Which users are meant. What is given must all hold; nothing given: everybody who is not deleted. Null is refused. */
export type UserFilter = Readonly<{
  and?: readonly UserFilter[] | null
  or?: readonly UserFilter[] | null
  not?: UserFilter | null
  id?: IDFilter | null
  email?: StringFilter | null
  phoneNumber?: StringFilter | null
  username?: StringFilter | null
  externalId?: StringFilter | null
  name?: StringFilter | null
  status?: readonly UserStatus[] | null
  emailVerified?: boolean | null
  phoneNumberVerified?: boolean | null
  hasPassword?: boolean | null
  createdAt?: DateTimeFilter | null
  updatedAt?: DateTimeFilter | null
  lastSignInAt?: DateTimeFilter | null
  signInCount?: IntFilter | null
  identity?: IdentityFilter | null
  userMetadata?: readonly MetadataFilter[] | null
  appMetadata?: readonly MetadataFilter[] | null
}>

/** The time that blocks are held against, and a second filter that must hold as well: the one a search was parsed into. */
export type FilterOptions = Readonly<{ now: Date; search?: UserFilter | null | undefined }>

/**
 * Compiles a filter into a condition on `roster.users u`, with every value a parameter.
 *
 * - `and` of nothing always holds, `or` and `in` of nothing never do. `not` is the complement: `not: { email: { eq } }` holds for
 *   users without an e-mail address too.
 * - Deleted users are left out unless a `status` list anywhere in the filter, also below `not`, names DELETED; then it is the
 *   filter that says which of them are meant.
 * - E-mails, usernames and names are compared in their normal form, parts of them without regard to case; phone numbers in
 *   E.164 form; external ids and identities exactly.
 * - Indexes serve ids; `eq`, `in`, `startsWith` and `contains` (of three characters and more, with pg_trgm) of a text;
 *   times; a state other than ACTIVE; an identity by its provider or its provider's id; `eq`, `in` and `contains` of
 *   metadata. Read row by row, from the start of the order until the page is full: `not`, `exists`, `emailVerified`,
 *   `phoneNumberVerified`, `hasPassword`, ACTIVE, parts of a provider, and `gt`, `lt` and `exists` of metadata.
 *
 * @throws {RequestError} BAD_USER_INPUT
 */
export function compileUserFilter(filter: UserFilter, { now, search }: FilterOptions): Prisma.Sql {
  const filters = search ? [filter, search] : [filter]
  checkFilter(filter, 'where')
  const conditions = filters.map((one) => condition(one, now))
  return allOf(filters.some(namesDeleted) ? conditions : [...conditions, Prisma.sql`u.deleted_at is null`])
}

function namesDeleted({ status, and, or, not }: UserFilter): boolean {
  return status?.includes('DELETED') || [...(and ?? []), ...(or ?? []), ...(not ? [not] : [])].some(namesDeleted)
}

function condition(filter: UserFilter, now: Date): Prisma.Sql {
  return allOf([
    ...given(filter.and, (filters) => allOf(filters.map((one) => condition(one, now)))),
    ...given(filter.or, (filters) => anyOf(filters.map((one) => condition(one, now)))),
    ...given(filter.not, (one) => noneOf(condition(one, now))),
    ...given(filter.id, (id) => idCondition(Prisma.sql`u.id`, id)),
    ...given(filter.email, (email) => textCondition(columns.email, email)),
    ...given(filter.phoneNumber, (phoneNumber) => textCondition(columns.phoneNumber, phoneNumber)),
    ...given(filter.username, (username) => textCondition(columns.username, username)),
    ...given(filter.externalId, (externalId) => textCondition(columns.externalId, externalId)),
    ...given(filter.name, (name) => textCondition(columns.name, name)),
    ...given(filter.status, (states) => anyOf([...new Set(states)].map((status) => statusCondition(status, now)))),
    ...given(filter.emailVerified, (is) => Prisma.sql`u.email_verified = ${is}`),
    ...given(filter.phoneNumberVerified, (is) => Prisma.sql`u.phone_number_verified = ${is}`),
    ...given(filter.hasPassword, passwordCondition),
    ...given(filter.createdAt, (time) => dateTimeCondition(Prisma.sql`u.created_at`, time)),
    ...given(filter.updatedAt, (time) => dateTimeCondition(Prisma.sql`u.updated_at`, time)),
    ...given(filter.lastSignInAt, (time) => dateTimeCondition(Prisma.sql`u.last_sign_in_at`, time)),
    ...given(filter.signInCount, (count) => intCondition(Prisma.sql`u.sign_in_count`, count)),
    ...given(filter.identity, identityCondition),
    ...given(filter.userMetadata, (filters) => allOf(filters.map((one) => metadataCondition(Prisma.sql`u.user_metadata`, one)))),
    ...given(filter.appMetadata, (filters) => allOf(filters.map((one) => metadataCondition(Prisma.sql`u.app_metadata`, one)))),
  ])
}

const asIs = (text: string) => text

const columns = {
  email: { column: Prisma.sql`u.email_normal`, whole: (text) => normalizeEmail(text)?.normal ?? null, part: foldCase },
  phoneNumber: { column: Prisma.sql`u.phone_number`, whole: normalizePhoneNumber, part: foldPhoneNumber },
  username: { column: Prisma.sql`u.username_normal`, whole: (text) => normalizeUsername(text)?.normal ?? null, part: foldCase },
  externalId: { column: Prisma.sql`u.external_id`, whole: normalizeExternalId, part: asIs },
  name: { column: Prisma.sql`u.name_normal`, whole: foldText, part: foldCase },
  provider: { column: Prisma.sql`i.provider`, whole: asIs, part: asIs },
  providerUserId: { column: Prisma.sql`i.provider_user_id`, whole: asIs, part: asIs },
} as const satisfies Record<string, TextColumn>

/** Nothing given: everybody. */
function identityCondition({ exists, provider, providerUserId }: IdentityFilter): Prisma.Sql {
  const key = [
    ...given(provider, (text) => textCondition(columns.provider, text)),
    ...given(providerUserId, (text) => textCondition(columns.providerUserId, text)),
  ]
  if (exists === undefined && key.length === 0) return always
  const identity = Prisma.sql`exists (select from roster.identities i where ${allOf([Prisma.sql`i.user_id = u.id`, ...key])})`
  return exists === false ? Prisma.sql`not ${identity}` : identity
}

function passwordCondition(has: boolean): Prisma.Sql {
  const password = Prisma.sql`exists (select from roster.password_credentials c where c.user_id = u.id)`
  return has ? password : Prisma.sql`not ${password}`
}

/** A block that has run out is no block. */
function statusCondition(status: UserStatus, now: Date): Prisma.Sql {
  const at = Prisma.sql`${now.toISOString()}::timestamptz`
  if (status === 'DELETED') return Prisma.sql`u.deleted_at is not null`
  if (status === 'BLOCKED')
    return Prisma.sql`(u.deleted_at is null and u.blocked_at is not null and (u.blocked_until is null or u.blocked_until > ${at}))`
  const free = Prisma.sql`u.deleted_at is null and (u.blocked_at is null or u.blocked_until <= ${at})`
  return status === 'INVITED' ? Prisma.sql`(${free} and u.invited_at is not null)` : Prisma.sql`(${free} and u.invited_at is null)`
}
