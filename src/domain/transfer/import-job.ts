import type { CopyRows } from '../../database/copy-rows.ts'
import type { PrismaClient } from '../../generated/prisma/client.ts'
import type { Clock } from '../../ports/clock.ts'
import type { ClaimedJob } from '../job/claim-job.ts'
import type { JobHandler } from '../job/run-job.ts'
import type { WeakHashes } from './check/check-record.ts'
import { type ImportCheckpoint, type ImportState, nothingDone } from './import-parts.ts'
import { importUsers } from './import-users.ts'
import type { ImportJobInput } from './request-import.ts'
import { readUpload } from './upload.ts'

type Parts = Readonly<{
  db: PrismaClient
  copyRows: CopyRows
  clock: Clock
  batchSize: number
  weakHashes: WeakHashes
  onRetry?: () => void
  giveWay: () => Promise<unknown>
}>

/** Does the imports that were asked for over the API. */
export function createImportHandler({ db, copyRows, clock, batchSize, weakHashes, onRetry, giveWay }: Parts): JobHandler {
  return async (run) => {
    const { upload, ...options } = run.job.input as unknown as ImportJobInput
    const state = await importUsers({
      scope: { db, copyRows, clock, caller: run.caller, ...(onRetry ? { onRetry } : {}) },
      options: { ...options, weakHashes },
      file: readUpload(db, upload),
      run,
      state: stateOf(run.job),
      batchSize,
      giveWay,
    })
    await run.save(db, { ...state, total: state.processed })
  }
}

/** Where a job was left. */
export function stateOf({ checkpoint, processed, total, inserted, updated, skipped, failed }: ClaimedJob): ImportState {
  if (checkpoint === null) return nothingDone
  return { processed, total, inserted, updated, skipped, failed, checkpoint: checkpoint as unknown as ImportCheckpoint }
}

/** Users that are written in one transaction. PGlite lets nobody else work meanwhile, and PostgreSQL takes some tenths of a second. */
export function importBatchSize(engine: 'postgresql' | 'pglite'): number {
  return engine === 'pglite' ? 50 : 500
}
