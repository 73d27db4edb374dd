import { beforeAll, describe, expect, test } from 'vitest'
import type { Database } from '../src/database/database.ts'
import { RequestError } from '../src/domain/errors.ts'
import { parseSearch } from '../src/domain/search.ts'
import { seedUsers } from '../src/domain/seed.ts'
import { compileUserFilter, type UserFilter } from '../src/domain/user-filter.ts'
import { emptyDatabase, testDatabase } from './database.ts'

const now = new Date('2026-06-01T12:00:00.000Z')
const day = (text: string) => new Date(`${text}T00:00:00Z`)
const anywhere = (text: object): UserFilter => ({ or: [{ email: text }, { name: text }, { username: text }] })
const user = (path: string, filter: object): UserFilter => ({ userMetadata: [{ path, ...filter }] })
const app = (path: string, filter: object): UserFilter => ({ appMetadata: [{ path, ...filter }] })

/** A search, the filter it stands for, and whether it finds somebody among the seeded users. */
const pairs: [search: string, where: UserFilter, nobody?: 'nobody'][] = [
  ['', {}],
  ['  \n', {}],
  ['*', {}],
  ['anna', anywhere({ contains: 'anna' })],
  ['ANNA', anywhere({ contains: 'anna' })],
  ['"anna schm"', anywhere({ contains: 'Anna Schm' })],
  ['anna*', anywhere({ startsWith: 'anna' })],
  ['*nna*', anywhere({ contains: 'nna' })],
  ['Ольга', anywhere({ contains: 'ольга' })],
  ['email:ren.sato.999@example.com', { email: { eq: 'ren.sato.999@example.com' } }, 'nobody'],
  ['email:"Anna.Bauer*"', { email: { eq: 'Anna.Bauer*' } }, 'nobody'],
  ['email:anna*', { email: { startsWith: 'anna' } }],
  ['email:*münchen*', { email: { contains: 'münchen' } }, 'nobody'],
  ['email:*xn--mnchen*', { email: { contains: 'xn--mnchen' } }],
  ['email:*', { email: { exists: true } }],
  ['_exists_:email', { email: { exists: true } }],
  ['NOT _exists_:phone_number', { phoneNumber: { exists: false } }],
  ['-_exists_:last_login', { lastSignInAt: { exists: false } }],
  ['name:anna', { name: { contains: 'anna' } }],
  ['name:"Anna Müller"', { name: { eq: 'anna müller' } }],
  ['name:"Anna"', { name: { eq: 'anna' } }, 'nobody'],
  ['name:ann*', { name: { startsWith: 'ann' } }],
  ['name:佐藤*', { name: { startsWith: '佐藤' } }],
  ["name:O'Connor", { name: { contains: "o'connor" } }],
  ['username:anna_*', { username: { startsWith: 'anna_' } }],
  ['phone_number:+999*', { phoneNumber: { startsWith: '+999' } }],
  ['phone_number:"+999 000 000 0009"', { phoneNumber: { eq: '+9990000000009' } }, 'nobody'],
  ['externalId:demo-000000007', { externalId: { eq: 'demo-000000007' } }],
  ['user_id:x', { id: { eq: 'x' } }, 'nobody'],
  ['email_verified:true', { emailVerified: true }],
  ['email_verified:"false"', { emailVerified: false }],
  ['phone_verified:true', { phoneNumberVerified: true }],
  ['hasPassword:false', { hasPassword: false }],
  ['blocked:true', { status: ['BLOCKED'] }],
  ['blocked:false', { not: { status: ['BLOCKED'] } }],
  ['status:invited', { status: ['INVITED'] }],
  ['status:deleted', { status: ['DELETED'] }],
  ['status:(deleted OR invited)', { status: ['DELETED', 'INVITED'] }],
  ['created_at:2020-01-01', { createdAt: { gte: day('2020-01-01'), lt: day('2020-01-02') } }],
  ['created_at:2020-01-01T00:07:00Z', { createdAt: { gte: new Date('2020-01-01T00:07:00Z'), lte: new Date('2020-01-01T00:07:00Z') } }],
  [
    'created_at:[2020-01-01T00:30:00+00:30 TO 2020-01-01T02:00]',
    { createdAt: { gte: day('2020-01-01'), lte: new Date('2020-01-01T02:00:00Z') } },
  ],
  ['created_at:{2020-01-01T00:07:00Z TO *]', { createdAt: { gt: new Date('2020-01-01T00:07:00Z') } }],
  ['created_at:[* TO 2020-01-01]', { createdAt: { lt: day('2020-01-02') } }],
  ['created_at:[* TO 2020-01-01}', { createdAt: { lt: day('2020-01-01') } }, 'nobody'],
  ['created_at:{2020-01-01 TO *}', { createdAt: { gte: day('2020-01-02') } }, 'nobody'],
  ['last_login:[2021-01-01 TO 2021-12-31]', { lastSignInAt: { gte: day('2021-01-01'), lt: day('2022-01-01') } }],
  ['updated_at:[* TO *]', { updatedAt: { exists: true } }],
  ['logins_count:0', { signInCount: { eq: 0 } }],
  ['logins_count:{100 TO *]', { signInCount: { gt: 100 } }],
  ['logins_count:[100 TO 120}', { signInCount: { gte: 100, lt: 120 } }],
  ['identities.provider:github', { identity: { provider: { eq: 'github' } } }],
  ['identities.connection:google*', { identity: { provider: { startsWith: 'google' } } }],
  ['identities.user_id:100000000029', { identity: { providerUserId: { eq: '100000000029' } } }, 'nobody'],
  ['_exists_:identities', { identity: { exists: true } }],
  ['app_metadata.plan:pro', app('/plan', { contains: 'pro' })],
  ['app_metadata.plan:"pro"', app('/plan', { eq: 'pro' })],
  ['appMetadata.plan:Pro', app('/plan', { eq: 'Pro' }), 'nobody'],
  ['app_metadata.roles:admin', app('/roles', { contains: ['admin'] })],
  ['app_metadata.credits:500', { or: [app('/credits', { eq: 500 }), app('/credits', { eq: '500' })] }],
  ['app_metadata.credits:"500"', app('/credits', { eq: '500' }), 'nobody'],
  ['app_metadata.credits:[100 TO 200]', { and: [app('/credits', { gt: 99 }), app('/credits', { lt: 201 })] }],
  ['app_metadata.credits:{100 TO 200}', { and: [app('/credits', { gt: 100 }), app('/credits', { lt: 200 })] }],
  ['app_metadata.credits:[900 TO *]', app('/credits', { gt: 899 })],
  [
    'app_metadata.tenant:[tenant-1 TO tenant-3}',
    { and: [{ or: [app('/tenant', { gt: 'tenant-1' }), app('/tenant', { eq: 'tenant-1' })] }, app('/tenant', { lt: 'tenant-3' })] },
  ],
  ['app_metadata.flags.beta:true', app('/flags/beta', { eq: true })],
  ['user_metadata.newsletter:false', user('/newsletter', { eq: false })],
  ['user_metadata.address.city:"京都市"', user('/address/city', { eq: '京都市' })],
  ['user_metadata.interests:chess', user('/interests', { contains: 'chess' })],
  ['_exists_:app_metadata.flags', app('/flags', { exists: true })],
  ['user_metadata.address:*', user('/address', { exists: true })],
  ['user_metadata.a\\.b.c\\/d:x', user('/a.b/c~1d', { contains: 'x' }), 'nobody'],
  ['user_metadata.__proto__.x:1', user('/__proto__/x', { eq: 1 }), 'nobody'],
  ['anna OR olga', { or: [anywhere({ contains: 'anna' }), anywhere({ contains: 'olga' })] }],
  ['anna olga', { or: [anywhere({ contains: 'anna' }), anywhere({ contains: 'olga' })] }],
  ['anna && bauer', { and: [anywhere({ contains: 'anna' }), anywhere({ contains: 'bauer' })] }],
  ['anna || olga', { or: [anywhere({ contains: 'anna' }), anywhere({ contains: 'olga' })] }],
  [
    'name:anna AND email_verified:true OR blocked:true',
    { or: [{ and: [{ name: { contains: 'anna' } }, { emailVerified: true }] }, { status: ['BLOCKED'] }] },
  ],
  [
    'name:anna AND (email_verified:false OR blocked:true)',
    { and: [{ name: { contains: 'anna' } }, { or: [{ emailVerified: false }, { status: ['BLOCKED'] }] }] },
  ],
  [
    'name:(anna lukas NOT vogel)',
    { and: [{ or: [{ name: { contains: 'anna' } }, { name: { contains: 'lukas' } }] }, { not: { name: { contains: 'vogel' } } }] },
  ],
  ['name:anna -name:weiß', { and: [{ name: { contains: 'anna' } }, { not: { name: { contains: 'weiß' } } }] }],
  ['NOT name:weiß name:anna', { and: [{ name: { contains: 'anna' } }, { not: { name: { contains: 'weiß' } } }] }],
  ['!name:a* -name:o*', { and: [{ not: { name: { startsWith: 'a' } } }, { not: { name: { startsWith: 'o' } } }] }],
  ['blocked:true OR NOT email_verified:true', { or: [{ status: ['BLOCKED'] }, { emailVerified: false }] }],
  ['NOT (NOT name:anna)', { name: { contains: 'anna' } }],
  [
    'app_metadata.plan:(pro OR team) AND NOT app_metadata.roles:admin',
    { and: [app('/plan', { in: ['pro', 'team'] }), { not: app('/roles', { contains: 'admin' }) }] },
  ],
  ['name:%', { name: { contains: '%' } }, 'nobody'],
  ['email:_nna*', { email: { startsWith: '_nna' } }, 'nobody'],
  ['name:Jean\\-Luc', { name: { contains: 'jean-luc' } }],
  ['name:Jean-Luc', { name: { contains: 'jean-luc' } }],
  ['name:and', { name: { contains: 'and' } }, 'nobody'],
  ['"a\\"b\\\\"', anywhere({ contains: 'a"b\\' }), 'nobody'],
  ['\\*', anywhere({ contains: '*' }), 'nobody'],
  ['a\\:b', anywhere({ contains: 'a:b' }), 'nobody'],
]

