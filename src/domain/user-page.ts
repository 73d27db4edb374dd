import type { Database } from '../database/database.ts'
import { plannedEachTime } from '../database/statement-names.ts'
import { Prisma } from '../generated/prisma/client.ts'
import { RequestError } from './errors.ts'
import { compileUserFilter, type UserFilter } from './user-filter.ts'
import { orderKeys, type UserOrder } from './user-order.ts'
import { decodeCursor, encodeCursor } from './user-page/cursor.ts'
import { keyRanges } from './user-page/key-range.ts'
import { type KeyRow, readPage, type Selection } from './user-page/read-page.ts'

export type { UserOrder, UserOrderField } from './user-order.ts'

/** A list answers this many users unless asked for fewer or more. */
export const defaultPageSize = 50
/** More than this is refused, never cut silently. */
export const maxPageSize = 250

/** Which page of which users. Null counts as absent. */
export type UserPageRequest = Readonly<{
  filter?: UserFilter | null
  /** The filter a search was parsed into; it must hold as well. */
  search?: UserFilter | null
  /** Absent or empty: by the time of creation. */
  orderBy?: readonly UserOrder[] | null
  first?: number | null
  after?: string | null
  last?: number | null
  before?: string | null
}>

/** A page of users in the order asked for. */
export type UserPage<User = never> = Readonly<{
  ids: string[]
  /** The cursor of the user at a place of the page: few are asked for. */
  cursorOf: (index: number) => string
  /** What was to be read of them; null where nothing was. */
  users: User[] | null
  /** Going back, whether there is a cursor the page stands before. */
  hasNextPage: boolean
  /** Going forth, whether there is a cursor the page stands after. */
  hasPreviousPage: boolean
}>

/** What is read of the users of a page by the same statement, and what is made of it. */
export type UserSelection<User> = Selection & Readonly<{ toRecord: (row: Readonly<Record<string, unknown>>) => User }>

/**
 * Finds a page of users by one statement, two for a filter of many values, which reads what is selected of them too. Without a filter it
 * reads no more rows than the page has, wherever it stands, if an index serves the order: any single key does. Users who are made or
 * removed meanwhile shift nothing. Ids settle ties, in the direction of the last key.
 * @throws {RequestError} BAD_USER_INPUT
 */
export async function findUserPage<User = never>(
  { read, lookUp }: Pick<Database, 'read' | 'lookUp'>,
  request: UserPageRequest,
  now: Date,
  selection: UserSelection<User> | null = null,
): Promise<UserPage<User>> {
  const { size, isBackward, cursor } = parsePage(request)
  const order = orderKeys(request.orderBy ?? [])
  const values = cursor === null ? null : decodeCursor(order, cursor, isBackward ? 'before' : 'after')
  const keys = isBackward ? order.map((key) => ({ ...key, ascending: !key.ascending })) : order
  const meets = compileUserFilter(request.filter ?? {}, { now, search: request.search })
  const place = { keys, ranges: keyRanges(keys, values), meets }
  const rows = await readPage(isShort(request, size) ? lookUp : read, place, size + 1, selection)
  const page = rows.slice(0, size)
  if (isBackward) page.reverse()
  const [hasMore, hasCursor] = [rows.length > size, cursor !== null]
  const valuesOf = (row: KeyRow | undefined) => keys.map((_, index) => row?.[`k${index}`] ?? null)
  return {
    ids: page.map((row) => String(row[`k${keys.length - 1}`])),
    cursorOf: (index) => encodeCursor(order, valuesOf(page[index])),
    users: selection && page.map(selection.toRecord),
    hasNextPage: isBackward ? hasCursor : hasMore,
    hasPreviousPage: isBackward ? hasMore : hasCursor,
  }
}

/** Whether an index has the page as it is asked for, and it is no long one. */
function isShort({ filter, search, orderBy }: UserPageRequest, size: number): boolean {
  return Object.keys({ ...filter, ...search }).length === 0 && (orderBy?.length ?? 0) <= 1 && size <= defaultPageSize
}

/**
 * Counts the users a filter leaves. Reads all of them.
 * @throws {RequestError} BAD_USER_INPUT
 */
export async function countUsers(db: Prisma.TransactionClient, filter: UserFilter, now: Date, search?: UserFilter | null): Promise<number> {
  const rows = await db.$queryRaw<{ count: number }[]>`
    select ${Prisma.raw(plannedEachTime)} count(*)::integer as count from roster.users u where ${compileUserFilter(filter, { now, search })}`
  return rows[0]?.count ?? 0
}

type Page = Readonly<{ size: number; isBackward: boolean; cursor: string | null }>

function parsePage({ first, after, last, before }: UserPageRequest): Page {
  const isBackward = (last ?? before ?? null) !== null
  if (isBackward && (first ?? after ?? null) !== null)
    throw new RequestError('BAD_USER_INPUT', 'A page is asked for by `first` and `after`, or by `last` and `before`, not by both.')
  const size = first ?? last ?? defaultPageSize
  const field = isBackward ? 'last' : 'first'
  if (!Number.isInteger(size) || size < 0 || size > maxPageSize)
    throw new RequestError('BAD_USER_INPUT', `\`${field}\` must be a whole number from 0 to ${maxPageSize}.`, { field })
  return { size, isBackward, cursor: after ?? before ?? null }
}
