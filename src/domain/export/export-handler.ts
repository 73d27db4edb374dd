import type { Database } from '../../database/database.ts'
import { withSnapshot } from '../../database/snapshot.ts'
import { Prisma, type PrismaClient } from '../../generated/prisma/client.ts'
import type { Clock } from '../../ports/clock.ts'
import type { JobHandler } from '../job/run-job.ts'
import { assertOurs, savingJob } from '../job/save-job.ts'
import { createWriter } from './create-writer.ts'
import { readInput } from './export-input.ts'
import { countRecords, readRecords } from './read-records.ts'
import { joined, writeFile } from './write-file.ts'

/** Of a row: few enough to be held in memory several times, enough for a commit to be worth it. */
const chunkBytes = 500_000

/**
 * Writes the file of an export, piece by piece, from one snapshot. What another attempt had written is dropped: it was of another
 * snapshot.
 */
export function createExportHandler({ database, clock }: Readonly<{ database: Database; clock: Clock }>): JobHandler {
  return async ({ job, signal, save }) => {
    const input = readInput(job.input)
    const now = clock.now()
    const wanted = { filter: input.where, now, ...input }
    await dropChunks(database.prisma, job.id, (db) => save(db, { ...job, processed: 0, checkpoint: {} }))
    await withSnapshot(database, async (snapshot) => {
      let state = { ...job, total: await countRecords(snapshot, wanted), processed: 0, checkpoint: {} }
      assertOurs(await snapshot.execute(savingJob(job, state)))
      let [position, written] = [0, Promise.resolve()]
      const pieces = writeFile(createWriter({ ...input, now }), readRecords(snapshot, wanted))
      for await (const { content, users } of joined(pieces, chunkBytes)) {
        signal.throwIfAborted()
        await written
        state = { ...state, processed: state.processed + users }
        written = snapshot.execute(writingChunk(savingJob(job, state), position++, content)).then(assertOurs)
        // It is waited for when there is more to write, or no more.
        written.catch(() => {})
      }
      await written
    })
  }
}

/** The chunk and how far the job is with it, or neither. As bytes, it is sent as it is. */
function writingChunk(saving: Prisma.Sql, position: number, content: Buffer): Prisma.Sql {
  return Prisma.sql`
    with saved as (${saving})
    insert into roster.export_chunks (job_id, position, content)
    select id, ${position}::integer, convert_from(${content}, 'UTF8') from saved returning job_id`
}

/** A few in each transaction: those of a million users take longer than a statement may. */
async function dropChunks(prisma: PrismaClient, jobId: string, save: (db: Prisma.TransactionClient) => Promise<void>): Promise<void> {
  const dropSome = async (db: Prisma.TransactionClient) => {
    const dropped = await db.$executeRaw`
      delete from roster.export_chunks where job_id = ${jobId}::uuid
        and position in (select position from roster.export_chunks where job_id = ${jobId}::uuid limit 40)`
    await save(db)
    return dropped
  }
  while ((await prisma.$transaction(dropSome)) > 0);
}
