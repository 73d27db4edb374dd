import { Prisma } from '../../generated/prisma/client.ts'
import { RequestError } from '../errors.ts'

/** More steps than a bag is deep lead nowhere. */
const mostSegments = 16

/**
 * Parses an RFC 6901 JSON Pointer into its reference tokens; the empty pointer is the whole document.
 * @throws {RequestError} BAD_USER_INPUT
 */
export function parsePointer(pointer: string, path = 'path'): readonly string[] {
  if (pointer === '') return []
  const refuse = (problem: string) => new RequestError('BAD_USER_INPUT', `\`${path}\` ${problem}.`, { field: path })
  if (!pointer.startsWith('/') || /~(?![01])/.test(pointer))
    throw refuse('must be a JSON Pointer such as /address/city, with ~0 for a tilde and ~1 for a slash in a key')
  const segments = pointer.slice(1).split('/')
  if (segments.length > mostSegments) throw refuse(`has more than ${mostSegments} steps`)
  return segments.map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** Whether a reference token names an item where it meets an array (RFC 6901 §4): digits without a leading zero. */
export function isArrayIndex(segment: string): boolean {
  return /^(0|[1-9]\d*)$/.test(segment)
}

/**
 * The value that the reference tokens lead to, SQL's null where they lead nowhere. PostgreSQL's `#>` would take -1, +1 and 01
 * for items of an array as well, so only what RFC 6901 calls an index goes that way.
 */
export function pointed(column: Prisma.Sql, segments: readonly string[]): Prisma.Sql {
  const steps = segments.map((segment) => (isArrayIndex(segment) ? Prisma.sql` #> array[${segment}]` : Prisma.sql` -> ${segment}::text`))
  return steps.length === 0 ? column : Prisma.sql`(${column}${Prisma.join(steps, '')})`
}
