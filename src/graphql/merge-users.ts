import { type Merged, type MergeUsersInput, mergeUsers } from '../domain/merge-users.ts'
import { hasScope } from '../domain/principal.ts'
import { scopes } from './access.ts'
import { Change, visibleChanges } from './audit-event.ts'
import { builder, type ObjectFieldBuilder } from './builder.ts'
import { mutation, type PayloadShape } from './mutation.ts'
import { sessionsEnded } from './session-mutations.ts'
import { userPayload } from './user-payload.ts'

const MetadataMerge = builder.enumType('MetadataMerge', {
  description: 'How the metadata of two users become one.',
  values: {
    KEEP_TARGET: { description: "The target's stays as it is." },
    PREFER_TARGET: { description: "The first-level keys of both; where both have one, the target's." },
    PREFER_SOURCE: { description: "The first-level keys of both; where both have one, the source's." },
  },
})

const reader = scopes('read:users')

mutation({
  name: 'mergeUsers',
  description:
    'Makes two users one: the source is merged into the target and removed. Its identities move; its e-mail address, phone number, username, external id and password do where the target has none; profile attributes do where the target has none, or a person edited them at the source only. Its sessions end. Its history is read with that of the target. A block that stands on either stands. Rows of host tables that refer to the source go with it where their foreign key says so, and answer DeleteBlocked otherwise.',
  access: scopes('update:users', 'delete:users'),
  input: (t) => ({
    sourceUserId: t.id({ required: true, access: scopes('delete:users'), description: 'The user who goes.' }),
    targetUserId: t.id({ required: true, access: scopes('update:users'), description: 'The user who stays.' }),
    userMetadata: t.field({ type: MetadataMerge, defaultValue: 'PREFER_TARGET', description: "What becomes of both's `userMetadata`." }),
    appMetadata: t.field({
      type: MetadataMerge,
      access: scopes('update:users_app_metadata'),
      description: "What becomes of both's `appMetadata`; KEEP_TARGET when absent.",
    }),
    dryRun: t.boolean({ defaultValue: false, description: 'Answers what would happen, and changes nothing.' }),
  }),
  payload: (t: ObjectFieldBuilder<PayloadShape<Merged>>) => ({
    ...userPayload(t),
    changes: t.field({
      type: [Change],
      nullable: true,
      access: reader,
      description:
        'What becomes of the target, as its history says it; null when it cannot happen. `appMetadata` only with `read:users_app_metadata`.',
      resolve: ({ result }, _args, { principal }) =>
        result && visibleChanges(result.changes, hasScope(principal, 'read:users_app_metadata')),
    }),
    discarded: t.field({
      type: [Change],
      nullable: true,
      access: reader,
      description:
        'What of the source is lost: `before` is the value there, `after` what the target has in its place; null when it cannot happen.',
      resolve: ({ result }, _args, { principal }) =>
        result && visibleChanges(result.discarded, hasScope(principal, 'read:users_app_metadata')),
    }),
    sessionsEnded: sessionsEnded(t),
  }),
  run: (scope, input: MergeUsersInput, { app }) => mergeUsers({ ...scope, ...app.authentication }, input),
})
