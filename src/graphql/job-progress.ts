import { RequestError } from '../domain/errors.ts'
import { watchJob } from '../domain/job/watch-job.ts'
import { builder } from './builder.ts'
import { Job, jobId, jobReader } from './job.ts'

builder.subscriptionField('jobProgress', (t) =>
  t.prismaField({
    type: Job,
    access: jobReader,
    description:
      'A job, as it is now and each time it gets on, twice a second at the most, until it has ended. It is answered as `text/event-stream`. NOT_FOUND when there is no such job; imports are for `import:users`, exports for `export:users`.',
    args: { id: t.arg.id({ required: true, description: "The job's id." }) },
    subscribe: (_root, { id }, { app, principal, unsubscribed }) =>
      watchJob({ db: app.database.prisma, principal, signal: unsubscribed }, jobId(id)),
    resolve: (query, _root, { id }, { app }) =>
      app.database.prisma.job.findUniqueOrThrow({ ...query, where: { id } }).catch((error: unknown) => {
        throw new RequestError('NOT_FOUND', 'The job is gone.', {}, error)
      }),
  }),
)
