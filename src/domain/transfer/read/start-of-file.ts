import { JobFailedError } from '../../job/save-job.ts'
import type { Chunks } from './raw-record.ts'

/** How many bytes are looked at to tell what a file is. */
const headBytes = 4096

/** A file whose beginning has been looked at: its first characters, and all of it but a byte order mark. */
export type OpenedFile = Readonly<{ head: string; chunks: Chunks }>

/**
 * Looks how a file begins, and drops a byte order mark.
 * @throws {JobFailedError} INVALID_ENCODING for UTF-16, and for what is compressed: a small file can hold more than any disk
 */
export async function openFile(chunks: Chunks): Promise<OpenedFile> {
  const iterator = chunks[Symbol.asyncIterator]()
  let first = Buffer.alloc(0)
  while (first.length < headBytes) {
    const { done, value } = await iterator.next()
    if (done === true) break
    first = Buffer.concat([first, value])
  }
  const problem = encodingProblem(first)
  if (problem !== null) throw new JobFailedError({ line: 1, code: 'INVALID_ENCODING', path: null, message: problem })
  const start = first.subarray(0, 3).equals(utf8Mark) ? first.subarray(3) : first
  async function* rest(): AsyncGenerator<Buffer> {
    yield start
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value
  }
  return { head: start.subarray(0, headBytes).toString('utf8').trimStart(), chunks: rest() }
}

const utf8Mark = Buffer.from([0xef, 0xbb, 0xbf])

function encodingProblem(bytes: Buffer): string | null {
  const [first, second, third, fourth] = bytes
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) return utf16
  // Text of the formats that are read begins with two characters of ASCII.
  if ((first === 0 && second !== 0) || (second === 0 && first !== 0)) return utf16
  if (first === 0x1f && second === 0x8b) return compressed
  if (first === 0x50 && second === 0x4b && third === 3 && fourth === 4) return compressed
  return first === 0x28 && second === 0xb5 && third === 0x2f && fourth === 0xfd ? compressed : null
}

const utf16 = 'The file is UTF-16. Save it as UTF-8.'
const compressed = 'The file is compressed. Send what is in it, unpacked.'
