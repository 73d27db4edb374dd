import { beforeAll, describe, expect, test } from 'vitest'
import type { Database, RunRead } from '../src/database/database.ts'
import { seedUsers } from '../src/domain/seed.ts'
import type { UserFilter } from '../src/domain/user-filter.ts'
import { countUsers, findUserPage, type UserOrder, type UserOrderField, type UserPageRequest } from '../src/domain/user-page.ts'
import { emptyDatabase, testDatabase } from './database.ts'
import { insertPeople, type Person } from './people.ts'

const now = new Date('2026-06-01T12:00:00.000Z')
const fields: readonly UserOrderField[] = ['CREATED_AT', 'UPDATED_AT', 'LAST_SIGN_IN_AT', 'EMAIL', 'NAME', 'SIGN_IN_COUNT']
const count = 41

/** Few values and many of none, so that every key has ties, and the nulls fill more than a page. */
function personOf(index: number): Person['user'] {
  const day = (number: number) => new Date(Date.UTC(2026, 0, 1 + number))
  return {
    createdAt: day(index % 7),
    updatedAt: day(index % 5),
    lastSignInAt: index % 3 === 0 ? null : day(index % 4),
    emailNormal: index % 4 === 0 ? null : `${'éa_Z%z'.charAt(index % 6)}${index}@example.com`,
    nameNormal: index % 5 === 0 ? null : (['ábel', 'abel', 'zoe', 'ζωή', '🦊'][index % 7] ?? 'abel'),
    signInCount: index % 3,
  }
}

type Row = Readonly<{ id: string; values: Readonly<Record<UserOrderField, string | number | null>> }>

let database: Database
let rows: readonly Row[]

beforeAll(async () => {
  database = await testDatabase()
  await emptyDatabase(database)
  const users = Array.from({ length: count }, (_, index) => personOf((index * 17) % count))
  const ids = await insertPeople(database, Object.fromEntries(users.map((user, index) => [`p${index}`, { user }])))
  rows = users.map((user, index) => {
    const time = (date: unknown) => (date instanceof Date ? date.toISOString() : null)
    const { emailNormal = null, nameNormal = null, signInCount = 0 } = user
    const times = { CREATED_AT: time(user.createdAt), UPDATED_AT: time(user.updatedAt), LAST_SIGN_IN_AT: time(user.lastSignInAt) }
    return { id: ids.get(`p${index}`) ?? '', values: { ...times, EMAIL: emailNormal, NAME: nameNormal, SIGN_IN_COUNT: signInCount } }
  })
})

function sorted(orderBy: readonly UserOrder[]): string[] {
  const compare = (one: string | number | null, other: string | number | null) => {
    if (one === other) return 0
    if (one === null || other === null) return one === null ? 1 : -1
    return typeof one === 'number' && typeof other === 'number'
      ? one - other
      : Buffer.compare(Buffer.from(String(one)), Buffer.from(String(other)))
  }
  const keys = orderBy.length === 0 ? [{ field: 'CREATED_AT', direction: 'ASC' } as const] : orderBy
  const compareRows = (one: Row, other: Row) => {
    for (const { field, direction } of keys) {
      const order = compare(one.values[field], other.values[field])
      if (order !== 0) return direction === 'ASC' ? order : -order
    }
    return keys.at(-1)?.direction === 'ASC' ? compare(one.id, other.id) : -compare(one.id, other.id)
  }
  return rows.toSorted(compareRows).map(({ id }) => id)
}

/** A page with all of its cursors. */
async function pageOf(...given: Parameters<typeof findUserPage>) {
  const { cursorOf, ...page } = await findUserPage(...given)
  return { ...page, cursors: page.ids.map((_, index) => cursorOf(index)) }
}

async function walk(request: UserPageRequest, size: number, direction: 'forth' | 'back'): Promise<string[]> {
  const found: string[] = []
  for (let cursor: string | null = null; found.length <= count; ) {
    const place: UserPageRequest = direction === 'forth' ? { first: size, after: cursor } : { last: size, before: cursor }
    const page = await pageOf(database, { ...request, ...place }, now)
    const hasMore = direction === 'forth' ? page.hasNextPage : page.hasPreviousPage
    expect(direction === 'forth' ? page.hasPreviousPage : page.hasNextPage).toBe(cursor !== null)
    expect(page.ids.length).toBe(hasMore ? size : page.cursors.length)
    if (direction === 'forth') found.push(...page.ids)
    else found.unshift(...page.ids)
    cursor = (direction === 'forth' ? page.cursors.at(-1) : page.cursors[0]) ?? null
    if (!hasMore) return found
  }
  throw new Error('there are more pages than there can be')
}

