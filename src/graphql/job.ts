import { RequestError } from '../domain/errors.ts'
import type { JobKind as JobKindName } from '../domain/job/claim-job.ts'
import { downloadPath } from '../domain/job/download-path.ts'
import { visibleJobs } from '../domain/job/visible-jobs.ts'
import { isUuid } from '../domain/normalize.ts'
import { scopes } from './access.ts'
import { builder } from './builder.ts'
import { connectionOf } from './connection.ts'
import { Node } from './node.ts'
import { idPageCost } from './page.ts'

/** Whoever may make jobs of a kind reads those of that kind, whoever made them. */
export const jobReader = scopes('import:users', 'export:users')

const JobKind = builder.enumType('JobKind', {
  description: 'What a job does.',
  values: { IMPORT: { description: 'It brings users in.' }, EXPORT: { description: 'It writes users out.' } },
})

const JobStatus = builder.enumType('JobStatus', {
  description: 'How a job is.',
  values: {
    PENDING: { description: 'It waits for its turn.' },
    RUNNING: { description: 'It is at work, or about to be taken up again.' },
    SUCCEEDED: { description: 'It has come to its end. Records that it refused are in its errors.' },
    FAILED: { description: 'It could not go on, for the reason in its errors. What it had done until then stays.' },
    CANCELLED: { description: 'It was cancelled. What it had done until then stays.' },
  },
})

const JobError = builder.prismaObject('JobError', {
  description: 'A record that a job refused, or why the job failed.',
  select: { id: true },
  fieldAccess: jobReader,
  fields: (t) => ({
    line: t.exposeInt('line', {
      description: 'The line of the file that the record begins in, from 1; 0 when it is about the job as a whole.',
    }),
    code: t.exposeString('code', { description: 'What is wrong, for programs: `INVALID_FORMAT`, `DUPLICATED_USER`.' }),
    path: t.exposeString('path', {
      nullable: true,
      description: 'The field of the record, as the file names it: `user_metadata.plan`. Null when it is about the record as a whole.',
    }),
    message: t.exposeString('message', { description: 'What is wrong, for people, in English. It quotes nothing of the record.' }),
  }),
})

const JobErrorConnection = connectionOf(JobError, 'JobError', 'A page of errors, in the order of the lines.')

/** Work that takes longer than a request. */
export const Job = builder.prismaObject('Job', {
  description: 'Work that takes longer than a request: an import or an export. It goes on when the process that does it ends.',
  interfaces: [Node],
  select: { id: true },
  fieldAccess: jobReader,
  fields: (t) => ({
    kind: t.field({ type: JobKind, description: 'What it does.', select: { kind: true }, resolve: ({ kind }) => kind as JobKindName }),
    status: t.field({
      type: JobStatus,
      description: 'How it is.',
      select: { status: true },
      resolve: ({ status }) => status as typeof JobStatus.$inferType,
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was asked for.' }),
    startedAt: t.expose('startedAt', { type: 'DateTime', nullable: true, description: 'When it was first taken up.' }),
    finishedAt: t.expose('finishedAt', { type: 'DateTime', nullable: true, description: 'When it ended, in whichever way.' }),
    processed: t.exposeInt('processed', { description: 'How many records it has looked at.' }),
    total: t.exposeInt('total', { nullable: true, description: 'How many records there are; null while nobody knows.' }),
    inserted: t.exposeInt('inserted', { description: 'How many users it has made; in a dry run, would have made.' }),
    updated: t.exposeInt('updated', { description: 'How many users it has changed; in a dry run, would have changed.' }),
    skipped: t.exposeInt('skipped', { description: 'How many records were there already as they are.' }),
    failed: t.exposeInt('failed', { description: 'How many records it has refused.' }),
    errors: t.relatedConnection(
      'errors',
      {
        cursor: 'id',
        totalCount: true,
        complexity: idPageCost,
        description: 'The records that were refused, in the order of the lines.',
        query: { orderBy: { id: 'asc' } },
      },
      JobErrorConnection,
    ),
    downloadUrl: t.field({
      type: 'URL',
      nullable: true,
      description:
        'Where what was exported is downloaded, with a token of `export:users`; null for an import, and before the export is done.',
      select: { id: true, kind: true, status: true },
      resolve: ({ id, kind, status }, _args, { app }) =>
        kind === 'EXPORT' && status === 'SUCCEEDED' ? `${app.accessTokens.issuer}${downloadPath(id)}` : null,
    }),
  }),
})

const JobConnection = connectionOf(Job, 'Job', 'A page of jobs, the newest first.')

builder.queryField('job', (t) =>
  t.prismaField({
    type: Job,
    nullable: true,
    access: jobReader,
    description: 'One job. Null when there is none; imports are for `import:users`, exports for `export:users`.',
    args: { id: t.arg.id({ required: true, description: "The job's id." }) },
    resolve: (query, _root, { id }, { app, principal }) =>
      app.database.prisma.job.findFirst({ ...query, where: { AND: [{ id: jobId(id) }, visibleJobs(principal)] } }),
  }),
)

builder.queryField('jobs', (t) =>
  t.prismaConnection(
    {
      type: Job,
      cursor: 'id',
      access: jobReader,
      complexity: idPageCost,
      description: 'Jobs, the newest first: imports with `import:users`, exports with `export:users`.',
      resolve: (query, _root, _args, { app, principal }) =>
        app.database.prisma.job.findMany({ ...query, where: visibleJobs(principal), orderBy: { id: 'desc' } }),
      totalCount: (_root, _args, { app, principal }) => app.database.prisma.job.count({ where: visibleJobs(principal) }),
    },
    JobConnection,
  ),
)

/** @throws {RequestError} BAD_USER_INPUT for what is no id */
export function jobId(id: string): string {
  if (!isUuid(id)) throw new RequestError('BAD_USER_INPUT', '`id` is not a UUID.', { field: 'id' })
  return id
}
