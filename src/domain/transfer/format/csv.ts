import { RequestError } from '../../errors.ts'
import { parseJsonText } from '../../faithful-json.ts'
import { JobFailedError } from '../../job/save-job.ts'
import { profileAttributes } from '../../profile.ts'
import { cellText } from '../csv-cell.ts'
import type { Problem } from '../problem.ts'
import type { Draft } from './draft.ts'
import { rosterFields } from './roster.ts'

/** What the cells of a column hold. */
type CellType = 'text' | 'flag' | 'number' | 'json' | 'metadata'

type Column = Readonly<{ header: string; path: readonly string[]; type: CellType }>

/** Headers that begin so go as deep as the metadata does. */
const bags = ['userMetadata', 'appMetadata', 'profile.address']
const types: Readonly<Record<string, CellType>> = {
  emailVerified: 'flag',
  phoneNumberVerified: 'flag',
  signInCount: 'number',
  version: 'number',
  profile: 'json',
  profileSources: 'json',
  identities: 'json',
  block: 'json',
  userMetadata: 'json',
  appMetadata: 'json',
  'profile.address': 'json',
}
const inside = [...profileAttributes.map((attribute) => `profile.${attribute}`), 'block.at', 'block.until', 'block.reason']

/**
 * What rows become by their headers: the fields of RosterRecord, with a dot for what is inside: `profile.name`, `userMetadata.plan`.
 * An empty cell says nothing. A cell of a field that is no text is JSON; one of metadata is JSON where it can be read so, and text
 * otherwise.
 * @throws {JobFailedError} INVALID_HEADER for a header that is no field
 */
export function csvReader(headers: readonly string[]): (cells: ReadonlyMap<string, string>) => Draft {
  const columns = headers.map(columnOf)
  return (cells) => {
    const fields: Record<string, unknown> = {}
    const problems: Problem[] = []
    for (const { header, path, type } of columns) {
      const text = cellText(cells.get(header) ?? '')
      if (text === '') continue
      const value = cellValue(text, type)
      if (value === undefined) problems.push({ code: 'INVALID_TYPE', path: header, message: typeProblems[type] })
      else if (!place(fields, path, value))
        problems.push({ code: 'INVALID_FORMAT', path: header, message: 'Another column has a value around it.' })
    }
    return { fields, problems }
  }
}

function columnOf(header: string): Column {
  const path = header.split('.')
  const bag = bags.find((name) => header.startsWith(`${name}.`))
  const isKnown = bag !== undefined || inside.includes(header) || (rosterFields as readonly string[]).includes(header)
  const isSound = path.every((key) => key !== '' && !['__proto__', 'constructor', 'prototype'].includes(key))
  if (!isKnown || !isSound) throw unknownHeader(header)
  return { header, path, type: types[header] ?? (bag === 'userMetadata' || bag === 'appMetadata' ? 'metadata' : 'text') }
}

/** Undefined for what the type does not know. */
function cellValue(text: string, type: CellType): unknown {
  if (type === 'text') return text
  if (type === 'flag') return { true: true, t: true, '1': true, false: false, f: false, '0': false }[text.toLowerCase()]
  const value = json(text)
  if (type === 'metadata') return value ?? (text === 'null' ? null : text)
  if (type === 'number') return typeof value === 'number' ? value : undefined
  return value
}

/** Undefined for what is no JSON, or what JSON cannot carry exactly: an account number with twenty digits is text. */
function json(text: string): unknown {
  if (!/^[[{"\dtfn-]/.test(text)) return undefined
  try {
    return parseJsonText(text)
  } catch (error) {
    if (error instanceof RequestError) return undefined
    throw error
  }
}

const typeProblems: Readonly<Record<CellType, string>> = {
  text: '',
  metadata: '',
  flag: 'This is true or false.',
  number: 'This is a number.',
  json: 'This is JSON.',
}

/** False where a value stands in the way. */
function place(fields: Record<string, unknown>, path: readonly string[], value: unknown): boolean {
  const [key = '', ...rest] = path
  if (rest.length === 0) {
    if (Object.hasOwn(fields, key)) return false
    fields[key] = value
    return true
  }
  fields[key] ??= {}
  const inner = fields[key]
  return typeof inner === 'object' && inner !== null && !Array.isArray(inner) && place(inner as Record<string, unknown>, rest, value)
}

function unknownHeader(header: string): JobFailedError {
  const message =
    'This header is no field. Fields are those of Roster, with a dot for what is inside: email, profile.name, userMetadata.plan.'
  return new JobFailedError({ line: 1, code: 'INVALID_HEADER', path: header.slice(0, 100), message })
}
