import { type Chunks, createCollector, type RawRecord } from './raw-record.ts'
import { isBlank } from './split-lines.ts'

const [newline, quote, comma] = [10, 34, 44] as const

/** The rows of a CSV file (RFC 4180), the one of headers included, without those that are blank. A cell in quotes may have newlines. */
export async function* splitCsv(chunks: Chunks): AsyncGenerator<RawRecord> {
  const collector = createCollector()
  let cell: 'start' | 'plain' | 'quoted' | 'quote' = 'start'
  let [line, recordLine, before] = [1, 1, 0]
  for await (const chunk of chunks) {
    let start = 0
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at]
      if (byte === newline) line++
      if (cell === 'quoted') {
        if (byte === quote) cell = 'quote'
      } else if (byte === quote && cell !== 'plain') cell = 'quoted'
      else if (byte === comma) cell = 'start'
      else if (byte === newline) {
        collector.add(chunk.subarray(start, at))
        const bytes = collector.take()
        if (!isBlank(bytes)) yield { line: recordLine, bytes, isCut: false, end: before + at + 1 }
        start = at + 1
        recordLine = line
        cell = 'start'
      } else cell = 'plain'
    }
    collector.add(chunk.subarray(start))
    before += chunk.length
  }
  const bytes = collector.take()
  if (!isBlank(bytes)) yield { line: recordLine, bytes, isCut: true, end: before }
}

/** Whether a row's text ends within quotes, so that more of it would have followed. */
export function isOpen(text: string): boolean {
  return parseCells(text) === null && parseCells(`${text}"`) !== null
}

/**
 * The cells of a row, without its newline. A cell that was in quotes and empty is an empty text as well. Null when quotes stand where
 * they may not.
 */
export function parseCells(text: string): string[] | null {
  const row = text.endsWith('\r') ? text.slice(0, -1) : text
  const cells: string[] = []
  for (let at = 0; ; ) {
    if (row[at] === '"') {
      const end = closingQuote(row, at + 1)
      if (end < 0 || (end + 1 < row.length && row[end + 1] !== ',')) return null
      cells.push(row.slice(at + 1, end).replaceAll('""', '"'))
      at = end + 1
    } else {
      const end = row.indexOf(',', at)
      const cell = row.slice(at, end < 0 ? row.length : end)
      if (cell.includes('"')) return null
      cells.push(cell)
      at += cell.length
    }
    if (at >= row.length) return cells
    at++
  }
}

function closingQuote(row: string, from: number): number {
  for (let at = row.indexOf('"', from); at >= 0; at = row.indexOf('"', at + 2)) if (row[at + 1] !== '"') return at
  return -1
}