let database: Database

beforeAll(async () => {
  database = await testDatabase()
  await emptyDatabase(database)
  await seedUsers(database.prisma, { count: 1200, clock: { now: () => now } })
}, 60_000)

async function rows(filter: UserFilter): Promise<string[]> {
  const condition = compileUserFilter(filter, { now })
  const found = await database.prisma.$queryRaw<{ id: string }[]>`select u.id from roster.users u where ${condition} order by u.id`
  return found.map(({ id }) => id)
}

describe('a search finds what the filter it stands for finds', () => {
  test.each(pairs)('%s', async (search, where, nobody) => {
    const wanted = await rows(where)

    expect(await rows(parseSearch(search))).toEqual(wanted)
    if (nobody) expect(wanted).toEqual([])
    else expect(wanted).not.toEqual([])
  })

  test('objects in a list are found by the path without it', async () => {
    const addresses = [{ city: 'Paris' }, { city: 'Lyon', tags: ['home'] }]
    await database.prisma.user.create({
      data: {
        id: '0190a5b2-0000-7000-0000-000000000001',
        userMetadata: { addresses, deep: [{ er: { still: 5 } }] },
        profile: { create: {} },
      },
    })

    for (const search of [
      'user_metadata.addresses.city:Paris',
      'user_metadata.deep.er.still:5',
      'NOT user_metadata.addresses.city:x AND _exists_:user_metadata.deep',
    ])
      expect(await rows(parseSearch(search)), search).toEqual(['0190a5b2-0000-7000-0000-000000000001'])
    expect(await rows(parseSearch('user_metadata.deep.er.still:"5"'))).toEqual([])
  })
})

