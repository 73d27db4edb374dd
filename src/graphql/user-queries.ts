import { RequestError } from '../domain/errors.ts'
import { isUuid, normalizeEmail, normalizeExternalId, normalizePhoneNumber, normalizeUsername } from '../domain/normalize.ts'
import { hasScope, type Principal } from '../domain/principal.ts'
import type { Prisma } from '../generated/prisma/client.ts'
import { everyone, selfOr } from './access.ts'
import { builder } from './builder.ts'
import { User } from './user.ts'

const IdentityKey = builder.inputType('IdentityKey', {
  description: 'An account at a provider.',
  fieldAccess: everyone,
  fields: (t) => ({
    provider: t.string({ required: true, description: "The connection's key." }),
    providerUserId: t.string({ required: true, description: "The provider's `sub`." }),
  }),
})

const UserBy = builder.inputType('UserBy', {
  description: 'Names one user, in exactly one way.',
  isOneOf: true,
  fieldAccess: everyone,
  fields: (t) => ({
    id: t.id({ description: "The user's id." }),
    email: t.string({ description: 'The e-mail address, in any case.' }),
    phoneNumber: t.string({ description: 'The phone number, starting with +.' }),
    username: t.string({ description: 'The username, in any case.' }),
    externalId: t.string({ description: 'The external id, exactly.' }),
    identity: t.field({ type: IdentityKey, description: 'An account at a provider.' }),
  }),
})

builder.queryField('me', (t) =>
  t.prismaField({
    type: User,
    nullable: true,
    access: everyone,
    description: "The caller's own user. Null without a token, and for a token without a user (an admin token).",
    resolve: (query, _root, _args, { app, principal: { userId } }) =>
      userId === null ? null : app.database.users.findFirst({ ...query, where: { id: userId } }),
  }),
)

builder.queryField('user', (t) =>
  t.prismaField({
    type: User,
    nullable: true,
    access: selfOr('read:users'),
    description: 'One user. Null when there is none, it is deleted, or it is another than the caller, who may not read others.',
    args: { by: t.arg({ type: UserBy, required: true, description: 'Which user.' }) },
    resolve: (query, _root, { by }, { app, principal }) =>
      app.database.users.findFirst({ ...query, where: { AND: [userKey(by), visibleUsers(principal)] } }),
  }),
)

/** The users a caller may know of at all: what is absent and what is forbidden look the same. */
export function visibleUsers(principal: Principal): Prisma.UserWhereInput {
  if (hasScope(principal, 'read:users')) return { deletedAt: null }
  return principal.userId === null ? { id: { in: [] } } : { id: principal.userId, deletedAt: null }
}

type Key = typeof UserBy.$inferInput

function userKey(by: Key): Prisma.UserWhereInput {
  if (typeof by.id === 'string') return { id: well(isUuid(by.id) ? by.id : null, 'id', 'a UUID') }
  if (typeof by.email === 'string') return { emailNormal: well(normalizeEmail(by.email)?.normal, 'email', 'an e-mail address') }
  if (typeof by.phoneNumber === 'string')
    return { phoneNumber: well(normalizePhoneNumber(by.phoneNumber), 'phoneNumber', 'a phone number in E.164 form') }
  if (typeof by.username === 'string') return { usernameNormal: well(normalizeUsername(by.username)?.normal, 'username', 'a username') }
  if (typeof by.externalId === 'string') return { externalId: well(normalizeExternalId(by.externalId), 'externalId', 'an external id') }
  const provider = well(normalizeExternalId(by.identity?.provider ?? ''), 'identity.provider', 'the key of a provider')
  const providerUserId = well(normalizeExternalId(by.identity?.providerUserId ?? ''), 'identity.providerUserId', "a provider's `sub`")
  return { identities: { some: { provider, providerUserId } } }
}

/** @throws {RequestError} BAD_USER_INPUT where a key has not the form of one */
function well(value: string | null | undefined, field: string, wanted: string): string {
  if (value === null || value === undefined)
    throw new RequestError('BAD_USER_INPUT', `\`by.${field}\` is not ${wanted}.`, { field: `by.${field}` })
  return value
}
