import type { Context } from '../context.ts'
import { type Change as ChangeShape, changesOf, type KeptChanges } from '../domain/difference.ts'
import { hasScope } from '../domain/principal.ts'
import { everyone, selfOr } from './access.ts'
import { builder } from './builder.ts'
import { connectionOf } from './connection.ts'
import { Node } from './node.ts'
import { User } from './user.ts'

const ActorKind = builder.enumType('ActorKind', {
  description: 'What kind of caller did it.',
  values: {
    USER: { description: 'A signed-in user.' },
    ADMIN: { description: 'An admin token, or a token of another issuer without a user.' },
    SYSTEM: { description: 'Roster itself: the command line, a sign-in that creates its user.' },
    ANONYMOUS: { description: 'Somebody without a token.' },
  },
})

type ActorShape = { actorKind: string; actorId: string | null }

const Actor = builder.objectRef<ActorShape>('Actor').implement({
  description: 'Who did it.',
  fieldAccess: everyone,
  fields: (t) => ({
    kind: t.field({
      type: ActorKind,
      description: 'What kind of caller.',
      resolve: ({ actorKind }) => actorKind as typeof ActorKind.$inferType,
    }),
    id: t.id({
      nullable: true,
      description: "The user's id, or the admin token's; null for a caller without one.",
      resolve: ({ actorId }) => actorId,
    }),
    user: t.prismaField({
      type: 'User',
      nullable: true,
      description: 'The user who did it; null for other callers, and when the user is gone.',
      resolve: (query, { actorKind, actorId }, _args, { app }) =>
        actorKind === 'USER' && actorId !== null
          ? app.database.users.findFirst({ ...query, where: { id: actorId, deletedAt: null } })
          : null,
    }),
  }),
})

/** One changed value, in history and in the answers that say what changes. */
export const Change = builder.objectRef<ChangeShape>('Change').implement({
  description: 'One changed value.',
  fieldAccess: everyone,
  fields: (t) => ({
    path: t.exposeString('path', { description: 'Where, as an RFC 6901 JSON Pointer into the record: `/userMetadata/plan`.' }),
    before: t.field({
      type: 'JSON',
      nullable: true,
      description: 'The value before; null when there was none.',
      resolve: ({ before }) => before,
    }),
    after: t.field({
      type: 'JSON',
      nullable: true,
      description: 'The value after; null when there is none.',
      resolve: ({ after }) => after,
    }),
  }),
})

/** What happened. */
export const AuditEvent = builder.prismaObject('AuditEvent', {
  description: 'What happened, written in the same transaction as the change. It stays when the user is gone, without what was personal.',
  interfaces: [Node],
  select: { id: true, userId: true, actorKind: true, actorId: true },
  owner: ({ userId }) => userId,
  fieldAccess: selfOr('read:logs'),
  fields: (t) => ({
    type: t.exposeString('type', { description: 'A noun and what happened to it: `user.updated`.' }),
    at: t.expose('at', { type: 'DateTime', description: 'When.' }),
    user: t.field({
      type: User,
      nullable: true,
      description: 'The user it happened to; null when it happened to something else, or the user is deleted.',
      select: (_args, _context, nested) => ({ user: nested({ select: { id: true, deletedAt: true } }) }),
      resolve: ({ user }) => (user?.deletedAt === null ? user : null),
    }),
    subjectId: t.exposeID('subjectId', { nullable: true, description: 'The id of what it happened to; it stays when that is gone.' }),
    actor: t.field({ type: Actor, description: 'Who did it.', resolve: (event) => event }),
    ip: t.string({
      nullable: true,
      description:
        'The address it was done from. A user sees it for what they did themselves, and for what somebody without a token tried in their name.',
      select: { ip: true },
      resolve: (event, _args, context) => (mayTrace(event, context) ? event.ip : null),
    }),
    userAgent: t.string({
      nullable: true,
      description:
        'The `User-Agent` it was done with. A user sees it for what they did themselves, and for what somebody without a token tried in their name.',
      select: { userAgent: true },
      resolve: (event, _args, context) => (mayTrace(event, context) ? event.userAgent : null),
    }),
    requestId: t.exposeString('requestId', { nullable: true, description: 'The request, as the logs name it; null when there was none.' }),
    connection: t.exposeString('connection', {
      nullable: true,
      description: 'The key of the connection it was done through; null when there was none.',
    }),
    application: t.exposeString('application', {
      nullable: true,
      description: 'The application it was done with; null when there was none.',
    }),
    success: t.exposeBoolean('success', { description: 'Whether it was done, or only tried.' }),
    changes: t.field({
      type: [Change],
      description: 'Field by field, secrets left out; `appMetadata` only with `read:users_app_metadata`.',
      select: { changes: true },
      resolve: ({ changes }, _args, { principal }) =>
        visibleChanges(changesOf(changes as KeptChanges), hasScope(principal, 'read:users_app_metadata')),
    }),
  }),
})

/** A page of events. */
export const AuditEventConnection = connectionOf(AuditEvent, 'AuditEvent', 'A page of events, the newest first.')

/** Where an administrator sits is no business of the user's; where somebody tried the user's password is. */
function mayTrace({ actorKind, actorId }: ActorShape, { principal }: Context): boolean {
  return hasScope(principal, 'read:logs') || actorKind === 'ANONYMOUS' || (actorKind === 'USER' && actorId === principal.userId)
}

/** Changes without those that the caller may not read. */
export function visibleChanges(changes: readonly ChangeShape[], withAppMetadata: boolean): readonly ChangeShape[] {
  return withAppMetadata ? changes : changes.filter(({ path }) => path !== '/appMetadata' && !path.startsWith('/appMetadata/'))
}
