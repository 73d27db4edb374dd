import { analyzeUsers } from '../analyze-users.ts'
import { JobFailedError } from '../job/save-job.ts'
import { hasScope } from '../principal.ts'
import { formatReader } from './format-reader.ts'
import { createBatches } from './import-batches.ts'
import type { ImportParts, ImportState } from './import-parts.ts'
import { prepareRecord } from './prepare-record.ts'
import { readRecords } from './read/read-records.ts'
import { createSeenKeys } from './seen-keys.ts'

/** How long it works before anybody else has a turn: to answer a request takes several. */
const turnMs = 0.5

/**
 * Imports users from a file, batch by batch, each in a transaction of its own that says how far it is. What was done before the state is
 * read again, to know who came by, and not written. A record that the database refuses is found by halves; the rest goes in.
 *
 * @throws {JobFailedError} when the file cannot be read to its end; what was whole is kept
 * @throws {RequestError} SERVICE_UNAVAILABLE when the database does not answer
 */
export async function importUsers(parts: ImportParts): Promise<ImportState> {
  const { scope, options, file, run, giveWay } = parts
  const { headers, records } = await readRecords(options.format, file)
  const reader = formatReader(options.format, headers)
  const checks = {
    now: scope.clock.now(),
    weakHashes: options.weakHashes,
    appMetadata: hasScope(scope.caller.principal, 'update:users_app_metadata'),
  }
  const mode = { looksFirst: options.upsert }
  const preparing = { ...reader, checks, seen: createSeenKeys(), expectsNew: !options.upsert, mode }
  const batches = createBatches(parts, { ...reader, headers, mode })
  let [count, turnEndsAt] = [0, performance.now() + turnMs]
  try {
    for await (const record of records) {
      const prepared = prepareRecord(preparing, record)
      count++
      if (count > parts.state.checkpoint.records) await batches.add(prepared)
      if (performance.now() < turnEndsAt) continue
      await giveWay()
      run.signal.throwIfAborted()
      turnEndsAt = performance.now() + turnMs
    }
  } catch (error) {
    // What came before the end of a file that is cut off goes in.
    if (error instanceof JobFailedError) await batches.finish()
    else await batches.settled()
    throw error
  }
  const state = await batches.finish()
  if (!options.dryRun) await analyzeUsers(scope.db, state.inserted)
  return state
}
