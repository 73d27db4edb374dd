import type { Metadata } from '../domain/metadata.ts'
import { isBlocked, userStatus } from '../domain/user/user-status.ts'
import { everyone, scopes, selfOr } from './access.ts'
import { builder } from './builder.ts'
import { Identity } from './identity.ts'
import { Node } from './node.ts'
import { Profile } from './profile.ts'
import { recordOf } from './read-or-resolve.ts'

const reader = selfOr('read:users')

/** The states of a user. */
export const UserStatus = builder.enumType('UserStatus', {
  description: 'What state a user is in.',
  values: {
    ACTIVE: { description: 'May sign in.' },
    INVITED: { description: 'Has not accepted the invitation yet.' },
    BLOCKED: { description: 'Blocked until a time, or until lifted. A block that has run out is no block.' },
    DELETED: { description: 'Deleted softly or made anonymous.' },
  },
})

const Block = builder.objectRef<{ at: Date; until: Date | null; reason: string | null }>('Block').implement({
  description: 'Why and how long a user is blocked.',
  fieldAccess: scopes('read:users'),
  fields: (t) => ({
    at: t.expose('at', { type: 'DateTime', description: 'Since when.' }),
    until: t.expose('until', { type: 'DateTime', nullable: true, description: 'Until when; null: until it is lifted.' }),
    reason: t.exposeString('reason', { nullable: true, description: 'Why, in the words of whoever did it.' }),
  }),
})

/** A person an application knows. */
export const User = builder.prismaObject('User', {
  description: 'A person an application knows.',
  interfaces: [Node],
  select: { id: true },
  owner: ({ id }) => id,
  fieldAccess: reader,
  fields: (t) => ({
    // Whoever creates or changes a user learns which one it is, without reading it.
    id: t.exposeID('id', {
      access: everyone,
      description: "The row's UUID (version 7): the same value as a token's `sub` and the SQL primary key. It never changes.",
    }),
    email: t.expose('email', { type: 'EmailAddress', nullable: true, description: 'The address as it was typed.' }),
    emailVerified: t.exposeBoolean('emailVerified'),
    phoneNumber: t.expose('phoneNumber', { type: 'PhoneNumber', nullable: true }),
    phoneNumberVerified: t.exposeBoolean('phoneNumberVerified'),
    username: t.exposeString('username', { nullable: true }),
    externalId: t.exposeString('externalId', { nullable: true }),
    status: t.field({
      type: UserStatus,
      description: 'What state the user is in now.',
      select: { deletedAt: true, blockedAt: true, blockedUntil: true, invitedAt: true },
      resolve: (user, _args, { app }) => userStatus(user, app.clock.now()),
    }),
    block: t.field({
      type: Block,
      nullable: true,
      access: scopes('read:users'),
      description: 'The block that stands; null when there is none, or it has run out.',
      select: { blockedAt: true, blockedUntil: true, blockReason: true },
      resolve: (user, _args, { app }) =>
        user.blockedAt !== null && isBlocked(user, app.clock.now())
          ? { at: user.blockedAt, until: user.blockedUntil, reason: user.blockReason }
          : null,
    }),
    hasPassword: t.boolean({
      description: 'Whether the user can sign in with a password.',
      select: { passwordCredential: { select: { userId: true } } },
      resolve: ({ passwordCredential }) => passwordCredential !== null,
    }),
    profile: t.field({
      type: Profile,
      description: 'The normalised profile.',
      extensions: recordOf('profile'),
      select: (_args, _context, nested) => ({ profile: nested() }),
      resolve: ({ profile }) => profile ?? missingProfile(),
    }),
    userMetadata: t.field({
      type: 'JSONObject',
      description: 'What the user may edit about themselves: preferences, salutation and the like.',
      select: { userMetadata: true },
      resolve: ({ userMetadata }) => userMetadata as Metadata,
    }),
    appMetadata: t.field({
      type: 'JSONObject',
      nullable: true,
      access: scopes('read:users_app_metadata'),
      description: 'What only administrators may read and edit: plans, roles, flags. Null, with an error, for everybody else.',
      select: { appMetadata: true },
      resolve: ({ appMetadata }) => appMetadata as Metadata,
    }),
    identities: t.relation('identities', {
      type: Identity,
      extensions: recordOf('identities'),
      query: { orderBy: { id: 'asc' } },
      description: 'All the ways the user signs in, the oldest first.',
    }),
    version: t.exposeInt('version', {
      description: 'Counts up with each change of the user; `expectedVersion` compares with it. Signing in is none.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the user was created, here or where they came from.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When the user last changed.' }),
    deletedAt: t.expose('deletedAt', { type: 'DateTime', nullable: true }),
    lastSignInAt: t.expose('lastSignInAt', { type: 'DateTime', nullable: true, description: 'Null before the first sign-in.' }),
    lastSignInIp: t.exposeString('lastSignInIp', { nullable: true, description: 'Null before the first sign-in.' }),
    signInCount: t.exposeInt('signInCount', { description: 'How often the user has signed in.' }),
  }),
})

/** Every user is written together with its profile. */
function missingProfile(): never {
  throw new Error('a user without a profile row: it was removed beside the API')
}
