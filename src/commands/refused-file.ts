import { type FileHandle, open } from 'node:fs/promises'
import type { ImportParts } from '../domain/transfer/import-parts.ts'
import { CommandError } from './terminal.ts'

/** Keeps refused records in a file of the same format. */
export type RefusedFile = Readonly<{ keep: NonNullable<ImportParts['keepRefused']>; close: () => Promise<void> }>

const newline = Buffer.from('\n')

/**
 * The file is made when there is something to keep. What is behind the place that is written to is cut off: it was written by a run that
 * was killed before it was done with that. A format that has headers gets them before the first record.
 */
export function createRefusedFile(path: string): RefusedFile {
  let file: FileHandle | null = null
  return {
    keep: async (refused, headers, position) => {
      file ??= await open(path, position === 0 ? 'w' : 'r+', 0o600).catch((error: NodeJS.ErrnoException) => {
        throw new CommandError(`${path} cannot be written (${error.code}).`, 1, error)
      })
      await file.truncate(position)
      const records = refused.flatMap(({ bytes }) => (bytes === null ? [] : [oneLine(bytes, headers !== null), newline]))
      const content = Buffer.concat([...(position === 0 && headers !== null ? [headers, newline] : []), ...records])
      await file.write(content, 0, content.length, position)
      return position + content.length
    },
    close: async () => void (await file?.close()),
  }
}

/** An element of a JSON array becomes a line: there is no newline in JSON but between its tokens. */
function oneLine(bytes: Buffer, isCsv: boolean): Buffer {
  if (isCsv) return bytes
  return Buffer.from(
    bytes
      .toString('latin1')
      .replaceAll(/[\r\n]+/g, ' ')
      .trim(),
    'latin1',
  )
}
