import { randomUUID } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** Reads a file's text without the white space around it; null when there is none. */
export function readPrivateFile(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/** Writes a file that only its owner can read, whole or not at all, unless there is one. Answers whether it did. */
export function createPrivateFile(path: string, text: string): boolean {
  return writeBeside(path, text, (written) => {
    try {
      linkSync(written, path)
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
      throw error
    } finally {
      rmSync(written, { force: true })
    }
  })
}

/** Writes a file that only its owner can read, whole or not at all, in place of the one there is. */
export function replacePrivateFile(path: string, text: string): void {
  writeBeside(path, text, (written) => renameSync(written, path))
}

/** The new file is complete and on the disk before it gets its name. */
function writeBeside<Result>(path: string, text: string, place: (written: string) => Result): Result {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const written = `${path}.${randomUUID()}`
  writeFileSync(written, `${text}\n`, { mode: 0o600, flag: 'wx', flush: true })
  return place(written)
}
