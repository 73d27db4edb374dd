import { RequestError } from '../domain/errors.ts'
import { isUuid } from '../domain/normalize.ts'
import { defaultPageSize, maxPageSize } from '../domain/user-page.ts'

type PageArguments = { first?: number | null; last?: number | null; after?: string | null; before?: string | null }

/**
 * The price of a page: its size times what is asked of each entry. It is asked for before anything is read, and refuses
 * page sizes out of bounds.
 * @throws {RequestError} BAD_USER_INPUT
 */
export function pageCost({ first, last }: PageArguments): { field: number; multiplier: number } {
  for (const [name, size] of Object.entries({ first, last }))
    if (typeof size === 'number' && (size < 0 || size > maxPageSize))
      throw new RequestError('BAD_USER_INPUT', `\`${name}\` must be from 0 to ${maxPageSize}.`, { field: name })
  return { field: 1, multiplier: Math.max(first ?? last ?? defaultPageSize, 1) }
}

/** The same for lists whose cursors are made of ids by the library, which would hand a broken one to the database. */
export function idPageCost(args: PageArguments): { field: number; multiplier: number } {
  for (const [name, cursor] of Object.entries({ after: args.after, before: args.before }))
    if (
      typeof cursor === 'string' &&
      !isUuid(
        Buffer.from(cursor, 'base64')
          .toString()
          .replace(/^GPC:S:/, ''),
      )
    )
      throw new RequestError('BAD_USER_INPUT', `\`${name}\` is not a cursor of this list.`, { field: name })
  return pageCost(args)
}
