import { RequestError } from '../../errors.ts'
import { parseJsonText } from '../../faithful-json.ts'
import { JobFailedError } from '../../job/save-job.ts'
import type { Problem } from '../problem.ts'
import type { UserDataFormat } from '../user-data-format.ts'
import { type Chunks, maxRecordBytes, type RawRecord } from './raw-record.ts'
import { splitArray } from './split-array.ts'
import { isOpen, parseCells, splitCsv } from './split-csv.ts'
import { splitLines } from './split-lines.ts'
import { openFile } from './start-of-file.ts'

/** What a record holds: a JSON value, the cells of a row by their headers, or what is wrong with it. */
export type Content = Readonly<{ json: unknown }> | Readonly<{ cells: ReadonlyMap<string, string> }> | Readonly<{ problem: Problem }>

/**
 * A record of a file. `bytes` is how it stands there, null when it is too long to be kept; `content` reads it, as often as it is called.
 * @throws {JobFailedError} TRUNCATED_FILE, from `content`
 */
export type FileRecord = Readonly<{ line: number; end: number; bytes: Buffer | null; content: () => Content }>

/** The row of headers as it stands in the file, of a format that has one. */
export type FileRecords = Readonly<{ headers: Buffer | null; records: AsyncIterable<FileRecord> }>

/**
 * Reads a file record by record, in memory for one of them. JSON is an array or an object a line, whichever the file is.
 * @throws {JobFailedError} INVALID_ENCODING, INVALID_HEADER
 */
export async function readRecords(format: UserDataFormat, file: Chunks): Promise<FileRecords> {
  const { head, chunks } = await openFile(file)
  if (format === 'CSV' || (format === 'SUPABASE' && !/^[[{]/.test(head))) return readCsv(splitCsv(chunks))
  // Supabase's admin API answers a page of users as `{"users": [...]}`.
  const isArray = head.startsWith('[') || (format === 'SUPABASE' && /^\{\s*"users"\s*:\s*\[/.test(head))
  if (format === 'ROSTER_NDJSON' || !isArray) return { headers: null, records: readAll(splitLines(chunks), parseJsonRecord) }
  return { headers: null, records: readAll(splitArray(chunks), parseJsonRecord) }
}

async function* readAll(raw: AsyncIterable<RawRecord>, parse: (text: string, record: RawRecord) => Content): AsyncGenerator<FileRecord> {
  for await (const record of raw) {
    const { line, end, bytes } = record
    yield { line, end, bytes, content: () => read(record, parse) }
  }
}

/** The text, where it is text; otherwise what is wrong. */
function read(record: RawRecord, parse: (text: string, record: RawRecord) => Content): Content {
  if (record.bytes === null) {
    if (record.isCut) throw truncated(record.line)
    return { problem: { code: 'MAX_LENGTH', path: null, message: `The record has more than ${maxRecordBytes} bytes.` } }
  }
  const text = decode(record.bytes)
  if (text === null) return { problem: { code: 'INVALID_ENCODING', path: null, message: 'The record is not UTF-8.' } }
  return parse(text, record)
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decode(bytes: Buffer): string | null {
  try {
    return decoder.decode(bytes)
  } catch {
    return null
  }
}

function parseJsonRecord(text: string, { line, isCut }: RawRecord): Content {
  try {
    return { json: parseJsonText(text) }
  } catch (error) {
    if (!(error instanceof RequestError)) throw error
    const isJson = error.extensions['path'] !== undefined
    if (isCut && !isJson) throw truncated(line)
    const message = isJson ? error.message : 'The record is not JSON.'
    return { problem: { code: 'INVALID_FORMAT', path: null, message } }
  }
}

async function readCsv(rows: AsyncGenerator<RawRecord>): Promise<FileRecords> {
  const first = await rows.next()
  if (first.done === true) return { headers: null, records: none() }
  const text = first.value.bytes === null ? null : decode(first.value.bytes)
  const headers = text === null ? null : parseCells(text)?.map((header) => header.trim())
  if (!headers || headers.includes('') || new Set(headers).size < headers.length) throw invalidHeader()
  return { headers: first.value.bytes, records: readAll(rows, (row, record) => parseRow(headers, row, record)) }
}

function parseRow(headers: readonly string[], text: string, { line, isCut }: RawRecord): Content {
  const cells = parseCells(text)
  if (isCut && (cells === null ? isOpen(text) : cells.length < headers.length)) throw truncated(line)
  if (cells === null) return { problem: { code: 'INVALID_FORMAT', path: null, message: 'Quotes stand where they may not in CSV.' } }
  if (cells.length !== headers.length)
    return { problem: { code: 'INVALID_FORMAT', path: null, message: `The row has ${cells.length} cells for ${headers.length} headers.` } }
  return { cells: new Map(headers.map((header, index) => [header, cells[index] ?? ''])) }
}

async function* none(): AsyncGenerator<FileRecord> {}

function invalidHeader(): JobFailedError {
  const message = 'The first line must be the headers, in UTF-8, each once and none of them empty.'
  return new JobFailedError({ line: 1, code: 'INVALID_HEADER', path: null, message })
}

function truncated(line: number): JobFailedError {
  const message = `The file ends in the middle of the record that begins in line ${line}. All before it has been taken.`
  return new JobFailedError({ line, code: 'TRUNCATED_FILE', path: null, message })
}
