import { change } from '../change.ts'
import { DomainError } from '../errors.ts'
import { isUuid } from '../normalize.ts'
import type { Scope } from '../scope.ts'
import { visibleJobs } from './visible-jobs.ts'

/**
 * Ends a job. What it has done stays; what it is doing just now is not committed any more. One that has ended stays as it is. Writes
 * `job.cancelled`.
 * @throws {DomainError} JOB_NOT_FOUND when there is none, or none that the caller may know of
 */
export async function cancelJob(scope: Scope, { id }: { id: string }): Promise<{ jobId: string }> {
  return change(scope, 'job.cancelled', async ({ db, now, caller }) => {
    const where = { AND: [{ id }, visibleJobs(caller.principal)] }
    const before = isUuid(id) ? await db.job.findFirst({ where, select: { id: true, status: true } }) : null
    if (before === null) throw jobNotFound()
    const data = { status: 'CANCELLED', finishedAt: now, leasedUntil: null }
    const { count } = await db.job.updateMany({ where: { id: before.id, finishedAt: null }, data })
    const status = count > 0 ? data.status : before.status
    return { result: { jobId: before.id }, subjectId: before.id, before: { status: before.status }, after: { status } }
  })
}

function jobNotFound(): DomainError<'JOB_NOT_FOUND'> {
  return new DomainError('JOB_NOT_FOUND', 'There is no such job.', ['input', 'id'], {})
}
