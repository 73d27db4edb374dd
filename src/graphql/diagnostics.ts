import type { Finding as FindingShape } from '../domain/diagnostics/finding.ts'
import { type Diagnostics as DiagnosticsShape, diagnose } from '../domain/diagnostics.ts'
import { scopes } from './access.ts'
import { builder, maxComplexity } from './builder.ts'

const reader = scopes('read:diagnostics')

const Severity = builder.enumType('Severity', {
  description: 'How bad something is.',
  values: {
    INFO: { description: 'Worth knowing.' },
    WARNING: { description: 'Some changes may fail, or go wrong.' },
    ERROR: { description: 'Changes fail, or Roster is not as it was installed.' },
  } as const,
})

const Finding = builder.objectRef<FindingShape>('Finding').implement({
  description: 'Something in the database that can make changes of users fail.',
  fieldAccess: reader,
  fields: (t) => ({
    severity: t.expose('severity', { type: Severity, description: 'How bad it is.' }),
    object: t.exposeString('object', { description: 'What it is, by name: `on_user_created on roster.users`.' }),
    kind: t.exposeString('kind', { description: 'What sort of thing: `trigger`, `foreign key`, `privilege`.' }),
    problem: t.exposeString('problem', { description: 'What is wrong with it.' }),
    fix: t.exposeString('fix', {
      description: 'What mends it: SQL for the owner of the tables to run; a comment where no statement can.',
    }),
  }),
})

const Diagnostics = builder.objectRef<DiagnosticsShape>('Diagnostics').implement({
  description: 'What in the database can make user changes fail: triggers, constraints and privileges on the user tables.',
  fieldAccess: reader,
  fields: (t) => ({
    ok: t.exposeBoolean('ok', { description: 'Whether nothing of severity ERROR was found.' }),
    findings: t.field({ type: [Finding], description: 'What was found, the worst first.', resolve: ({ findings }) => findings }),
  }),
})

builder.queryField('diagnostics', (t) =>
  t.field({
    type: Diagnostics,
    access: reader,
    // One of it is all that an operation may ask for.
    complexity: maxComplexity / 2 + 1,
    description:
      'Looks for what in the database can make changes of users fail, and tries each kind of change on a made-up user, in transactions that are rolled back. It takes up to some seconds; an operation asks for it once.',
    resolve: (_root, _args, { app, scope }) => diagnose({ db: scope.db, clock: scope.clock, passwords: app.authentication.passwords }),
  }),
)
