import { postgresError } from '../../database/errors.ts'
import { changeMany } from '../change.ts'
import { DomainError, RequestError } from '../errors.ts'
import { JobFailedError, type JobProblem } from '../job/save-job.ts'
import type { FormatReader } from './format-reader.ts'
import type { ImportParts, ImportState } from './import-parts.ts'
import type { PreparedRecord } from './prepare-record.ts'
import type { Problem } from './problem.ts'
import { type RefusedRecord, writeRecords } from './write/write-records.ts'

/** As much text as one transaction takes. */
const batchBytes = 2 * 2 ** 20
/** As many records as are looked for at once: those who are there already are compared without a turn of anybody else in between. */
const mostLookedFor = 75

type Writing = Readonly<{
  format: FormatReader['format']
  headers: Buffer | null
  /** Whether it is looked first who is there already: not as long as nobody was. */
  mode: { looksFirst: boolean }
}>

/**
 * Writes one batch after the other, each in a transaction of its own, while more are read: one may wait, full, so that the database need
 * not. A record that the database refuses is found by halves.
 */
export function createBatches(parts: ImportParts, writing: Writing) {
  let state = parts.state
  let batch: PreparedRecord[] = []
  let bytes = 0
  let last: Promise<void> = Promise.resolve()
  let atWork = last
  const write = async (): Promise<void> => {
    await atWork
    const full = batch
    batch = []
    bytes = 0
    atWork = last
    last = last.then(async () => {
      state = await writeBatch(parts, writing, state, full)
    })
    // It is waited for before the next one but one; until then nobody has to hear of its failure.
    last.catch(() => {})
  }
  return {
    add: async (prepared: PreparedRecord): Promise<void> => {
      // Identities are of users who are there: those of the same file go in before them.
      if (isOfIdentities(batch.at(-1)) !== isOfIdentities(prepared) && batch.length > 0) await write()
      batch.push(prepared)
      bytes += prepared.bytes?.length ?? 0
      const most = writing.mode.looksFirst ? Math.min(mostLookedFor, parts.batchSize) : parts.batchSize
      if (batch.length >= most || bytes >= batchBytes) await write()
    },
    settled: () => last.catch(() => {}),
    finish: async (): Promise<ImportState> => {
      await write()
      await last
      return state
    },
  }
}

function isOfIdentities(prepared: PreparedRecord | undefined): boolean {
  return prepared?.problems === null && prepared.isOfIdentities
}

async function writeBatch(
  parts: ImportParts,
  writing: Writing,
  state: ImportState,
  batch: readonly PreparedRecord[],
): Promise<ImportState> {
  if (batch.length === 0) return state
  parts.run.signal.throwIfAborted()
  const looksFirst = writing.mode.looksFirst || isOfIdentities(batch[0])
  try {
    return await writePiece(parts, { ...writing, looksFirst }, state, batch)
  } catch (error) {
    const problem = refusalOf(error)
    if (problem === null) throw error
    // Somebody is there already; and who else is, in the rest of the file, is looked for at once.
    writing.mode.looksFirst = true
    if (!looksFirst) return writeBatch(parts, writing, state, batch)
    const taken = batch.filter(({ record }) => record !== null)
    if (taken.length === 1) {
      const refused = batch.map((prepared) => (prepared.record === null ? prepared : { ...prepared, record: null, problems: [problem] }))
      return writePiece(parts, { ...writing, looksFirst }, state, refused)
    }
    const middle = Math.ceil(batch.length / 2)
    const half = await writeBatch(parts, writing, state, batch.slice(0, middle))
    return writeBatch(parts, writing, half, batch.slice(middle))
  }
}

async function writePiece(
  parts: ImportParts,
  { format, headers, looksFirst }: Writing & { looksFirst: boolean },
  state: ImportState,
  piece: readonly PreparedRecord[],
): Promise<ImportState> {
  const { scope, options, run, keepRefused, onProgress } = parts
  const { dryRun } = options
  const done = await changeMany(
    scope,
    async (tx) => {
      const { result, events } = await writeRecords(tx, { format, options, looksFirst }, piece)
      const { refused } = result
      const { refusedBytes } = state.checkpoint
      const end = refused.length === 0 ? refusedBytes : ((await keepRefused?.(refused, headers, refusedBytes)) ?? refusedBytes)
      const next = advance(state, piece, { ...result, refusedBytes: end })
      const problems = refused.flatMap(({ line, problems }) => problems.map((problem) => ({ line, ...problem })))
      if (!dryRun) await run.save(tx.db, { ...next, problems })
      return { result: { next, problems }, events }
    },
    { trial: dryRun },
  )
  if (dryRun) await scope.db.$transaction((db) => run.save(db, { ...done.next, problems: done.problems }))
  onProgress?.(done.next, done.problems)
  return done.next
}

type Outcome = Readonly<{ inserted: number; updated: number; skipped: number; refused: readonly RefusedRecord[]; refusedBytes: number }>

function advance(
  state: ImportState,
  piece: readonly PreparedRecord[],
  { inserted, updated, skipped, refused, refusedBytes }: Outcome,
): ImportState {
  const { end = state.checkpoint.bytes, line = state.checkpoint.line } = piece.at(-1) ?? {}
  return {
    processed: state.processed + piece.length,
    total: null,
    inserted: state.inserted + inserted,
    updated: state.updated + updated,
    skipped: state.skipped + skipped,
    failed: state.failed + refused.length,
    checkpoint: { records: state.checkpoint.records + piece.length, bytes: end, line, refusedBytes },
  }
}

/** What the graph calls by other names than Auth0. */
const codes: Readonly<Record<string, string>> = {
  EMAIL_TAKEN: 'CONFLICT_EMAIL',
  USERNAME_TAKEN: 'CONFLICT_USERNAME',
  PHONE_NUMBER_TAKEN: 'CONFLICT',
  EXTERNAL_ID_TAKEN: 'CONFLICT',
  IDENTITY_TAKEN: 'CONFLICT',
}

/** feature_not_supported: of COPY, where row-level security holds. */
const copyRefused = '0A000'
const noCopy: JobProblem = {
  line: 0,
  code: 'CONSTRAINT_FAILED',
  path: null,
  message: 'The database takes no rows by COPY: row-level security holds for Roster’s database user. `roster doctor` says how to mend it.',
}

/**
 * Why the database refused a record; null when it did not.
 * @throws {JobFailedError} when it would refuse any
 */
function refusalOf(error: unknown): Problem | null {
  if (error instanceof RequestError || error instanceof JobFailedError) return null
  if (error instanceof DomainError) return { code: codes[error.code] ?? error.code, path: null, message: error.message }
  const state = postgresError(error)?.code
  if (state === copyRefused) throw new JobFailedError(noCopy)
  return state === undefined ? null : { code: 'CONSTRAINT_FAILED', path: null, message: `The database refuses the record (${state}).` }
}