describe('a search that cannot be understood says where and what was expected', () => {
  test.each<[search: string, position: number, message: string]>([
    ['email:', 7, 'expected a value for "email"'],
    ['(anna', 1, 'this parenthesis is not closed'],
    ['anna)', 5, 'this parenthesis closes nothing'],
    ['()', 2, 'not a closing parenthesis'],
    ['anna AND', 9, 'the search ends here'],
    ['AND anna', 1, 'expected a term, not AND'],
    ['anna OR OR olga', 9, 'expected a term, not OR'],
    ['NOT', 4, 'the search ends here'],
    ['"anna', 1, 'the quotation mark is not closed'],
    ['an]na', 3, '"]" is not expected here'],
    ['anna\\', 5, 'nothing follows the backslash'],
    ['[1 TO 2]', 1, 'a range needs a field'],
    ['created_at:[2020-01-01]', 12, 'expected a range'],
    ['created_at:[2020-02-31 TO *]', 13, 'expected a day'],
    ['created_at:[* TO yesterday]', 18, 'expected a day'],
    ['created_at:0000-01-01', 12, 'expected a day'],
    ['created_at:9999-12-31', 12, 'expected a day'],
    ['created_at:[2020-01-01 TO 2020*]', 27, 'the bound of a range is a value, or * alone'],
    ['logins_count:many', 14, 'expected a whole number'],
    ['logins_count:1.5', 14, 'expected a whole number'],
    ['email_verified:yes', 16, 'expected true or false'],
    ['email_verified:tru*', 16, 'a * is not understood in a value of this field'],
    ['status:happy', 8, 'expected one of ACTIVE, INVITED, BLOCKED, DELETED'],
    ['name:[a TO b]', 6, 'ranges are for times, numbers and metadata'],
    ['name:a*b', 6, 'a * is only understood at the end'],
    ['name:jan?', 6, '? is not'],
    ['*na', 1, 'a * at the start of a term needs one at its end'],
    ['+anna', 1, 'joined with AND'],
    ['color:red', 1, 'there is no such field; there are id, email'],
    ['constructor:x', 1, 'there is no such field'],
    ['user_metadata:x', 1, 'expected a path of 1 to 8 keys, as in userMetadata.address.city'],
    ['user_metadata..a:x', 1, 'expected a path'],
    ['user_metadata.a:b*', 17, 'a * is not understood'],
    ['name:(email:x)', 7, 'the values of "name" have no field of their own'],
    ['_exists_:(a)', 10, 'expected the name of a field'],
    ['_exists_:color', 10, 'there is no such field'],
    ['((((((((a))))))))', 9, 'at most 8 levels deep'],
    [`${'NOT '.repeat(9)}a`, 33, 'at most 8 levels deep'],
    ['a '.repeat(31), 61, 'at most 30 terms'],
    ['a'.repeat(1001), 1001, 'at most 1000 characters'],
    ['a\0', 1, 'NUL'],
    ['a\ud800', 1, 'surrogate'],
  ])('%s', (search, position, message) => {
    const parse = () => parseSearch(search)

    expect(parse).toThrow(message)
    expect(parse).toThrow(expect.objectContaining({ code: 'BAD_USER_INPUT', extensions: { field: 'search', position } }))
  })
})

