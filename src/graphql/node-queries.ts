import type { App } from '../app.ts'
import { RequestError } from '../domain/errors.ts'
import { visibleJobs } from '../domain/job/visible-jobs.ts'
import { isUuid } from '../domain/normalize.ts'
import { hasScope, type PermissionScope, type Principal } from '../domain/principal.ts'
import { standingSessions } from '../domain/session.ts'
import { maxPageSize } from '../domain/user-page.ts'
import type { PrismaClient } from '../generated/prisma/client.ts'
import { selfOr } from './access.ts'
import { builder } from './builder.ts'
import { Node } from './node.ts'
import { visibleUsers } from './user-queries.ts'

type Found = { id: string }
type Find = (db: PrismaClient, ids: string[], principal: Principal, app: App) => Promise<Found[]>

/** Every type with an id, and those of its rows that a caller may know of. */
const finders: { readonly [Typename: string]: Find } = {
  User: (db, ids, principal) => db.user.findMany({ where: { AND: [{ id: { in: ids } }, visibleUsers(principal)] }, select: { id: true } }),
  Identity: (db, ids, principal) =>
    db.identity.findMany({ where: { id: { in: ids }, user: visibleUsers(principal) }, select: { id: true, userId: true } }),
  Session: (db, ids, principal, { authentication, clock }) =>
    db.session.findMany({
      where: {
        AND: [{ id: { in: ids } }, standingSessions(authentication.sessionLifetime, clock.now()), ownOr('read:sessions', principal)],
      },
      select: { id: true, userId: true },
    }),
  AuditEvent: (db, ids, principal) =>
    db.auditEvent.findMany({
      where: { id: { in: ids }, ...ownOr('read:logs', principal) },
      select: { id: true, userId: true, actorKind: true, actorId: true },
    }),
  Connection: async (db, ids, principal) =>
    hasScope(principal, 'read:connections') ? db.connection.findMany({ where: { id: { in: ids } }, select: { id: true } }) : [],
  Job: (db, ids, principal) => db.job.findMany({ where: { id: { in: ids }, ...visibleJobs(principal) }, select: { id: true } }),
  AdminToken: async (db, ids, principal) =>
    hasScope(principal, 'read:admin_tokens') ? db.adminToken.findMany({ where: { id: { in: ids } }, select: { id: true } }) : [],
}

const access = selfOr('read:users', 'read:sessions', 'read:logs', 'read:connections', 'read:admin_tokens', 'import:users', 'export:users')

builder.queryField('node', (t) =>
  t.field({
    type: Node,
    nullable: true,
    access,
    description: 'Anything by its id. Null when there is nothing, or nothing the caller may know of.',
    args: { id: t.arg.id({ required: true, description: 'The id.' }) },
    resolve: async (_root, { id }, { app, principal }) => (await findNodes(app, [id], principal, 'id'))[0] ?? null,
  }),
)

builder.queryField('nodes', (t) =>
  t.field({
    type: [Node],
    nullable: { list: false, items: true },
    access,
    complexity: ({ ids }) => ({ field: 1, multiplier: Math.max(ids.length, 1) }),
    description: `Things by their ids, in the order of the ids, ${maxPageSize} at most. Null where there is nothing, or nothing the caller may know of.`,
    args: { ids: t.arg.idList({ required: true, description: 'The ids.' }) },
    resolve: (_root, { ids }, { app, principal }) => {
      if (ids.length > maxPageSize) throw new RequestError('BAD_USER_INPUT', `\`ids\` may name ${maxPageSize} at most.`, { field: 'ids' })
      return findNodes(app, ids, principal, 'ids')
    },
  }),
)

async function findNodes(app: App, ids: readonly string[], principal: Principal, field: string): Promise<(Found | null)[]> {
  if (!ids.every(isUuid)) throw new RequestError('BAD_USER_INPUT', `\`${field}\` must be UUIDs.`, { field })
  const rows = await Promise.all(
    Object.entries(finders).map(async ([__typename, find]) =>
      (await find(app.database.prisma, [...ids], principal, app)).map((row) => ({ ...row, __typename })),
    ),
  )
  const found = new Map(rows.flat().map((row) => [row.id, row]))
  return ids.map((id) => found.get(id.toLowerCase()) ?? null)
}

/** The caller's own rows, or everybody's with the scope. */
function ownOr(scope: PermissionScope, principal: Principal): { userId?: string } | { id: { in: string[] } } {
  if (hasScope(principal, scope)) return {}
  return principal.userId === null ? { id: { in: [] } } : { userId: principal.userId }
}
