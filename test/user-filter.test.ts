import { beforeAll, describe, expect, test } from 'vitest'
import type { Database } from '../src/database/database.ts'
import { compileUserFilter, type UserFilter } from '../src/domain/user-filter.ts'
import { countUsers } from '../src/domain/user-page.ts'
import { emptyDatabase, testDatabase } from './database.ts'
import { insertPeople, type Person } from './people.ts'

const now = new Date('2026-06-01T12:00:00.000Z')
const daysAgo = (days: number) => new Date(now.getTime() - days * 86_400_000)
const daysAhead = (days: number) => daysAgo(-days)

const people: Readonly<Record<string, Person>> = {
  a: {
    user: {
      email: 'Ada@Example.com',
      emailNormal: 'ada@example.com',
      emailVerified: true,
      username: 'Ada_L',
      usernameNormal: 'ada_l',
      externalId: 'Crm|1',
      nameNormal: 'ada lovelace',
      createdAt: daysAgo(100),
      lastSignInAt: daysAgo(1),
      signInCount: 7,
      userMetadata: { plan: 'pro', age: 36, tags: ['math', 'art'], '0': { x: 1 }, 'a/b': { 'c~d': true }, nothing: null },
      appMetadata: { level: 3 },
    },
    identities: [
      ['google', '100%'],
      ['github', 'ada'],
    ],
    password: true,
  },
  b: {
    user: {
      email: 'bob@example.com',
      emailNormal: 'bob@example.com',
      phoneNumber: '+4915112345678',
      phoneNumberVerified: true,
      nameNormal: 'bob 100%',
      createdAt: daysAgo(50),
      blockedAt: daysAgo(2),
      userMetadata: { plan: ['pro'], age: '36', tags: { '0': 'math', '-1': 'odd', '01': 'zero' } },
    },
    identities: [['google', 'ada']],
  },
  c: {
    user: {
      nameNormal: 'chloé \\ _',
      usernameNormal: 'c%',
      createdAt: daysAgo(40),
      blockedAt: daysAgo(3),
      blockedUntil: daysAgo(1),
      invitedAt: daysAgo(40),
      userMetadata: { plan: 'free', age: 9, address: { city: 'Zürich' }, list: [{ plan: 'pro' }] },
    },
  },
  d: {
    user: {
      createdAt: daysAgo(30),
      blockedAt: daysAgo(3),
      blockedUntil: daysAhead(1),
      invitedAt: daysAgo(30),
      userMetadata: { age: true },
    },
  },
  e: { user: { createdAt: daysAgo(20), invitedAt: daysAgo(20), externalId: 'crm|1', updatedAt: daysAgo(5), userMetadata: { age: 'Zed' } } },
  x: {
    user: {
      emailNormal: 'xena@example.com',
      createdAt: daysAgo(10),
      deletedAt: daysAgo(1),
      blockedAt: daysAgo(2),
      userMetadata: { plan: 'pro' },
    },
  },
}

let database: Database
let ids: ReadonlyMap<string, string>

beforeAll(async () => {
  database = await testDatabase()
  await emptyDatabase(database)
  ids = await insertPeople(database, people)
})

async function names(filter: UserFilter, search?: UserFilter): Promise<string> {
  const condition = compileUserFilter(filter, { now, search })
  const rows = await database.prisma.$queryRaw<{ id: string }[]>`select u.id from roster.users u where ${condition}`
  expect(await countUsers(database.prisma, filter, now, search)).toBe(rows.length)
  return [...ids].flatMap(([name, id]) => (rows.some((row) => row.id === id) ? [name] : [])).join('')
}

function userMetadata(path: string, filter: object): UserFilter {
  return { userMetadata: [{ path, ...filter }] }
}

