import type { UserFilter } from '../domain/user-filter.ts'
import { everyone, scopes } from './access.ts'
import { builder } from './builder.ts'
import { UserStatus } from './user.ts'

const IDFilter = builder.inputType('IDFilter', {
  description: 'What an id must be. What is given must all hold.',
  fieldAccess: everyone,
  fields: (t) => ({
    eq: t.id({ description: 'This id.' }),
    in: t.idList({ description: 'One of these, 1000 at most; an empty list is none.' }),
  }),
})

const StringFilter = builder.inputType('StringFilter', {
  description: 'What a text must be. What is given must all hold. `%` and `_` are letters like any other.',
  fieldAccess: everyone,
  fields: (t) => ({
    eq: t.string({ description: 'This text, in the form in which the field is unique: e-mails, usernames and names in any case.' }),
    in: t.stringList({ description: 'One of these, 100 at most; an empty list is none.' }),
    startsWith: t.string({ description: 'It starts so.' }),
    contains: t.string({ description: 'It holds this.' }),
    exists: t.boolean({ description: 'Whether there is one at all.' }),
  }),
})

const DateTimeFilter = builder.inputType('DateTimeFilter', {
  description: 'When a time must be. What is given must all hold.',
  fieldAccess: everyone,
  fields: (t) => ({
    gt: t.field({ type: 'DateTime', description: 'Later than this.' }),
    gte: t.field({ type: 'DateTime', description: 'At this time or later.' }),
    lt: t.field({ type: 'DateTime', description: 'Earlier than this.' }),
    lte: t.field({ type: 'DateTime', description: 'At this time or earlier.' }),
    exists: t.boolean({ description: 'Whether there is one at all.' }),
  }),
})

const IntFilter = builder.inputType('IntFilter', {
  description: 'What a whole number must be. What is given must all hold.',
  fieldAccess: everyone,
  fields: (t) => ({
    eq: t.int({ description: 'This number.' }),
    gt: t.int({ description: 'Greater than this.' }),
    gte: t.int({ description: 'This or greater.' }),
    lt: t.int({ description: 'Less than this.' }),
    lte: t.int({ description: 'This or less.' }),
  }),
})

const IdentityFilter = builder.inputType('IdentityFilter', {
  description: 'Holds when one identity of the user is all that is given.',
  fieldAccess: everyone,
  fields: (t) => ({
    provider: t.field({ type: StringFilter, description: "The connection's key." }),
    providerUserId: t.field({ type: StringFilter, description: "The provider's `sub`." }),
    exists: t.boolean({ description: 'Whether there is one at all.' }),
  }),
})

const MetadataFilter = builder.inputType('MetadataFilter', {
  description:
    'What a value in metadata must be. `path` is an RFC 6901 JSON Pointer: `/plan`, `/address/city`, `/tags/0`. What is given must all hold.',
  fieldAccess: everyone,
  fields: (t) => ({
    path: t.string({ required: true, description: 'Where the value stands.' }),
    eq: t.field({ type: 'JSON', description: 'This value. Uses an index.' }),
    in: t.field({ type: ['JSON'], description: 'One of these values, 100 at most. Uses an index.' }),
    contains: t.field({ type: 'JSON', description: 'Holds this value, as an item of a list or a part of an object. Uses an index.' }),
    gt: t.field({
      type: 'JSON',
      description:
        'Greater than this number, or after this text in the order of code points. Reads all users that the rest of the filter leaves.',
    }),
    lt: t.field({
      type: 'JSON',
      description: 'Less than this number, or before this text. Reads all users that the rest of the filter leaves.',
    }),
    exists: t.boolean({ description: 'Whether there is a value, `null` included. Reads all users that the rest of the filter leaves.' }),
  }),
})

/** Which users are meant. */
export const UserWhere = builder.inputRef<UserFilter>('UserWhere')

UserWhere.implement({
  description: 'Which users are meant. What is given must all hold; deleted users are left out unless `status` asks for them.',
  fieldAccess: scopes('read:users'),
  fields: (t) => ({
    and: t.field({ type: [UserWhere], access: everyone, description: 'All of these hold.' }),
    or: t.field({ type: [UserWhere], access: everyone, description: 'One of these holds; an empty list never does.' }),
    not: t.field({ type: UserWhere, access: everyone, description: 'This does not hold.' }),
    id: t.field({ type: IDFilter, description: "The user's id." }),
    email: t.field({ type: StringFilter, description: 'The e-mail address, in any case.' }),
    phoneNumber: t.field({ type: StringFilter, description: 'The phone number in E.164 form.' }),
    username: t.field({ type: StringFilter, description: 'The username, in any case.' }),
    externalId: t.field({ type: StringFilter, description: 'The external id, exactly.' }),
    name: t.field({ type: StringFilter, description: "The profile's name, in any case." }),
    status: t.field({ type: [UserStatus], description: 'One of these states.' }),
    emailVerified: t.boolean({ description: 'Whether the e-mail address is verified.' }),
    phoneNumberVerified: t.boolean({ description: 'Whether the phone number is verified.' }),
    hasPassword: t.boolean({ description: 'Whether there is a password.' }),
    createdAt: t.field({ type: DateTimeFilter, description: 'When the user was created.' }),
    updatedAt: t.field({ type: DateTimeFilter, description: 'When the user last changed.' }),
    lastSignInAt: t.field({ type: DateTimeFilter, description: 'When the user last signed in.' }),
    signInCount: t.field({ type: IntFilter, description: 'How often the user has signed in.' }),
    identity: t.field({ type: IdentityFilter, description: 'A way the user signs in.' }),
    userMetadata: t.field({ type: [MetadataFilter], description: 'Values in `userMetadata`; all hold.' }),
    appMetadata: t.field({
      type: [MetadataFilter],
      access: scopes('read:users_app_metadata'),
      description: 'Values in `appMetadata`; all hold.',
    }),
  }),
})
