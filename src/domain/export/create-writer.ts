import { type DomainError, invalidInput } from '../errors.ts'
import type { RosterRecord } from '../transfer/roster-record.ts'
import type { UserDataFormat } from '../transfer/user-data-format.ts'
import { auth0Shape } from './writer/auth0-shape.ts'
import { csvColumns, csvWriter } from './writer/csv-writer.ts'
import { rosterShape } from './writer/roster-shape.ts'
import { supabaseShape } from './writer/supabase-shape.ts'
import { narrowed, type Shape, type UserWriter } from './writer/user-writer.ts'

const shapes: { readonly [Format in UserDataFormat]: Shape } = {
  ROSTER_NDJSON: rosterShape,
  CSV: rosterShape,
  AUTH0: auth0Shape,
  SUPABASE: supabaseShape,
}

const secretMembers = ['passwordHash', 'passwordChangedAt', 'password_hash', 'custom_password_hash', 'encrypted_password']
const appMembers = ['appMetadata', 'app_metadata', 'raw_app_meta_data']

/** What a file holds, and how. `fields`: all of them when it is null. */
export type FileOptions = Readonly<{
  format: UserDataFormat
  fields: readonly string[] | null
  withPasswordHashes: boolean
  withAppMetadata: boolean
  /** Blocks are held against it. */
  now: Date
}>

const mostFields = 200
const fieldMaxLength = 300

/** What is wrong with the fields that were asked for, each with its place. */
export function fieldProblems(
  { format, fields, withPasswordHashes }: Pick<FileOptions, 'format' | 'fields' | 'withPasswordHashes'>,
  path: readonly string[],
): DomainError[] {
  if (fields === null) return []
  if (fields.length === 0 || fields.length > mostFields) return [invalidInput(path, `Ask for 1 to ${mostFields} fields, or say nothing.`)]
  return fields.flatMap((field, index) => {
    const at = [...path, String(index)]
    const [member = ''] = field.split('.')
    if (!shapes[format].members.includes(member) || field.length > fieldMaxLength || field.split('.').includes(''))
      return [invalidInput(at, `The format has no such field. It has ${shapes[format].members.join(', ')}, and what is inside of them.`)]
    if (fields.indexOf(field) < index) return [invalidInput(at, 'This field is there twice.')]
    return secretMembers.includes(member) && !withPasswordHashes ? [invalidInput(at, 'Ask for password hashes as well.')] : []
  })
}

/** Whether one of the fields is what only `read:users_app_metadata` may read. */
export function namesAppMetadata(fields: readonly string[] | null): boolean {
  return fields?.some((field) => appMembers.includes(field.split('.')[0] ?? '')) ?? false
}

/** Writes files of this kind. */
export function createWriter({ format, fields, withPasswordHashes, withAppMetadata, now }: FileOptions): UserWriter {
  const isSaid = (member: string) =>
    (withPasswordHashes || !secretMembers.includes(member)) && (withAppMetadata || !appMembers.includes(member))
  const asked = fields?.map((field) => field.split('.'))
  if (format === 'CSV') return csvWriter(asked ?? csvColumns.filter(isSaid).map((column) => column.split('.')))
  const { of } = shapes[format]
  const text = (record: RosterRecord) => JSON.stringify(asked === undefined ? of(record, now) : narrowed(of(record, now), asked))
  if (format === 'ROSTER_NDJSON')
    return {
      mediaType: 'application/x-ndjson',
      extension: 'ndjson',
      head: '',
      separator: '',
      tail: '',
      write: (record, file) => {
        file.append(text(record))
        file.append('\n')
      },
    }
  return {
    mediaType: 'application/json',
    extension: 'json',
    head: '[\n',
    separator: ',\n',
    tail: '\n]\n',
    write: (record, file) => file.append(text(record)),
  }
}
