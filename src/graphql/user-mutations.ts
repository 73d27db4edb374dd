import { blockUser, unblockUser } from '../domain/user/block-user.ts'
import { type CreateUserInput, createUser } from '../domain/user/create-user.ts'
import { deleteUser, restoreUser } from '../domain/user/delete-user.ts'
import { type UpdateUserInput, updateUser } from '../domain/user/update-user.ts'
import { everyone, scopes, selfOr } from './access.ts'
import { builder } from './builder.ts'
import { mutation } from './mutation.ts'
import { ProfileInput } from './profile.ts'
import { userPayload } from './user-payload.ts'

/** How a metadata patch meets what is there. */
export const MetadataMode = builder.enumType('MetadataMode', {
  description: 'How metadata that is sent meets what is there.',
  values: {
    MERGE: { description: 'First-level keys of the patch replace those of the record; a null removes its key; {} changes nothing.' },
    MERGE_DEEP: { description: 'JSON Merge Patch, RFC 7396.' },
    REPLACE: { description: 'The value given becomes the whole object.' },
  },
})

const DeleteMode = builder.enumType('DeleteMode', {
  description: 'How a user is deleted.',
  values: {
    SOFT: { description: 'Hidden, signed out, restorable; the e-mail address and other names stay reserved.' },
    HARD: { description: 'The row and all it owns are gone.' },
    ANONYMIZE: { description: 'The row stays, everything personal is gone.' },
  },
})

mutation<CreateUserInput, { userId: string | null }>({
  name: 'createUser',
  description: 'Creates a user. Nothing is sent to the person, and without a password or a hash there is none.',
  access: scopes('create:users'),
  owner: () => null,
  input: (t) => ({
    id: t.id({ description: 'The UUID to use; made when absent.' }),
    email: t.string({ description: 'Kept as typed; unique in its normal form.' }),
    emailVerified: t.boolean({ description: 'Whether the address is known to reach the person; false when absent.' }),
    phoneNumber: t.string({ description: 'With + and the country code; kept in E.164 form; unique.' }),
    phoneNumberVerified: t.boolean({ description: 'Whether the number is known to reach the person; false when absent.' }),
    username: t.string({ description: '1 to 64 characters without spaces and @; unique in any case.' }),
    externalId: t.string({ description: 'The key this person has in another system, 1 to 255 characters; unique.' }),
    password: t.string({
      description:
        'At least `serverInfo { signIn { passwordMinLength } }` characters, at most 1024 bytes, none that is common or little more than a name. Kept as an argon2id hash.',
    }),
    passwordHash: t.string({
      description: 'A hash from elsewhere instead: an argon2 PHC string, a bcrypt string, or another one of docs/old-passwords.md.',
    }),
    createdAt: t.field({ type: 'DateTime', description: 'When the user was created where they come from; now when absent.' }),
    profile: t.field({ type: ProfileInput, description: "The profile's attributes." }),
    userMetadata: t.field({ type: 'JSONObject', description: 'At most 16 KiB and 8 levels, keys of 1 to 64 characters.' }),
    appMetadata: t.field({
      type: 'JSONObject',
      access: scopes('update:users_app_metadata'),
      description: 'At most 16 KiB and 8 levels, keys of 1 to 64 characters.',
    }),
  }),
  payload: userPayload,
  run: (scope, input, { app }) => createUser({ ...scope, ...app.authentication }, input),
})

const administrator = scopes('update:users')
const himself = selfOr('update:users')

