import type { PrismaClient } from '../../generated/prisma/client.ts'
import type { Clock } from '../../ports/clock.ts'
import { RequestError } from '../errors.ts'
import { isUuid } from '../normalize.ts'
import { hasScope, type PermissionScope, type Principal } from '../principal.ts'
import { createWriter } from './create-writer.ts'
import { readInput } from './export-input.ts'

/** A file that was exported. */
export type ExportedFile = Readonly<{ name: string; mediaType: string; bytes: number; content: AsyncIterable<string> }>

/** How long a file is kept after it was written. */
export const exportKeptDays = 1

/**
 * Finds the file of an export that is done.
 * @throws {RequestError} UNAUTHENTICATED or FORBIDDEN for who may not read all that is in it; NOT_FOUND when there is none, or not yet,
 * or no more
 */
export async function readExport(
  { db, clock, principal }: Readonly<{ db: PrismaClient; clock: Clock; principal: Principal }>,
  id: string,
): Promise<ExportedFile> {
  assertScope(principal, 'export:users')
  const job = isUuid(id) ? await db.job.findFirst({ where: { id, kind: 'EXPORT', status: 'SUCCEEDED' } }) : null
  if (job === null || job.finishedAt === null || isExpired(job.finishedAt, clock.now())) throw notFound()
  const input = readInput(job.input)
  if (input.withPasswordHashes) assertScope(principal, 'admin')
  if (input.withAppMetadata) assertScope(principal, 'read:users_app_metadata')
  const { mediaType, extension } = createWriter({ ...input, now: clock.now() })
  const [{ chunks, bytes } = { chunks: 0, bytes: 0 }] = await db.$queryRaw<{ chunks: number; bytes: number }[]>`
    select count(*)::integer as chunks, coalesce(sum(octet_length(content)), 0)::float8 as bytes
    from roster.export_chunks where job_id = ${job.id}::uuid`
  return { name: `users-${job.id}.${extension}`, mediaType, bytes, content: readChunks(db, job.id, chunks) }
}

/** Whether a file is kept no more. */
export function isExpired(finishedAt: Date, now: Date): boolean {
  return finishedAt.getTime() + exportKeptDays * 86_400_000 <= now.getTime()
}

/** One piece is in memory at a time, and no connection is held while the reader is slow. */
async function* readChunks(db: PrismaClient, jobId: string, count: number): AsyncGenerator<string> {
  for (let position = 0; position < count; position++) {
    const where = { jobId_position: { jobId, position } }
    const { content } = await db.exportChunk.findUniqueOrThrow({ where, select: { content: true } })
    yield content
  }
}

function assertScope(principal: Principal, scope: PermissionScope): void {
  if (hasScope(principal, scope)) return
  const extensions = { requiredScopes: [scope] }
  if (principal.kind === 'anonymous') throw new RequestError('UNAUTHENTICATED', 'An export needs a token.', extensions)
  throw new RequestError('FORBIDDEN', `This export needs a token with ${scope}.`, extensions)
}

function notFound(): RequestError {
  return new RequestError('NOT_FOUND', 'There is no such export, or it is not done, or it is kept no more.')
}
