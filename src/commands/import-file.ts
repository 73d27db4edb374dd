import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { basename } from 'node:path'
import { CommandError } from './terminal.ts'

/** A file, and what makes it known again: the same file goes on where it was left. */
export type ImportFile = Readonly<{ name: string; bytes: number; digest: string }>

/** How much of either end of the file is looked at. */
const sampleBytes = 1_048_576

/** @throws {CommandError} for what is no file that can be read */
export async function openImportFile(path: string): Promise<ImportFile> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    throw new CommandError(`${path} cannot be read (${error.code}).`, 2, error)
  })
  try {
    const { size, mtimeMs } = await file.stat()
    const hash = createHash('sha256').update(`${size} ${mtimeMs} `)
    for (const position of [0, Math.max(0, size - sampleBytes)]) {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.min(size, sampleBytes)), { position })
      hash.update(buffer.subarray(0, bytesRead))
    }
    return { name: basename(path), bytes: size, digest: hash.digest('base64url') }
  } catch (error) {
    throw new CommandError(`${path} cannot be read (${(error as NodeJS.ErrnoException).code}).`, 2, error)
  } finally {
    await file.close()
  }
}
