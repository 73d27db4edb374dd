import type { PrismaClient } from '../../generated/prisma/client.ts'
import { newId } from '../id.ts'
import type { ReadScope } from '../scope.ts'

/** 256 KiB a row: large enough for few statements, small enough for memory. */
const chunkBytes = 262_144

/** More was sent than is taken. */
export class UploadTooLargeError extends Error {
  override readonly name = 'UploadTooLargeError'
}

/**
 * Keeps a file in the database, which all processes share, piece by piece as it comes. One that is broken off is never whole, and is
 * deleted with those that nobody has used.
 * @throws {UploadTooLargeError}
 */
export async function storeUpload(
  { db, clock }: ReadScope,
  content: AsyncIterable<Buffer>,
  maxBytes: number,
): Promise<{ id: string; bytes: number }> {
  const id = newId()
  await db.upload.create({ data: { id, createdAt: clock.now() }, select: { id: true } })
  let [bytes, position] = [0, 0]
  let [parts, length]: [Buffer[], number] = [[], 0]
  const flush = async (): Promise<void> => {
    const data = { uploadId: id, position: position++, content: Uint8Array.from(Buffer.concat(parts, length)) }
    parts = []
    length = 0
    await db.uploadChunk.create({ data, select: { position: true } })
  }
  for await (const part of content) {
    bytes += part.length
    if (bytes > maxBytes) throw new UploadTooLargeError('the upload is too large')
    parts.push(part)
    length += part.length
    if (length >= chunkBytes) await flush()
  }
  if (length > 0) await flush()
  await db.upload.update({ where: { id }, data: { bytes, completedAt: clock.now() }, select: { id: true } })
  return { id, bytes }
}

/** The content of an upload, piece by piece. */
export async function* readUpload(db: PrismaClient, uploadId: string): AsyncGenerator<Buffer> {
  for (let position = 0; ; position++) {
    const chunk = await db.uploadChunk.findUnique({ where: { uploadId_position: { uploadId, position } }, select: { content: true } })
    if (chunk === null) return
    yield Buffer.from(chunk.content.buffer, chunk.content.byteOffset, chunk.content.byteLength)
  }
}
