import type { Database } from '../../database/database.ts'
import { withSnapshot } from '../../database/snapshot.ts'
import type { Clock } from '../../ports/clock.ts'
import type { JobHandler } from '../job/run-job.ts'
import { createWriter } from './create-writer.ts'
import { readInput } from './export-input.ts'
import { countRecords, readRecords } from './read-records.ts'
import { writeFile } from './write-file.ts'

/**
 * Writes the file of an export, piece by piece, from one snapshot. What another attempt had written is dropped: it was of another
 * snapshot.
 */
export function createExportHandler({ database, clock }: Readonly<{ database: Database; clock: Clock }>): JobHandler {
  return async ({ job, signal, save }) => {
    const input = readInput(job.input)
    const now = clock.now()
    const wanted = { filter: input.where, now, ...input }
    await withSnapshot(database, async (snapshot) => {
      const state = { ...job, total: await countRecords(snapshot, wanted), processed: 0, checkpoint: {} }
      await snapshot.write(async (db) => {
        await db.exportChunk.deleteMany({ where: { jobId: job.id } })
        await save(db, state)
      })
      let position = 0
      for await (const { text, users } of writeFile(createWriter({ ...input, now }), readRecords(snapshot, wanted))) {
        signal.throwIfAborted()
        const chunk = { jobId: job.id, position: position++, content: Buffer.from(text) }
        state.processed += users
        await snapshot.write(async (db) => {
          await db.exportChunk.create({ data: chunk, select: { position: true } })
          await save(db, state)
        })
      }
    })
  }
}