describe('texts', () => {
  test.each<[string, UserFilter, string]>([
    ['an e-mail in any case', { email: { eq: ' ADA@EXAMPLE.COM ' } }, 'a'],
    ['one of several, those that are none left out', { email: { in: ['bob@example.com', 'nonsense', 'none@example.com'] } }, 'b'],
    ['none of nothing', { email: { in: [] } }, ''],
    ['what is no e-mail is nobody`s', { email: { eq: 'ada' } }, ''],
    ['a part in any case', { email: { contains: 'A@EXAM' } }, 'a'],
    ['the beginning in any case', { email: { startsWith: 'ADA@' } }, 'a'],
    ['all of several members', { email: { startsWith: 'a', contains: 'bob' } }, ''],
    ['none at all', { email: { exists: false } }, 'cde'],
    ['any', { email: { exists: true } }, 'ab'],
    ['an empty part is in every one there is', { email: { contains: '' } }, 'ab'],
    ['a percent sign is one', { name: { contains: '%' } }, 'b'],
    ['and so at the start', { username: { startsWith: '%' } }, ''],
    ['an underscore is one', { username: { contains: '_' } }, 'a'],
    ['a backslash is one', { name: { contains: '\\' } }, 'c'],
    ['accents in either Unicode form', { name: { startsWith: 'CHLOE\u0301' } }, 'c'],
    ['a whole name in any case', { name: { eq: 'Ada LOVELACE' } }, 'a'],
    ['no name', { name: { exists: false } }, 'de'],
    ['a phone number as people write it', { phoneNumber: { eq: '+49 (151) 123-45678' } }, 'b'],
    ['a part of it as well', { phoneNumber: { contains: '151 123' } }, 'b'],
    ['its beginning', { phoneNumber: { startsWith: '+49 151' } }, 'b'],
    ['an external id exactly', { externalId: { eq: 'Crm|1' } }, 'a'],
    ['a part of it exactly', { externalId: { contains: 'crm' } }, 'e'],
  ])('%s', async (_, filter, expected) => {
    expect(await names(filter)).toBe(expected)
  })
})

describe('states', () => {
  test.each<[string, UserFilter, string]>([
    ['a block ends by itself', { status: ['BLOCKED'] }, 'bd'],
    ['who was invited and is not blocked', { status: ['INVITED'] }, 'ce'],
    ['everybody else', { status: ['ACTIVE'] }, 'a'],
    ['a deleted user is nothing else', { status: ['DELETED'] }, 'x'],
    ['several', { status: ['ACTIVE', 'INVITED'] }, 'ace'],
    ['all of them', { status: ['ACTIVE', 'INVITED', 'BLOCKED', 'DELETED'] }, 'abcdex'],
    ['none of them', { status: [] }, ''],
    ['without a state, nobody who is deleted', {}, 'abcde'],
    ['nor by another member', { email: { contains: 'xena' } }, ''],
    ['nor by the complement of a state', { not: { status: ['ACTIVE'] } }, 'bcde'],
    ['unless a state names them', { and: [{ status: ['DELETED', 'BLOCKED'] }, { email: { exists: true } }] }, 'bx'],
    ['beside others', { or: [{ status: ['DELETED'] }, { email: { contains: 'example' } }] }, 'abx'],
    ['below not, they are taken away from everybody', { not: { status: ['DELETED', 'BLOCKED'] } }, 'ace'],
  ])('%s', async (_, filter, expected) => {
    expect(await names(filter)).toBe(expected)
  })

  test('a search that names deleted users asks for them, and the other way round', async () => {
    expect(await names({ email: { exists: true } }, { status: ['DELETED'] })).toBe('x')
    expect(await names({ status: ['DELETED'] }, { email: { exists: true } })).toBe('x')
    expect(await names({ email: { exists: true } }, { emailVerified: false })).toBe('b')
  })
})

describe('what holds together', () => {
  test.each<[string, UserFilter, string]>([
    ['all members of one filter', { emailVerified: true, hasPassword: true, name: { startsWith: 'ada' } }, 'a'],
    ['not is the complement, also where there is no value', { not: { email: { eq: 'ada@example.com' } } }, 'bcde'],
    ['twice it is nothing', { not: { not: { email: { eq: 'ada@example.com' } } } }, 'a'],
    ['not over several', { not: { or: [{ email: { contains: 'ada' } }, { hasPassword: false }] } }, ''],
    ['and of nothing', { and: [] }, 'abcde'],
    ['or of nothing', { or: [] }, ''],
    ['a filter of nothing', { or: [{}] }, 'abcde'],
    ['not of nothing', { not: {} }, ''],
    ['an id, in any case', { id: { eq: '0190A5B2-0000-7000-0000-000000000001' } }, 'b'],
    ['ids, those that are none left out', { id: { in: ['0190a5b2-0000-7000-0000-000000000002', 'x', ''] } }, 'c'],
    ['what is no id', { id: { eq: 'x' } }, ''],
    ['flags', { phoneNumberVerified: true }, 'b'],
    ['no password', { hasPassword: false }, 'bcde'],
    ['times', { createdAt: { gte: daysAgo(40), lt: daysAgo(20) } }, 'cd'],
    ['times with their bounds left out', { createdAt: { gt: daysAgo(40), lte: daysAgo(20) } }, 'de'],
    ['no time', { lastSignInAt: { exists: false } }, 'bcde'],
    ['the last change', { updatedAt: { lte: daysAgo(5) } }, 'e'],
    ['a count', { signInCount: { gte: 1, lt: 8 } }, 'a'],
    ['a count beyond what is counted to', { signInCount: { lt: Number.MAX_SAFE_INTEGER } }, 'abcde'],
  ])('%s', async (_, filter, expected) => {
    expect(await names(filter)).toBe(expected)
  })
})

