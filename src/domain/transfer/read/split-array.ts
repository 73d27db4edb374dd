import { type Chunks, createCollector, type RawRecord } from './raw-record.ts'
import { isBlank } from './split-lines.ts'

/** The bytes that mean something where a JSON text is cut into elements. */
const [newline, quote, backslash, comma, openSquare, closeSquare, openCurly, closeCurly] = [10, 34, 92, 44, 91, 93, 123, 125] as const

/**
 * The elements of a JSON array, wherever in the file it begins. What stands before the array and after it is passed over. A file that
 * ends before the array does gives a last record that is cut, even where nothing of it is there.
 */
export async function* splitArray(chunks: Chunks): AsyncGenerator<RawRecord> {
  const collector = createCollector()
  let place: 'before' | 'inside' | 'after' = 'before'
  let depth = 0
  let isString = false
  let isEscaped = false
  let [line, recordLine, before] = [1, 1, 0]
  for await (const chunk of chunks) {
    let start = 0
    for (let at = 0; at < chunk.length && place !== 'after'; at++) {
      const byte = chunk[at]
      if (byte === newline) line++
      if (place === 'before') {
        if (byte !== openSquare) continue
        place = 'inside'
        start = at + 1
        recordLine = 0
      } else if (isString) {
        if (isEscaped) isEscaped = false
        else if (byte === backslash) isEscaped = true
        else if (byte === quote) isString = false
      } else if (depth === 0 && (byte === comma || byte === closeSquare)) {
        collector.add(chunk.subarray(start, at))
        const bytes = collector.take()
        // An empty array has no element; elsewhere, nothing between two commas is one that is no JSON.
        if (byte === comma || !isBlank(bytes)) yield { line: recordLine || line, bytes, isCut: false, end: before + at + 1 }
        if (byte === closeSquare) place = 'after'
        start = at + 1
        recordLine = 0
      } else {
        // The record begins in the line of its first byte that is no blank.
        if (recordLine === 0 && byte !== undefined && byte > 32) recordLine = line
        if (byte === quote) isString = true
        else if (byte === openCurly || byte === openSquare) depth++
        else if ((byte === closeCurly || byte === closeSquare) && depth > 0) depth--
      }
    }
    if (place === 'inside') collector.add(chunk.subarray(start))
    before += chunk.length
  }
  if (place !== 'after') yield { line: recordLine || line, bytes: collector.take(), isCut: true, end: before }
}
