import { auth0Format } from './format/auth0.ts'
import { csvReader } from './format/csv.ts'
import { type Draft, type FileFormat, isObject } from './format/draft.ts'
import { rosterFormat } from './format/roster.ts'
import { supabaseFormat, supabaseRow } from './format/supabase.ts'
import type { Problem } from './problem.ts'
import type { Content } from './read/read-records.ts'
import { parseCells } from './read/split-csv.ts'
import type { UserDataFormat } from './user-data-format.ts'

/** How the records of a file become drafts; a problem for what is none. */
export type FormatReader = Readonly<{ format: FileFormat; draft: (content: Content) => Draft | Problem }>

const formats: Readonly<Record<UserDataFormat, FileFormat>> = {
  ROSTER_NDJSON: rosterFormat,
  CSV: rosterFormat,
  AUTH0: auth0Format,
  SUPABASE: supabaseFormat,
}

/** @throws {JobFailedError} INVALID_HEADER */
export function formatReader(name: UserDataFormat, headers: Buffer | null): FormatReader {
  const format = formats[name]
  const ofRow =
    name === 'CSV' ? csvReader(headerNames(headers)) : (cells: ReadonlyMap<string, string>) => format.toDraft(supabaseRow(cells))
  const draft: FormatReader['draft'] = (content) => {
    if ('problem' in content) return content.problem
    if ('cells' in content) return ofRow(content.cells)
    if (!isObject(content.json)) return { code: 'OBJECT_REQUIRED', path: null, message: 'The record is no JSON object.' }
    return format.toDraft(content.json)
  }
  return { format, draft }
}

function headerNames(headers: Buffer | null): string[] {
  return headers === null ? [] : (parseCells(headers.toString()) ?? []).map((header) => header.trim())
}
