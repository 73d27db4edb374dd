/** A piece of a file that holds one record, as it stands there. */
export type RawRecord = Readonly<{
  /** The line it begins in, from 1. */
  line: number
  /** Null when it is longer than `maxRecordBytes`: then nothing of it is kept. */
  bytes: Buffer | null
  /** Whether the file ends before the record does, or may do so. */
  isCut: boolean
  /** How many bytes of the file come before the end of it. */
  end: number
}>

/** The pieces of a file, in order; how large they are means nothing. */
export type Chunks = AsyncIterable<Buffer>

/** 1 MiB: a user with all the metadata that may be kept has far less. */
export const maxRecordBytes = 1_048_576

/** Collects the bytes of one record after the other. What is too long is let go at once. */
export type Collector = Readonly<{
  add: (bytes: Buffer) => void
  isEmpty: () => boolean
  /** What was collected, or null when it was too much; the next record begins. */
  take: () => Buffer | null
}>

export function createCollector(): Collector {
  let parts: Buffer[] = []
  let length = 0
  return {
    add: (bytes) => {
      length += bytes.length
      if (length > maxRecordBytes) parts = []
      else if (bytes.length > 0) parts.push(bytes)
    },
    isEmpty: () => length === 0,
    take: () => {
      const [first = Buffer.alloc(0)] = parts
      const bytes = length > maxRecordBytes ? null : parts.length <= 1 ? first : Buffer.concat(parts, length)
      parts = []
      length = 0
      return bytes
    },
  }
}
