import { queryFromInfo } from '@pothos/plugin-prisma'
import { type GraphQLResolveInfo, isInputType } from 'graphql'
import type { Context } from '../context.ts'
import { parseSearch } from '../domain/search.ts'
import { filterPrice, readingPrices } from '../domain/user-filter/filter-price.ts'
import type { UserFilter } from '../domain/user-filter.ts'
import { countUsers, findUserPage } from '../domain/user-page.ts'
import { scopes } from './access.ts'
import { builder } from './builder.ts'
import { connectionOf } from './connection.ts'
import { assertValue } from './input-access.ts'
import { pageCost } from './page.ts'
import { readingPrice } from './reading-price.ts'
import { User } from './user.ts'
import { UserWhere } from './user-filter.ts'

const UserOrderField = builder.enumType('UserOrderField', {
  description: 'What users can be ordered by. Users without a value come last in ascending order and first in descending order.',
  values: {
    CREATED_AT: { description: 'When they were created.' },
    UPDATED_AT: { description: 'When they last changed.' },
    LAST_SIGN_IN_AT: { description: 'When they last signed in.' },
    EMAIL: { description: 'The e-mail address in its normal form, in the order of code points.' },
    NAME: { description: "The profile's name in its normal form, in the order of code points." },
    SIGN_IN_COUNT: { description: 'How often they have signed in.' },
  },
})

const OrderDirection = builder.enumType('OrderDirection', {
  description: 'Which way a list is ordered.',
  values: { ASC: { description: 'The smallest, earliest or first first.' }, DESC: { description: 'The greatest, latest or last first.' } },
})

const UserOrder = builder.inputType('UserOrder', {
  description: 'One key of an order.',
  fieldAccess: scopes('read:users'),
  fields: (t) => ({
    field: t.field({ type: UserOrderField, required: true, description: 'What to order by.' }),
    direction: t.field({ type: OrderDirection, required: true, description: 'Which way.' }),
  }),
})

const UserConnection = connectionOf(User, 'User', 'A page of users.')

builder.queryField('users', (t) =>
  t.field({
    type: UserConnection,
    access: scopes('read:users'),
    complexity: usersCost,
    description:
      'Users, page by page: as they are at this moment, however far the list goes. Without `orderBy`, in the order in which they were created.',
    args: {
      first: t.arg.int({ description: 'The size of the page, from its start: 50 unless given, 250 at most.' }),
      after: t.arg.string({ description: 'The page starts after this cursor.' }),
      last: t.arg.int({ description: 'The size of the page, from its end. Not together with `first`.' }),
      before: t.arg.string({ description: 'The page ends before this cursor.' }),
      where: t.arg({ type: UserWhere, description: 'Which users.' }),
      search: t.arg.string({
        description:
          'Which users, in the query syntax of Lucene: `email:jane* AND NOT status:blocked`, `user_metadata.plan:"pro"`, `created_at:[2026-01-01 TO *]`, `_exists_:username`. It means the same as the `where` it stands for; both together must hold.',
      }),
      orderBy: t.arg({ type: [UserOrder], description: 'The keys of the order, the first one first. The id settles ties.' }),
    },
    resolve: async (_root, { where, search, orderBy, ...page }, context, info) => {
      const request = { ...page, filter: where, search: searched(search, context, info), orderBy }
      const now = context.app.clock.now()
      const { database } = context.app
      const { prisma } = database
      const query = queryFromInfo({ context, info, paths: [['nodes'], ['edges', 'node']] })
      const found = await findUserPage(database, request, now, database.users.selection(query.select))
      const findByIds = async (ids: string[]) => {
        const users = await prisma.user.findMany({ ...query, where: { id: { in: ids } } })
        const byId = new Map(users.map((user) => [user.id, user]))
        return ids.map((id) => byId.get(id))
      }
      const users = found.users ?? (found.ids.length === 0 ? [] : await findByIds(found.ids))
      return { ...connection(found, users), totalCount: () => countUsers(prisma, where ?? {}, now, request.search) }
    },
  }),
)

type Reading = Readonly<{ where?: UserFilter | null; search?: string | null }>

/** A page of users, and what finding them costs. */
function usersCost(args: Reading & Parameters<typeof pageCost>[0], { app }: Context): ReturnType<typeof pageCost> {
  const { field, multiplier } = pageCost(args)
  const filters = [args.where ?? {}, args.search ? parseSearch(args.search) : {}]
  return { field: field + readingPrice(app, readingPrices.page + filterPrice({ and: filters })), multiplier }
}

/** A search stands for a filter: what it names is held against the same declarations as `where`. */
function searched(search: string | null | undefined, { principal }: Context, info: GraphQLResolveInfo): UserFilter | null {
  if (search === null || search === undefined) return null
  const filter = parseSearch(search)
  const type = info.schema.getType('UserWhere')
  if (isInputType(type)) assertValue(type, filter, 'search', principal, null)
  return filter
}

type Found = Awaited<ReturnType<typeof findUserPage>>

/** A user that was deleted since the page was found is left out. */
function connection<Row extends object>(found: Found, users: readonly (Row | undefined)[]) {
  const edges = users.flatMap((node, index) => (node === undefined ? [] : [new Edge(node, found, index)]))
  return { edges, pageInfo: new PageInfo(found) }
}

/** Cursors are made when they are asked for: few are. */
class Edge<Row extends object> {
  readonly node: Row
  readonly #found: Found
  readonly #index: number

  constructor(node: Row, found: Found, index: number) {
    this.node = node
    this.#found = found
    this.#index = index
  }

  get cursor(): string {
    return this.#found.cursorOf(this.#index)
  }
}

class PageInfo {
  readonly hasNextPage: boolean
  readonly hasPreviousPage: boolean
  readonly #found: Found

  constructor(found: Found) {
    this.hasNextPage = found.hasNextPage
    this.hasPreviousPage = found.hasPreviousPage
    this.#found = found
  }

  get startCursor(): string | null {
    return this.#cursorAt(0)
  }

  get endCursor(): string | null {
    return this.#cursorAt(this.#found.ids.length - 1)
  }

  #cursorAt(index: number): string | null {
    return this.#found.ids.length === 0 ? null : this.#found.cursorOf(index)
  }
}
