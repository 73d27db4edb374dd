import type { FieldMap } from '@pothos/core'
import { type CreateConnectionInput, createConnection } from '../domain/connection/create-connection.ts'
import { deleteConnection } from '../domain/connection/delete-connection.ts'
import { type UpdateConnectionInput, updateConnection } from '../domain/connection/update-connection.ts'
import { scopes } from './access.ts'
import type { InputObjectFieldBuilder, ObjectFieldBuilder } from './builder.ts'
import { Connection, ConnectionStrategy, ProfileSync } from './connections.ts'
import { mutation, type PayloadShape } from './mutation.ts'

type Payload = ObjectFieldBuilder<PayloadShape<{ connectionId: string }>>

const access = scopes('update:connections')

function connectionPayload(t: Payload): FieldMap {
  return {
    connection: t.prismaField({
      type: Connection,
      nullable: true,
      description: 'The connection after the change; null when it did not happen, or the connection is gone.',
      resolve: (query, { result }, _args, { app }) =>
        result === null ? null : app.database.prisma.connection.findUnique({ ...query, where: { id: result.connectionId } }),
    }),
  }
}

/** What may be set at any time. */
function settings(t: InputObjectFieldBuilder) {
  return {
    displayName: t.string({ description: "What people see: 1 to 100 characters; the provider's name when it is not said." }),
    enabled: t.boolean({ description: 'Whether people can sign in with it; true when it is not said.' }),
    clientSecret: t.string({ description: 'What Roster shows the provider: 1 to 8192 characters. It is sealed and cannot be read again.' }),
    scopes: t.stringList({ description: 'What the provider is asked for; `openid profile email` or their like when it is not said.' }),
    profileSync: t.field({ type: ProfileSync, description: 'When a sign-in writes the profile; ON_FIRST_SIGN_IN when it is not said.' }),
    attributeMap: t.field({ type: 'JSONObject', description: "By the profile's attributes: a JSON Pointer into the claims, or null." }),
    linkByVerifiedEmail: t.boolean({
      description:
        'Whether it is linked to an existing user when both sides hold the same verified e-mail address; false when it is not said.',
    }),
    verifierUrl: t.string({
      description: 'For PASSWORD, which needs it: the https URL of the old system that is asked. `clientSecret` is its bearer token.',
    }),
    allowSignUp: t.boolean({ description: 'Whether somebody who is not known becomes a user; true when it is not said.' }),
  }
}

mutation<CreateConnectionInput, { connectionId: string }>({
  name: 'createConnection',
  description: 'Makes a connection to a provider.',
  access,
  input: (t) => ({
    key: t.string({ required: true, description: '1 to 63 lower-case letters, digits, dashes and underscores; unique. It never changes.' }),
    strategy: t.field({ type: ConnectionStrategy, required: true, description: 'How it signs people in. It never changes.' }),
    issuer: t.string({
      description: 'The https URL of the OpenID provider, for OIDC, and for MICROSOFT where it is one tenant. It never changes.',
    }),
    clientId: t.string({ description: 'What the provider knows Roster by: 1 to 255 characters. Required, but for PASSWORD.' }),
    ...settings(t),
  }),
  payload: connectionPayload,
  run: (scope, input, { app }) => createConnection({ ...scope, ...app.authentication }, input),
})

mutation<UpdateConnectionInput, { connectionId: string }>({
  name: 'updateConnection',
  description: 'Changes a connection. What is absent is left alone; null is what a new connection has.',
  access,
  input: (t) => ({
    id: t.id({ required: true, description: 'The connection.' }),
    clientId: t.string({ description: 'What the provider knows Roster by: 1 to 255 characters.' }),
    ...settings(t),
  }),
  payload: connectionPayload,
  run: (scope, input, { app }) => updateConnection({ ...scope, ...app.authentication }, input),
})

mutation({
  name: 'deleteConnection',
  description: 'Deletes a connection that no identity is of.',
  access,
  input: (t) => ({ id: t.id({ required: true, description: 'The connection.' }) }),
  payload: connectionPayload,
  run: (scope, input: { id: string }) => deleteConnection(scope, input),
})
