import type { BulkScope } from '../change.ts'
import type { JobRun } from '../job/run-job.ts'
import type { JobProblem, JobState } from '../job/save-job.ts'
import type { ImportOptions } from './import-options.ts'
import type { Chunks } from './read/raw-record.ts'
import type { RefusedRecord } from './write/write-records.ts'

/** Where an import is to be taken up again. */
export type ImportCheckpoint = Readonly<{
  /** Records of the file that are done. */
  records: number
  /** How far into the file that is, in bytes, and the line of the last of them. */
  bytes: number
  line: number
  /** How much was written of the refused records. */
  refusedBytes: number
}>

/** How far an import is. */
export type ImportState = Omit<JobState, 'checkpoint' | 'problems'> & Readonly<{ checkpoint: ImportCheckpoint }>

/** What an import works with. */
export type ImportParts = Readonly<{
  scope: BulkScope
  options: ImportOptions
  file: Chunks
  run: Pick<JobRun, 'save' | 'signal'>
  /** Where it was left, or nothing done. */
  state: ImportState
  /** Lets others have a turn; resolves when it may go on. */
  giveWay: () => Promise<unknown>
  /** Records that are written in one transaction. */
  batchSize: number
  /** Keeps refused records as they stand in the file, from this place on, and answers where they end. It may come again. */
  keepRefused?: (refused: readonly RefusedRecord[], headers: Buffer | null, position: number) => Promise<number>
  /** Told of what is committed. */
  onProgress?: (state: ImportState, problems: readonly JobProblem[]) => void
}>

/** Before the first record. */
export const nothingDone: ImportState = {
  ...{ processed: 0, total: null, inserted: 0, updated: 0, skipped: 0, failed: 0 },
  checkpoint: { records: 0, bytes: 0, line: 0, refusedBytes: 0 },
}