const directions = ['ASC', 'DESC'] as const
const orders: UserOrder[][] = [
  [],
  ...fields.flatMap((field) => directions.map((direction) => [{ field, direction }])),
  ...fields.flatMap((first) =>
    fields
      .filter((second) => second !== first)
      .flatMap((second) =>
        directions.map((direction) => [
          { field: first, direction },
          { field: second, direction: direction === 'ASC' ? 'DESC' : 'ASC' } as const,
        ]),
      ),
  ),
  [
    { field: 'SIGN_IN_COUNT', direction: 'DESC' },
    { field: 'LAST_SIGN_IN_AT', direction: 'ASC' },
    { field: 'NAME', direction: 'DESC' },
    { field: 'UPDATED_AT', direction: 'DESC' },
  ],
]
const named = orders.map((orderBy): [string, UserOrder[]] => [
  orderBy.map(({ field, direction }) => `${field} ${direction}`).join(', ') || 'no order',
  orderBy,
])

describe('pages of an order, put together, are the whole of it', () => {
  test.each(named)('%s', async (_, orderBy) => {
    const whole = sorted(orderBy)

    expect(await walk({ orderBy }, 4, 'forth')).toEqual(whole)
    expect(await walk({ orderBy }, 4, 'back')).toEqual(whole)
    expect(await walk({ orderBy }, 250, 'forth')).toEqual(whole)
  })

  test('filtered as well', async () => {
    const filter: UserFilter = { or: [{ signInCount: { eq: 1 } }, { name: { exists: false } }] }
    const orderBy = [{ field: 'LAST_SIGN_IN_AT', direction: 'DESC' } as const]
    const kept = sorted(orderBy).filter((id) =>
      rows.some((row) => row.id === id && (row.values.SIGN_IN_COUNT === 1 || row.values.NAME === null)),
    )

    expect(await walk({ orderBy, filter }, 3, 'forth')).toEqual(kept)
    expect(await countUsers(database.prisma, filter, now)).toBe(kept.length)
  })
})

describe('a page', () => {
  test('of a user in the middle is reached from either side', async () => {
    const whole = sorted([])
    const { cursors } = await pageOf(database, { first: 20 }, now)

    const next = await pageOf(database, { first: 5, after: cursors[9] ?? '' }, now)
    const previous = await pageOf(database, { last: 5, before: cursors[9] ?? '' }, now)

    expect(next).toMatchObject({ ids: whole.slice(10, 15), hasNextPage: true, hasPreviousPage: true })
    expect(previous).toMatchObject({ ids: whole.slice(4, 9), hasNextPage: true, hasPreviousPage: true })
  })

  test('has fifty users unless told otherwise, and may have none', async () => {
    expect((await pageOf(database, {}, now)).ids).toHaveLength(count)
    expect(await pageOf(database, { first: 0 }, now)).toEqual({
      ids: [],
      cursors: [],
      users: null,
      hasNextPage: true,
      hasPreviousPage: false,
    })
    expect(await pageOf(database, { first: 5, filter: { status: ['DELETED'] } }, now)).toEqual({
      ids: [],
      cursors: [],
      users: null,
      hasNextPage: false,
      hasPreviousPage: false,
    })
  })

  test('stays where it is when users before it come and go', async () => {
    const orderBy = [{ field: 'EMAIL', direction: 'ASC' } as const]
    const { ids, cursors } = await pageOf(database, { orderBy, first: 10 }, now)
    const request = { orderBy, first: 5, after: cursors.at(-1) ?? '' }
    const expected = await pageOf(database, request, now)

    const work = database.prisma.$transaction(async (tx) => {
      await tx.user.create({ data: { id: '0190a5b2-0000-7000-0000-00000000ffff', emailNormal: '!first@example.com' } })
      await tx.user.deleteMany({ where: { id: { in: ids } } })
      const read: RunRead = (text, values) => tx.$queryRawUnsafe(text, ...values)
      expect(await pageOf({ read, lookUp: read }, request, now)).toEqual(expected)
      throw new Error('undone')
    })

    await expect(work).rejects.toThrow('undone')
  })
})

