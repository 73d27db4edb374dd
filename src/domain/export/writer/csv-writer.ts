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
  return {
    mediaType: 'text/csv; charset=utf-8; header=present',
    extension: 'csv',
    head: `${fields.map((field) => textCell(field.join('.'))).join(',')}\r\n`,
    separator: '',
    tail: '',
    write(record, file) {
      let text = ''
      fields.forEach((field, index) => {
        const value = pick(record, field)
        if (index > 0) text += ','
        if (typeof value !== 'object' || value === null) {
          text += textCell(value)
          return
        }
        file.append(`${text}"`)
        file.appendDoubled(JSON.stringify(value))
        text = '"'
      })
      file.append(`${text}\r\n`)
    },
  }
}

/** What most cells are: no formula, and nothing to be quoted. */
const plain = /^\w(?:[^",\r\n]*[^",\r\n\s])?$/

function textCell(value: unknown): string {
  if (value === undefined || value === null) return ''
  const text = String(value)
  return plain.test(text) ? text : quoted(safeCell(text))
}

/** Blanks at the ends are lost to some readers without quotes. */
function quoted(cell: string): string {
  return /[",\r\n]|^\s|\s$/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell
}