describe('an identity', () => {
  test.each<[string, UserFilter, string]>([
    ['one that is all of it', { identity: { provider: { eq: 'github' }, providerUserId: { eq: 'ada' } } }, 'a'],
    ['not two that are', { identity: { provider: { eq: 'google' }, providerUserId: { startsWith: 'a' } } }, 'b'],
    ['literally', { identity: { providerUserId: { contains: '%' } } }, 'a'],
    ['exactly', { identity: { provider: { eq: 'Google' } } }, ''],
    ['any', { identity: { exists: true } }, 'ab'],
    ['none', { identity: { exists: false } }, 'cde'],
    ['none like this', { identity: { exists: false, provider: { eq: 'github' } } }, 'bcde'],
    ['nothing asked', { identity: {} }, 'abcde'],
  ])('%s', async (_, filter, expected) => {
    expect(await names(filter)).toBe(expected)
  })
})

describe('metadata', () => {
  test.each<[string, UserFilter, string]>([
    ['a value', userMetadata('/plan', { eq: 'pro' }), 'a'],
    ['a list is another value', userMetadata('/plan', { eq: ['pro'] }), 'b'],
    ['a number is not a text', userMetadata('/age', { eq: 36 }), 'a'],
    ['nor a text a number', userMetadata('/age', { eq: '36' }), 'b'],
    ['however it is written', userMetadata('/age', { eq: 36.0 }), 'a'],
    ['one of several', userMetadata('/plan', { in: ['free', ['pro'], 1] }), 'bc'],
    ['none of nothing', userMetadata('/plan', { in: [] }), ''],
    ['an item of a list, or the value itself', userMetadata('/plan', { contains: 'pro' }), 'ab'],
    ['a part of an object', userMetadata('', { contains: { address: { city: 'Zürich' } } }), 'c'],
    ['an object in a list', userMetadata('/list', { contains: [{ plan: 'pro' }] }), 'c'],
    ['the item at an index, and the member of that name', userMetadata('/tags/0', { eq: 'math' }), 'ab'],
    ['a member that is named like an index', userMetadata('/0/x', { eq: 1 }), 'a'],
    ['no index from the end', userMetadata('/tags/-1', { exists: true }), 'b'],
    ['no index with a zero before', userMetadata('/tags/01', { exists: true }), 'b'],
    [
      'no index with a sign or a blank',
      { or: ['/tags/+1', '/tags/ 1', '/tags/1 '].map((path) => userMetadata(path, { exists: true })) },
      '',
    ],
    ['an index beyond all numbers', userMetadata('/tags/99999999999999999999', { exists: true }), ''],
    ['keys with a slash and a tilde', userMetadata('/a~1b/c~0d', { eq: true }), 'a'],
    ['null is a value', userMetadata('/nothing', { exists: true }), 'a'],
    ['no value', userMetadata('/plan', { exists: false }), 'de'],
    ['numbers with numbers', userMetadata('/age', { gt: 8 }), 'ac'],
    ['numbers not as texts', userMetadata('/age', { gt: 9 }), 'a'],
    ['texts with texts', userMetadata('/age', { lt: '4' }), 'b'],
    ['texts by their code points', userMetadata('/age', { gt: 'Z', lt: 'a' }), 'e'],
    ['a bound no number reaches', userMetadata('/age', { lt: Number.MAX_VALUE }), 'ac'],
    [
      'all of several',
      {
        userMetadata: [
          { path: '/plan', eq: 'pro' },
          { path: '/age', gt: 40 },
        ],
      },
      '',
    ],
    ['what is not there is not less', userMetadata('/plan/deeper', { lt: 'z' }), ''],
    ['app metadata', { appMetadata: [{ path: '/level', eq: 3 }] }, 'a'],
    ['an empty object within', userMetadata('/address', { contains: {} }), 'c'],
    ['the whole bag', userMetadata('', { eq: { age: true } }), 'd'],
  ])('%s', async (_, filter, expected) => {
    expect(await names(filter)).toBe(expected)
  })
})