describe('a page that PostgreSQL may look for keeps nobody waiting who looks something up', () => {
  const short = { filter: {}, search: null, orderBy: [{ field: 'NAME', direction: 'DESC' }], last: 50 } as const
  const long: Readonly<Record<string, UserPageRequest>> = {
    'with a filter': { ...short, filter: { email: { contains: 'a' } } },
    'of a search': { ...short, search: { username: { startsWith: 'a' } } },
    'by several keys': { ...short, orderBy: [...short.orderBy, { field: 'EMAIL', direction: 'ASC' }] },
    'of many users': { ...short, last: 51 },
  }

  test('one that an index has is looked up', async () => {
    expect(await waysOf(short)).toEqual(['lookUp'])
    expect(await waysOf({})).toEqual(['lookUp'])
  })

  test.each(Object.entries(long))('one %s is read beside', async (_, request) => {
    expect(new Set(await waysOf(request))).toEqual(new Set(['read']))
  })

  async function waysOf(request: UserPageRequest): Promise<string[]> {
    const ways: string[] = []
    const by = (way: string) => async () => {
      ways.push(way)
      return []
    }
    await findUserPage({ read: by('read'), lookUp: by('lookUp') }, request, now)
    return ways
  }
})

describe('refused', () => {
  const cursorOf = (...parts: unknown[]) => Buffer.from(JSON.stringify(parts)).toString('base64url')
  const id = '0190a5b2-0000-7000-0000-000000000001'
  const byEmail = [{ field: 'EMAIL', direction: 'ASC' } as const]

  test.each<[string, UserPageRequest, string | undefined]>([
    ['fewer than none', { first: -1 }, 'first'],
    ['more than are allowed', { first: 251 }, 'first'],
    ['half a user', { first: 1.5 }, 'first'],
    ['more than are allowed, going back', { last: 251 }, 'last'],
    ['both ways at once', { first: 1, last: 1 }, undefined],
    ['a size for one way and a place for the other', { first: 1, before: cursorOf() }, undefined],
    ['two places', { after: cursorOf(), before: cursorOf() }, undefined],
    ['a field twice', { orderBy: [...byEmail, { field: 'EMAIL', direction: 'DESC' }] }, 'orderBy.1.field'],
    ['a cursor of another order', { orderBy: byEmail, after: cursorOf('EMAIL:DESC,ID', 'a', id) }, 'after'],
    ['an empty cursor', { after: '' }, 'after'],
    ['a cursor that is no base64', { after: '%%%' }, 'after'],
    ['a cursor that is no JSON', { after: Buffer.from('{').toString('base64url') }, 'after'],
    ['a cursor that is no list', { after: Buffer.from('{"length":3}').toString('base64url') }, 'after'],
    ['a cursor that ends too soon', { orderBy: byEmail, after: cursorOf('EMAIL:ASC,ID', 'a') }, 'after'],
    ['a cursor with too much', { orderBy: byEmail, after: cursorOf('EMAIL:ASC,ID', 'a', id, 1) }, 'after'],
    ['no id in it', { orderBy: byEmail, after: cursorOf('EMAIL:ASC,ID', 'a', 'x') }, 'after'],
    ['null for an id', { orderBy: byEmail, after: cursorOf('EMAIL:ASC,ID', 'a', null) }, 'after'],
    ['NUL in it', { orderBy: byEmail, after: cursorOf('EMAIL:ASC,ID', 'a\0', id) }, 'after'],
    ['half of a surrogate pair in it', { orderBy: byEmail, before: cursorOf('EMAIL:ASC,ID', '\ud800', id) }, 'before'],
    ['an object in it', { orderBy: byEmail, after: cursorOf('EMAIL:ASC,ID', {}, id) }, 'after'],
    ['a day that is none', { after: cursorOf('CREATED_AT:ASC,ID', '2026-02-31T00:00:00.000Z', id) }, 'after'],
    ['a time before the first year', { after: cursorOf('CREATED_AT:ASC,ID', '0000-01-01T00:00:00.000Z', id) }, 'after'],
    ['no time where there always is one', { after: cursorOf('CREATED_AT:ASC,ID', null, id) }, 'after'],
    [
      'a count that is none',
      { orderBy: [{ field: 'SIGN_IN_COUNT', direction: 'ASC' }], after: cursorOf('SIGN_IN_COUNT:ASC,ID', 2 ** 31, id) },
      'after',
    ],
    ['a cursor without end', { after: 'A'.repeat(100_000) }, 'after'],
  ])('%s', async (_, request, field) => {
    const error = expect.objectContaining({ code: 'BAD_USER_INPUT', extensions: field === undefined ? {} : { field } })

    await expect(pageOf(database, request, now)).rejects.toThrow(error)
  })
})

