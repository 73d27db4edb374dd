import { setTimeout as delay } from 'node:timers/promises'
import { change } from '../domain/change.ts'
import { type ClaimedJob, claimJob, leaseSeconds } from '../domain/job/claim-job.ts'
import { insertJob } from '../domain/job/create-job.ts'
import { runJob } from '../domain/job/run-job.ts'
import { stateOf } from '../domain/transfer/import-job.ts'
import type { ImportParts, ImportState } from '../domain/transfer/import-parts.ts'
import { importUsers } from '../domain/transfer/import-users.ts'
import type { Prisma } from '../generated/prisma/client.ts'
import { createLogger } from '../ports/logger.ts'
import type { ImportFile } from './import-file.ts'
import { CommandError, type Terminal } from './terminal.ts'

type Parts = Omit<ImportParts, 'run' | 'state'> &
  Readonly<{ terminal: Terminal; identity: ImportFile; engine: 'postgresql' | 'pglite'; signal: AbortSignal }>

/**
 * Does an import as a job of the command's own, so that it can be taken up again: the same file with the same options goes on where a
 * run before it was stopped or killed.
 * @throws {CommandError} when it does not come to its end
 */
export async function importAsJob(parts: Parts): Promise<ImportState> {
  const { scope, signal } = parts
  const job = await findOrMakeJob(parts)
  const begun = stateOf(job)
  if (begun.processed > 0) parts.terminal.printError(`Going on after ${begun.processed.toLocaleString('en-US')} records.\n`)
  let state = begun
  const handler = async (run: Parameters<Parameters<typeof runJob>[0]['handlers']['IMPORT'] & object>[0]): Promise<void> => {
    state = await importUsers({ ...parts, run, state })
    await run.save(scope.db, { ...state, total: state.processed })
  }
  const end = await runJob({ db: scope.db, clock: scope.clock, logger: createLogger('silent'), handlers: { IMPORT: handler } }, job, signal)
  if (end === 'SUCCEEDED') return state
  throw await failure(parts, job.id, end)
}

async function findOrMakeJob({ scope, options, identity, engine, terminal, signal }: Parts): Promise<ClaimedJob> {
  const { dryRun: _, ...kept } = options
  const input = { ...kept, matchOn: [...options.matchOn], file: identity } satisfies Prisma.InputJsonObject
  const now = scope.clock.now()
  const where = { kind: 'IMPORT', served: false, finishedAt: null, input: { equals: input } }
  const open = await scope.db.job.findFirst({ where, select: { id: true }, orderBy: { id: 'desc' } })
  if (open === null) {
    const { jobId } = await change(scope, 'job.created', (tx) => insertJob(tx, { kind: 'IMPORT', input, served: false }))
    return claimed(await claimJob(scope.db, { id: jobId, now }))
  }
  // The embedded database has one process at a time: whoever had the job is gone.
  if (engine === 'pglite') await scope.db.job.update({ where: { id: open.id }, data: { leasedUntil: null }, select: { id: true } })
  const job = await claimJob(scope.db, { id: open.id, now })
  if (job !== null) return job
  terminal.printError(`A run of this import was killed, or is at work: waiting for ${leaseSeconds} seconds at the most.\n`)
  for (let waited = 0; waited <= leaseSeconds && !signal.aborted; waited++) {
    await delay(1000)
    const freed = await claimJob(scope.db, { id: open.id, now })
    if (freed !== null) return freed
  }
  return claimed(null)
}

function claimed(job: ClaimedJob | null): ClaimedJob {
  if (job === null) throw new CommandError('This import is at work elsewhere.', 1)
  return job
}

async function failure({ scope }: Parts, jobId: string, end: string): Promise<CommandError> {
  if (end === 'released') return new CommandError('Stopped. Run the same command again to go on.', 1)
  if (end === 'lost') return new CommandError('The import was cancelled, or is at work elsewhere.', 1)
  const problem = await scope.db.jobError.findFirst({ where: { jobId }, orderBy: { id: 'desc' } })
  return new CommandError(`The import failed: ${problem?.message ?? ''} (${problem?.code ?? ''})`, 1)
}
