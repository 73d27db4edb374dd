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
  const head = fields.map((field) => quoted(safeCell(field.join('.')))).join(',')
  return {
    mediaType: 'text/csv; charset=utf-8; header=present',
    extension: 'csv',
    head: `${head}\r\n`,
    separator: '',
    tail: '',
    write: (record) => `${fields.map((field) => quoted(safeCell(textOf(pick(record, field))))).join(',')}\r\n`,
  }
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return ''
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** Blanks at the ends are lost to some readers without quotes. */
function quoted(cell: string): string {
  return /[",\r\n]|^\s|\s$/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell
}