mutation<UpdateUserInput, { userId: string | null }>({
  name: 'updateUser',
  description:
    'Changes a user. One mutation for the user and for an administrator: what each may send is on the fields of the input. What is absent is left alone, null clears.',
  access: selfOr('update:users', 'update:users_app_metadata'),
  owner: ({ id }: UpdateUserInput, { principal }) => id?.toLowerCase() ?? principal.userId,
  input: (t) => ({
    id: t.id({ description: 'The user; absent: the caller.' }),
    email: t.string({
      access: himself,
      description:
        'The new address. From the user it needs `currentPassword` or `nonce`, and is asked for by mail: it becomes his when it is confirmed, from the old address too. From an administrator it stands at once, and is not verified unless `emailVerified` says so.',
    }),
    emailVerified: t.boolean({ access: administrator, description: 'False un-verifies.' }),
    phoneNumber: t.string({ access: administrator, description: 'A new number is not verified unless `phoneNumberVerified` says so.' }),
    phoneNumberVerified: t.boolean({ access: administrator, description: 'False un-verifies.' }),
    username: t.string({ access: administrator, description: '1 to 64 characters without spaces and @; unique in any case.' }),
    externalId: t.string({ access: administrator, description: 'The key this person has in another system; unique.' }),
    password: t.string({
      access: himself,
      description:
        'The new password. The user sends `currentPassword` or `nonce` with it. It ends all other sessions; null, from an administrator, takes the password away.',
    }),
    currentPassword: t.string({ access: himself, description: 'The password until now.' }),
    nonce: t.string({
      access: himself,
      description: 'The code of `requestReauthentication`, in place of `currentPassword`. It works once, for 5 minutes.',
    }),
    profile: t.field({ type: ProfileInput, access: himself, description: "The profile's attributes; null clears all." }),
    userMetadata: t.field({
      type: 'JSONObject',
      access: himself,
      description:
        'A patch, see `metadataMode`; null clears all. At most 16 KiB and 8 levels after the change, keys of 1 to 64 characters.',
    }),
    appMetadata: t.field({
      type: 'JSONObject',
      access: scopes('update:users_app_metadata'),
      description:
        'A patch, see `metadataMode`; null clears all. At most 16 KiB and 8 levels after the change, keys of 1 to 64 characters.',
    }),
    metadataMode: t.field({ type: MetadataMode, defaultValue: 'MERGE', access: everyone, description: 'How both bags are patched.' }),
    expectedVersion: t.int({ description: 'Refuse with VersionConflict unless the user still has this version.' }),
  }),
  payload: userPayload,
  run: (scope, input, { app }) => updateUser({ ...scope, ...app.authentication }, input),
})

mutation({
  name: 'deleteUser',
  description: 'Deletes a user and ends all sessions.',
  access: scopes('delete:users'),
  input: (t) => ({
    id: t.id({ required: true, description: 'The user.' }),
    mode: t.field({ type: DeleteMode, defaultValue: 'SOFT', description: 'How.' }),
  }),
  payload: userPayload,
  run: deleteUser,
})

mutation({
  name: 'restoreUser',
  description: 'Brings a softly deleted user back. The sessions stay ended.',
  access: scopes('delete:users'),
  input: (t) => ({ id: t.id({ required: true, description: 'The user.' }) }),
  payload: userPayload,
  run: restoreUser,
})

mutation({
  name: 'blockUser',
  description: 'Blocks a user, until a time, for a duration, or until lifted, and ends all sessions. A block that stands is replaced.',
  access: scopes('update:users'),
  input: (t) => ({
    id: t.id({ required: true, description: 'The user.' }),
    until: t.field({ type: 'DateTime', description: 'The end of the block. Not together with `duration`.' }),
    duration: t.field({ type: 'Duration', description: 'How long from now, ISO 8601: `P30D`, `PT12H`.' }),
    reason: t.string({ description: 'Why, for administrators; 1000 characters at most.' }),
  }),
  payload: userPayload,
  run: blockUser,
})

mutation({
  name: 'unblockUser',
  description: 'Lifts a block. A user that is not blocked stays as it is.',
  access: scopes('update:users'),
  input: (t) => ({ id: t.id({ required: true, description: 'The user.' }) }),
  payload: userPayload,
  run: unblockUser,
})