describe('a filter of many values finds the same pages', () => {
  const many = (filter: UserFilter): UserFilter => ({ or: Array.from({ length: 10 }, () => filter) })
  const kinds: [string, UserFilter][] = [
    ['that few rows meet', { signInCount: { eq: 3 } }],
    ['that most rows meet', { signInCount: { lt: 190 } }],
    ['that a few rows with a value meet, and all without', { or: [{ signInCount: { eq: 3 } }, { email: { exists: false } }] }],
    ['that no row meets', { email: { contains: 'nobody' } }],
    ['that rows meet at the end of the order', { createdAt: { gte: new Date('2020-01-03T17:00:00Z') } }],
  ]

  beforeAll(async () => {
    await emptyDatabase(database)
    await seedUsers(database.prisma, { count: 4000, clock: { now: () => now } })
  }, 120_000)

  test.each(kinds)('%s', async (_, filter) => {
    for (const field of ['CREATED_AT', 'LAST_SIGN_IN_AT', 'EMAIL'] as const) {
      const orderBy = [{ field, direction: field === 'EMAIL' ? 'ASC' : 'DESC' } as const]
      const first = { orderBy, filter, first: 15 }
      const page = await pageOf(database, first, now)
      const [after = null] = page.cursors.slice(-1)
      const [before = null] = page.cursors.slice(-2, -1)

      expect(await pageOf(database, { ...first, filter: many(filter) }, now)).toEqual(page)
      for (const place of [{ first: 15, after }, { last: 5, before }, { last: 15 }]) {
        const expected = await pageOf(database, { orderBy, filter, ...place }, now)
        expect(await pageOf(database, { orderBy, filter: many(filter), ...place }, now)).toEqual(expected)
      }
    }
  })
})

describe('however deep in the list, one statement reads no more than it does at the start', () => {
  const single = fields.flatMap((field) =>
    directions.map((direction): [string, UserOrder[]] => [`${field} ${direction}`, [{ field, direction }]]),
  )

  beforeAll(async () => {
    await emptyDatabase(database)
    await seedUsers(database.prisma, { count: 4000, clock: { now: () => now } })
    await database.prisma.$executeRaw`
      update roster.users set email_normal = null, last_sign_in_at = null, name_normal = null where sign_in_count % 2 = 0`
    await database.prisma.$executeRaw`vacuum analyze roster.users`
  }, 120_000)

  test.each<[string, UserOrder[]]>([['no order', []], ...single])('%s', async (_, orderBy) => {
    let after: string | null = null
    const first = await blocksRead({ orderBy, first: 20 })
    for (let row = 0; row < 3500; row += 250) after = (await pageOf(database, { orderBy, first: 250, after }, now)).cursors.at(-1) ?? null
    const deep = await blocksRead({ orderBy, first: 20, after })

    expect(deep).toBeLessThan(first + 30)
    expect(first).toBeLessThan(100)
  })

  /** Pages of 8 KiB that the statement looks at, by PostgreSQL's own account. */
  async function blocksRead(request: UserPageRequest): Promise<number> {
    const statements: number[] = []
    const explain: RunRead = async (text, values) => {
      const explained = `explain (analyze, buffers, format json) ${text}`
      const [row] = await database.read<{ 'QUERY PLAN': { Plan: Record<string, number> }[] }>(explained, values)
      const { 'Shared Hit Blocks': hit = 0, 'Shared Read Blocks': read = 0 } = row?.['QUERY PLAN'][0]?.Plan ?? {}
      statements.push(hit + read)
      return []
    }
    await findUserPage({ read: explain, lookUp: explain }, request, now)
    expect(statements).toHaveLength(1)
    return statements[0] ?? 0
  }
})
