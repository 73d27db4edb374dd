import { standingSessions } from '../domain/session.ts'
import { selfOr } from './access.ts'
import { AuditEventConnection } from './audit-event.ts'
import { builder } from './builder.ts'
import { idPageCost } from './page.ts'
import { SessionConnection } from './session.ts'
import { User } from './user.ts'

builder.prismaObjectFields(User, (t) => ({
  sessions: t.relatedConnection(
    'sessions',
    {
      cursor: 'id',
      totalCount: true,
      access: selfOr('read:sessions'),
      complexity: idPageCost,
      description: 'Where the user is signed in now, the newest first.',
      query: (_args, { app }) => ({
        where: standingSessions(app.authentication.sessionLifetime, app.clock.now()),
        orderBy: { id: 'desc' },
      }),
    },
    SessionConnection,
  ),
  history: t.relatedConnection(
    'auditEvents',
    {
      cursor: 'id',
      totalCount: true,
      access: selfOr('read:logs'),
      complexity: idPageCost,
      description: 'What happened to the user, the newest first.',
      query: { orderBy: { id: 'desc' } },
    },
    AuditEventConnection,
  ),
}))
