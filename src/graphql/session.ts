import { deviceName } from '../domain/session/device.ts'
import { selfOr } from './access.ts'
import { builder } from './builder.ts'
import { connectionOf } from './connection.ts'
import { Node } from './node.ts'

/** A signed-in device of a user. */
export const Session = builder.prismaObject('Session', {
  description: 'A signed-in device of a user.',
  interfaces: [Node],
  select: { id: true, userId: true },
  owner: ({ userId }) => userId,
  fieldAccess: selfOr('read:sessions'),
  fields: (t) => ({
    user: t.relation('user', { description: 'Who is signed in.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the user signed in.' }),
    lastUsedAt: t.expose('lastUsedAt', { type: 'DateTime', description: 'When the session was last renewed.' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'When it ends at the latest.' }),
    ip: t.exposeString('ip', { nullable: true, description: 'The address the user signed in from.' }),
    userAgent: t.exposeString('userAgent', { nullable: true, description: 'The `User-Agent` the user signed in with.' }),
    device: t.string({
      nullable: true,
      description:
        'What the user signed in with, for people to recognise: `Firefox on Windows`, `Safari on iPhone`. Null when it cannot be told.',
      select: { userAgent: true },
      resolve: ({ userAgent }) => deviceName(userAgent),
    }),
    aal: t.exposeString('aal', { description: 'Authenticator assurance level: `aal1`, `aal2`.' }),
    amr: t.exposeStringList('amr', { description: 'How the user signed in: authentication method references, RFC 8176.' }),
    connection: t.exposeString('connection', {
      nullable: true,
      description: 'The key of the connection that was used; null when there was none.',
    }),
    current: t.boolean({
      description: 'Whether this very request was made in it.',
      resolve: ({ id }, _args, { principal }) => id === principal.sessionId,
    }),
  }),
})

/** A page of sessions. */
export const SessionConnection = connectionOf(Session, 'Session', 'A page of sessions, the newest first.')
