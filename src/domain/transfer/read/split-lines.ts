import { type Chunks, createCollector, type RawRecord } from './raw-record.ts'

const newline = 0x0a

/** The lines of a file, without those that are blank. The last one may end without a newline. */
export async function* splitLines(chunks: Chunks): AsyncGenerator<RawRecord> {
  const collector = createCollector()
  let line = 1
  let end = 0
  for await (const chunk of chunks) {
    let start = 0
    for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, start)) {
      collector.add(chunk.subarray(start, at))
      end += at + 1 - start
      const bytes = collector.take()
      if (!isBlank(bytes)) yield { line, bytes, isCut: false, end }
      line++
      start = at + 1
    }
    collector.add(chunk.subarray(start))
    end += chunk.length - start
  }
  const bytes = collector.take()
  if (!isBlank(bytes)) yield { line, bytes, isCut: true, end }
}

/** Whether there is nothing but blanks, as JSON knows them. */
export function isBlank(bytes: Buffer | null): boolean {
  return bytes?.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d || byte === newline) ?? false
}
