import { profileAttributes } from '../../profile.ts'
import { safeCell } from '../../transfer/csv-cell.ts'
import { rosterFields } from '../../transfer/format/roster.ts'
import { type Field, pick, type UserWriter } from './user-writer.ts'

/** The columns of a file with everything: `profile` has one for each attribute. */
export const csvColumns: readonly string[] = rosterFields.flatMap((member) =>
  member === 'profile' ? profileAttributes.map((attribute) => `profile.${attribute}`) : [member],
)

/** CSV (RFC 4180), a column a field: an object or a list is JSON, what is null is an empty cell, and no cell is a formula. */
export function csvWriter(fields: readonly Field[]): UserWriter {
  const head = fields.map((field) => cellOf(field.join('.'))).join(',')
  return {
    mediaType: 'text/csv; charset=utf-8; header=present',
    extension: 'csv',
    head: `${head}\r\n`,
    separator: '',
    tail: '',
    write: (record) => `${fields.map((field) => cellOf(pick(record, field))).join(',')}\r\n`,
  }
}

/** What most cells are: no formula, and nothing to be quoted. */
const plain = /^\w(?:[^",\r\n]*[^",\r\n\s])?$/

function cellOf(value: unknown): string {
  if (value === undefined || value === null) return ''
  if (typeof value === 'object') return quoted(JSON.stringify(value))
  const text = String(value)
  return plain.test(text) ? text : quoted(safeCell(text))
}

/** Blanks at the ends are lost to some readers without quotes. */
function quoted(cell: string): string {
  return /[",\r\n]|^\s|\s$/.test(cell) ? `"${doubled(cell)}"` : cell
}

const quote = 0x22

/** The text with each of its quotes twice: byte by byte, for a cell of JSON has so many that replacing them takes three times as long. */
function doubled(text: string): string {
  const bytes = Buffer.from(text)
  const result = Buffer.allocUnsafe(2 * bytes.length)
  let length = 0
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index] ?? 0
    result[length++] = byte
    if (byte === quote) result[length++] = quote
  }
  return result.toString('utf8', 0, length)
}