describe('refused', () => {
  const deep = (levels: number): UserFilter => (levels === 1 ? {} : { not: deep(levels - 1) })
  const many = (count: number): UserFilter => ({ or: Array.from({ length: count }, () => ({ emailVerified: true })) })

  test.each<[string, unknown]>([
    ['where.email', { email: null }],
    ['where.email.eq', { email: { eq: null } }],
    ['where.and.1.email.contains', { and: [{}, { email: { contains: null } }] }],
    ['where.or.0.not.status', { or: [{ not: { status: null } }] }],
    ['where.email.in.1', { email: { in: ['a', null] } }],
    ['where.name.contains', { name: { contains: 'a\0b' } }],
    ['where.name.contains', { name: { contains: '\ud800' } }],
    ['where.externalId.startsWith', { externalId: { startsWith: 'x'.repeat(1001) } }],
    ['where.id.in', { id: { in: Array.from({ length: 1001 }, () => 'x') } }],
    ['where.email.in', { email: { in: Array.from({ length: 101 }, () => 'x') } }],
    ['where.createdAt.gt', { createdAt: { gt: new Date(Number.NaN) } }],
    ['where.createdAt.gt', { createdAt: { gt: new Date('0000-01-01T00:00:00Z') } }],
    ['where.createdAt.lt', { createdAt: { lt: new Date('+010000-01-01T00:00:00Z') } }],
    ['where.userMetadata.0.path', { userMetadata: [{ path: 'plan', eq: 1 }] }],
    ['where.userMetadata.0.path', { userMetadata: [{ path: '/a~2', eq: 1 }] }],
    ['where.userMetadata.0.path', { userMetadata: [{ path: '/a'.repeat(17), eq: 1 }] }],
    ['where.userMetadata.0.eq', { userMetadata: [{ path: '/plan', eq: null }] }],
    ['where.userMetadata.0.in.0', { userMetadata: [{ path: '/plan', in: [null] }] }],
    ['where.userMetadata.0.eq', { userMetadata: [{ path: '/plan', eq: 'a\0' }] }],
    ['where.userMetadata.0.contains', { userMetadata: [{ path: '/plan', contains: { 'a\0': 1 } }] }],
    ['where.userMetadata.0.gt', { userMetadata: [{ path: '/plan', gt: true }] }],
    ['where.userMetadata.0.lt', { userMetadata: [{ path: '/plan', lt: {} }] }],
    ['where.userMetadata.0.gt', { userMetadata: [{ path: '/plan', gt: Number.POSITIVE_INFINITY }] }],
    ['where.userMetadata.0.contains', { userMetadata: [{ path: '/plan', contains: [[[[[[[[[1]]]]]]]]] }] }],
    ['where.or', many(101)],
    ['where', { and: [many(60), many(60)] }],
    ['where', { userMetadata: Array.from({ length: 21 }, () => ({ path: '/plan', exists: true })) }],
    ['where', { and: [1, 2].map(() => ({ userMetadata: [{ path: '/plan', in: Array.from({ length: 51 }, () => 1) }] })) }],
    ['where.or', { or: Array.from({ length: 101 }, () => ({})) }],
    ['where.not.not.not.not.not.not.not.not', deep(9)],
  ])('%s', (path, filter) => {
    const compile = () => compileUserFilter(filter as UserFilter, { now })

    expect(compile).toThrow(expect.objectContaining({ code: 'BAD_USER_INPUT', extensions: { field: path } }))
    expect(compile).toThrow(`\`${path}\` `)
  })

  test('what is as large as is allowed is not', async () => {
    expect(await names(many(100))).toBe('a')
    expect(await names(deep(8))).toBe('')
    expect(
      await names({ id: { in: Array.from({ length: 1000 }, (_, index) => `0190a5b2-0000-7000-0000-${String(index).padStart(12, '0')}`) } }),
    ).toBe('abcde')
    expect(await names({ createdAt: { gt: new Date('0001-01-01T00:00:00Z'), lt: new Date('9999-12-31T23:59:59.999Z') } })).toBe('abcde')
  })
})
