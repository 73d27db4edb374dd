import { cancelJob } from '../domain/job/cancel-job.ts'
import type { ObjectFieldBuilder } from './builder.ts'
import { Job, jobReader } from './job.ts'
import { mutation, type PayloadShape } from './mutation.ts'

/** The job that a mutation made or changed. */
export function jobPayload(t: ObjectFieldBuilder<PayloadShape<{ jobId: string }>>) {
  return {
    job: t.prismaField({
      type: Job,
      nullable: true,
      description: 'The job as it stands now; null when nothing happened.',
      resolve: (query, { result }, _args, { app }) =>
        result === null ? null : app.database.prisma.job.findUnique({ ...query, where: { id: result.jobId } }),
    }),
  }
}

mutation({
  name: 'cancelJob',
  description: 'Ends a job. What it has done stays. One that has ended stays as it is.',
  access: jobReader,
  input: (t) => ({ id: t.id({ required: true, description: 'The job.' }) }),
  payload: jobPayload,
  run: (scope, input: { id: string }) => cancelJob(scope, input),
})
