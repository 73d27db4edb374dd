import type { Context } from '../context.ts'
import { createAdminToken, revokeAdminToken } from '../domain/admin-token.ts'
import { durationSeconds } from '../domain/duration.ts'
import type { Scope } from '../domain/scope.ts'
import { scopes } from './access.ts'
import { builder, type ObjectFieldBuilder } from './builder.ts'
import { connectionOf } from './connection.ts'
import { mutation, type PayloadShape } from './mutation.ts'
import { Node } from './node.ts'
import { idPageCost } from './page.ts'

const reader = scopes('read:admin_tokens')

/** A token without a user. */
export const AdminToken = builder.prismaObject('AdminToken', {
  description: 'A token without a user, for administrators and back ends. Its text was answered once, when it was made.',
  interfaces: [Node],
  select: { id: true },
  fieldAccess: scopes('read:admin_tokens', 'update:admin_tokens'),
  fields: (t) => ({
    name: t.exposeString('name', { description: 'What it is for.' }),
    scopes: t.exposeStringList('scopes', { description: 'What it may be used for.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', nullable: true, description: 'When it ends by itself.' }),
    lastUsedAt: t.expose('lastUsedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was last used, to the minute; null before the first time.',
    }),
    revokedAt: t.expose('revokedAt', { type: 'DateTime', nullable: true, description: 'When it was revoked; null while it stands.' }),
  }),
})

const AdminTokenConnection = connectionOf(AdminToken, 'AdminToken', 'A page of admin tokens, the newest first.')

builder.queryField('adminTokens', (t) =>
  t.prismaConnection(
    {
      type: AdminToken,
      cursor: 'id',
      access: reader,
      complexity: idPageCost,
      description: 'Admin tokens, the newest first, those that ended included.',
      resolve: (query, _root, _args, { app }) => app.database.prisma.adminToken.findMany({ ...query, orderBy: { id: 'desc' } }),
      totalCount: (_root, _args, { app }) => app.database.prisma.adminToken.count(),
    },
    AdminTokenConnection,
  ),
)

type Payload = ObjectFieldBuilder<PayloadShape<{ adminToken: { id: string }; token?: string }>>

function adminTokenPayload(t: Payload) {
  return {
    adminToken: t.prismaField({
      type: AdminToken,
      nullable: true,
      description: 'The token as it stands now; null when nothing happened.',
      resolve: (query, { result }, _args, { app }) =>
        result === null ? null : app.database.prisma.adminToken.findUnique({ ...query, where: { id: result.adminToken.id } }),
    }),
  }
}

mutation({
  name: 'createAdminToken',
  description: "Makes an admin token. The token itself is answered once. Scopes beyond the caller's own are FORBIDDEN.",
  access: scopes('update:admin_tokens'),
  input: (t) => ({
    name: t.string({ required: true, description: 'What it is for: 1 to 100 characters.' }),
    scopes: t.stringList({
      required: true,
      description: 'What it may be used for: one or more of the scopes, none that the caller does not hold.',
    }),
    expiresIn: t.field({ type: 'Duration', description: 'How long it lives, ISO 8601: a minute to 400 days; 90 days when absent.' }),
  }),
  payload: (t: Payload) => ({
    ...adminTokenPayload(t),
    token: t.string({
      nullable: true,
      description: 'The token, to be sent as `Authorization: Bearer`. It is not kept and cannot be asked for again.',
      resolve: ({ result }) => result?.token ?? null,
    }),
  }),
  run: async (scope: Scope, { expiresIn, ...input }: { name: string; scopes: string[]; expiresIn?: string | null }, { app }: Context) =>
    createAdminToken(
      { ...scope, accessTokens: app.accessTokens },
      { ...input, expiresInSeconds: expiresIn ? durationSeconds(expiresIn, scope.clock.now()) : null },
    ),
})

mutation({
  name: 'revokeAdminToken',
  description: 'Ends an admin token; it is refused at its next request. One that has ended stays as it is.',
  access: scopes('update:admin_tokens'),
  input: (t) => ({ id: t.id({ required: true, description: 'The token.' }) }),
  payload: adminTokenPayload,
  run: async (scope, { id }: { id: string }) => ({ adminToken: await revokeAdminToken(scope, id) }),
})
