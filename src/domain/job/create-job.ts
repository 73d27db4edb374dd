import type { Prisma } from '../../generated/prisma/client.ts'
import type { Changed, ChangeScope } from '../change.ts'
import type { Json } from '../difference.ts'
import { newId } from '../id.ts'
import type { JobKind } from './claim-job.ts'
import { writeCaller } from './job-caller.ts'

/** What is to be done. */
export type NewJob = Readonly<{
  kind: JobKind
  /** What the kind's handler takes, without secrets. History shows it. */
  input: Prisma.InputJsonObject
  /** False for a job that the calling command does itself. */
  served?: boolean
}>

/** Queues a job, inside the change that asks for it: `job.created`. */
export async function insertJob(
  { db, now, caller }: ChangeScope,
  { kind, input, served = true }: NewJob,
): Promise<Changed<{ jobId: string }>> {
  const id = newId()
  const data = { id, kind, status: 'PENDING', input, caller: writeCaller(caller), served, createdAt: now }
  await db.job.create({ data, select: { id: true } })
  return { result: { jobId: id }, subjectId: id, before: null, after: { kind, input: input as Json } }
}
