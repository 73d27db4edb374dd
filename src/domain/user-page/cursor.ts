import { RequestError } from '../errors.ts'
import type { OrderKey } from '../user-order.ts'

/** The longest a cursor of ours can get: a name and an address of 4 bytes a character, escaped and in base64. */
const mostCharacters = 8192

/** The place of a row in an order, opaque to clients: the names of the keys and the row's values of them. */
export function encodeCursor(keys: readonly OrderKey[], values: readonly unknown[]): string {
  return Buffer.from(JSON.stringify([signature(keys), ...values])).toString('base64url')
}

/**
 * The values of the keys that a cursor of the same order holds.
 * @throws {RequestError} BAD_USER_INPUT when it is another order's, or none of ours
 */
export function decodeCursor(keys: readonly OrderKey[], cursor: string, name: 'after' | 'before'): readonly unknown[] {
  const [order, ...values] = parse(cursor)
  if (typeof order === 'string' && order !== signature(keys) && /^[A-Z_:, ]+$/.test(order))
    throw new RequestError('BAD_USER_INPUT', `\`${name}\` is a cursor of another order. Start again from the first page.`, { field: name })
  const isOurs = order === signature(keys) && values.length === keys.length && keys.every((key, index) => canHold(key, values[index]))
  if (!isOurs) throw new RequestError('BAD_USER_INPUT', `\`${name}\` is not a cursor of this list.`, { field: name })
  return values
}

function signature(keys: readonly OrderKey[]): string {
  return keys.map(({ name }) => name).join(',')
}

function canHold({ nullable, accepts }: OrderKey, value: unknown): boolean {
  return value === null ? nullable : accepts(value)
}

function parse(cursor: string): readonly unknown[] {
  if (cursor.length > mostCharacters) return []
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    return Array.isArray(value) ? value : []
  } catch {
    return []
  }
}