test('a search that stands for more than a filter may ask is refused', () => {
  const terms = (count: number) => Array.from({ length: count }, () => 'user_metadata.a.b.c.d.e.f.g:5').join(' ')

  expect(parseSearch(terms(7))).toMatchObject({ or: expect.any(Array) })
  expect(() => parseSearch(terms(8))).toThrow('`search` asks for too much at once: it counts as 112 conditions')
})

describe('whatever is typed', () => {
  const pieces = [
    '(',
    ')',
    '"',
    '[',
    ']',
    '{',
    '}',
    ':',
    '\\',
    '*',
    '?',
    '-',
    '+',
    '!',
    '&&',
    '||',
    ' ',
    ' ',
    ' ',
    'AND',
    'OR',
    'NOT',
    ' TO ',
    '~',
    '^2',
    '/',
    '%',
    '_',
    "'",
    ';--',
  ]
  const words = [
    'email:',
    'name:',
    'created_at:',
    'logins_count:',
    'status:',
    'blocked:',
    'user_metadata.a.b:',
    'app_metadata.plan:',
    '_exists_:',
    'identities.provider:',
    'anna',
    'true',
    '5',
    '2020-01-01',
    '🦊',
    'é',
    '[1 TO 5]',
    '{* TO a}',
    '\ufeff',
    '\u2028',
  ]

  test('comes out as a filter the database understands, or as what is wrong with it', async () => {
    let state = 1
    const draw = (below: number) => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      return Math.floor((state / 2 ** 32) * below)
    }
    let understood = 0
    for (let round = 0; round < 20_000; round++) {
      const vocabulary = [...pieces, ...words, ...words]
      const search = Array.from({ length: 1 + draw(8) }, () => vocabulary[draw(vocabulary.length)]).join(draw(2) === 0 ? '' : ' ')
      const filter = parsed(search)
      if (filter === null) continue
      understood++
      if (understood % 20 === 0) await rows(filter)
    }

    expect(understood).toBeGreaterThan(1000)
  }, 120_000)

  test('is read in a time that its length allows', () => {
    const start = performance.now()

    for (const piece of [...pieces, ...words, '((', '\\\\', 'a:', '"a" ', '[a TO ', '[ ', '*a* '])
      for (let round = 0; round < 20; round++) parsed(piece.repeat(1000).slice(0, 1000))

    expect(performance.now() - start).toBeLessThan(2000)
  })

  function parsed(search: string): UserFilter | null {
    try {
      return parseSearch(search)
    } catch (error) {
      expect(error).toBeInstanceOf(RequestError)
      expect(error).toMatchObject({ code: 'BAD_USER_INPUT' })
      return null
    }
  }
})
