import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { CreateUserInput } from '../src/domain/user/create-user.ts'
import { boot, type Harness } from './harness.ts'

let harness: Harness
const ids = new Map<string, string>()

beforeAll(async () => {
  harness = await boot()
  await harness.reset()
  const people: CreateUserInput[] = [
    {
      email: 'ada@example.com',
      username: 'ada',
      profile: { name: 'Ada Lovelace' },
      userMetadata: { plan: 'free', age: 36, tags: ['math'] },
      appMetadata: { role: 'admin' },
    },
    {
      email: 'BOB@example.com',
      emailVerified: true,
      profile: { name: 'Bob 100%' },
      userMetadata: { plan: 'pro', age: 20, address: { city: 'Paris' } },
    },
    {
      email: 'cy@example.org',
      phoneNumber: '+4915112345678',
      password: 'a long pass phrase',
      userMetadata: { plan: 'pro', tags: ['math', 'art'] },
    },
    { username: 'd_d', externalId: 'x-1', profile: { name: 'Ángela' } },
  ]
  for (const [index, person] of people.entries()) ids.set('abcd'.charAt(index), (await harness.aUser(person)).id)
})
beforeEach(() => harness.clock.reset())

async function names(args: string): Promise<string> {
  const { users } = (await harness.admin(`{ users(${args}) { nodes { id } } }`)) as { users: { nodes: { id: string }[] } }
  return users.nodes.map(({ id }) => [...ids].find(([, other]) => other === id)?.[0]).join('')
}

describe('where', () => {
  test.each([
    ['{}', 'abcd'],
    ['{ email: { eq: "Ada@Example.COM" } }', 'a'],
    ['{ email: { in: ["bob@example.com", "cy@example.org", "none@example.com"] } }', 'bc'],
    ['{ email: { in: [] } }', ''],
    ['{ email: { contains: "EXAMPLE.ORG" } }', 'c'],
    ['{ email: { startsWith: "b" } }', 'b'],
    ['{ email: { exists: false } }', 'd'],
    ['{ username: { contains: "_" } }', 'd'],
    ['{ name: { contains: "%" } }', 'b'],
    ['{ name: { startsWith: "ÁNG" } }', 'd'],
    ['{ phoneNumber: { eq: "+49 151 12345678" } }', 'c'],
    ['{ externalId: { eq: "x-1" } }', 'd'],
    ['{ externalId: { eq: "X-1" } }', ''],
    ['{ emailVerified: true }', 'b'],
    ['{ hasPassword: true }', 'c'],
    ['{ identity: { provider: { eq: "password" } } }', 'c'],
    ['{ identity: { exists: false } }', 'abd'],
    ['{ userMetadata: [{ path: "/plan", eq: "pro" }] }', 'bc'],
    ['{ userMetadata: [{ path: "/age", gt: 30 }] }', 'a'],
    ['{ userMetadata: [{ path: "/address/city", eq: "Paris" }] }', 'b'],
    ['{ userMetadata: [{ path: "/tags", contains: "art" }] }', 'c'],
    ['{ userMetadata: [{ path: "/tags/0", eq: "math" }] }', 'ac'],
    ['{ userMetadata: [{ path: "/plan", exists: false }] }', 'd'],
    ['{ appMetadata: [{ path: "/role", eq: "admin" }] }', 'a'],
    ['{ or: [{ username: { eq: "ada" } }, { hasPassword: true }] }', 'ac'],
    ['{ not: { userMetadata: [{ path: "/plan", eq: "pro" }] } }', 'ad'],
    ['{ and: [{ emailVerified: false }, { userMetadata: [{ path: "/plan", exists: true }] }] }', 'ac'],
    ['{ createdAt: { gt: "2999-01-01T00:00:00Z" } }', ''],
    ['{ lastSignInAt: { exists: true } }', ''],
  ])('%s', async (where, expected) => {
    expect(await names(`where: ${where}`)).toBe(expected)
  })
})

describe('search gives the rows of the filter it stands for', () => {
  test.each([
    ['email:ada@example.com', '{ email: { eq: "ada@example.com" } }'],
    [
      'user_metadata.plan:pro AND NOT email_verified:true',
      '{ and: [{ userMetadata: [{ path: "/plan", eq: "pro" }] }, { not: { emailVerified: true } }] }',
    ],
    ['name:"Ada Lovelace"', '{ name: { eq: "Ada Lovelace" } }'],
    ['name:ada*', '{ name: { startsWith: "ada" } }'],
    ['NOT _exists_:email', '{ email: { exists: false } }'],
    ['userMetadata.age:[30 TO *]', '{ userMetadata: [{ path: "/age", gt: 29 }] }'],
  ])('%s', async (search, where) => {
    const found = await names(`where: ${where}`)

    expect(found).not.toBe('')
    expect(await names(`search: ${JSON.stringify(search)}`)).toBe(found)
  })

  test('together with where, both hold', async () => {
    expect(await names('search: "user_metadata.plan:pro", where: { email: { contains: "example.com" } }')).toBe('b')
  })

  test('a search that cannot be understood says where', async () => {
    const { errors } = await harness.run('{ users(search: "email:(a OR") { totalCount } }', { token: await harness.adminToken('admin') })

    expect(errors).toMatchObject([{ path: ['users'], extensions: { code: 'BAD_USER_INPUT' } }])
  })
})

describe('pages', () => {
  const page = async (args: string) =>
    (
      (await harness.admin(
        `{ users(${args}) { totalCount edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`,
      )) as {
        users: { totalCount: number; edges: { cursor: string; node: { id: string } }[]; pageInfo: Record<string, unknown> }
      }
    ).users

  test('lead forwards and backwards over all users, in every order', async () => {
    for (const orderBy of [
      '',
      ', orderBy: [{ field: EMAIL, direction: DESC }]',
      ', orderBy: [{ field: NAME, direction: ASC }, { field: CREATED_AT, direction: DESC }]',
      ', orderBy: [{ field: LAST_SIGN_IN_AT, direction: ASC }]',
    ]) {
      const all = (await page(`first: 250${orderBy}`)).edges.map(({ node }) => node.id)
      const forwards: string[] = []
      for (let after: unknown = null; ; ) {
        const { edges, pageInfo, totalCount } = await page(`first: 1${orderBy}${after === null ? '' : `, after: "${after}"`}`)
        expect(totalCount).toBe(4)
        forwards.push(...edges.map(({ node }) => node.id))
        if (!pageInfo['hasNextPage']) break
        after = pageInfo['endCursor']
      }
      const backwards: string[] = []
      for (let before: unknown = null; ; ) {
        const { edges, pageInfo } = await page(`last: 3${orderBy}${before === null ? '' : `, before: "${before}"`}`)
        backwards.unshift(...edges.map(({ node }) => node.id))
        if (!pageInfo['hasPreviousPage']) break
        before = pageInfo['startCursor']
      }

      expect(forwards).toEqual(all)
      expect(backwards).toEqual(all)
      expect(new Set(all).size).toBe(4)
    }
  })

  test.each([
    ['first: 251', 'first'],
    ['first: -1', 'first'],
    ['last: 251', 'last'],
    ['first: 1, last: 1', undefined],
    ['after: "nonsense"', undefined],
  ])('%s is refused, never cut', async (args, field) => {
    const { errors, data } = await harness.run(`{ users(${args}) { totalCount } }`, { token: await harness.adminToken('admin') })

    expect(data).toBeFalsy()
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', ...(field ? { field } : {}) } }])
  })

  test('a cursor of another order is refused', async () => {
    const { pageInfo } = await page('first: 1, orderBy: [{ field: EMAIL, direction: ASC }]')
    const { errors } = await harness.run(`{ users(first: 1, after: "${pageInfo['endCursor']}") { totalCount } }`, {
      token: await harness.adminToken('admin'),
    })

    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }])
  })

  test('what was just written is on the next page asked for', async () => {
    const { id } = await harness.aUser({ email: 'fresh@example.com' })

    expect((await page('where: { email: { eq: "fresh@example.com" } }')).edges.map(({ node }) => node.id)).toEqual([id])
    await harness.admin(`mutation { deleteUser(input: { id: "${id}", mode: HARD }) { errors { code } } }`)
    expect((await page('where: { email: { eq: "fresh@example.com" } }')).totalCount).toBe(0)
  })
})

describe('one user', () => {
  test.each([
    ['id', () => `"${ids.get('a')}"`, 'a'],
    ['id', () => `"${ids.get('a')?.toUpperCase()}"`, 'a'],
    ['email', () => '"ADA@example.com"', 'a'],
    ['phoneNumber', () => '"+49 151-12345678"', 'c'],
    ['username', () => '"ADA"', 'a'],
    ['externalId', () => '"x-1"', 'd'],
    ['identity', () => `{ provider: "password", providerUserId: "${ids.get('c')}" }`, 'c'],
  ])('is found by %s', async (key, value, who) => {
    expect(await harness.admin(`{ user(by: { ${key}: ${value()} }) { id } }`)).toEqual({ user: { id: ids.get(who) } })
  })

  test.each(['id: "no"', 'email: "no"', 'phoneNumber: "0"', 'externalId: ""', 'username: "@"'])(
    'a key that is none is refused: %s',
    async (key) => {
      const { errors } = await harness.run(`{ user(by: { ${key} }) { id } }`, { token: await harness.adminToken('admin') })

      expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field: `by.${key.split(':')[0]}` } }])
    },
  )

  test('is not named in two ways at once', async () => {
    const { errors } = await harness.run('{ user(by: { email: "a@b.c", username: "a" }) { id } }', {
      token: await harness.adminToken('admin'),
    })

    expect(errors?.[0]?.extensions?.['code']).toBe('BAD_USER_INPUT')
  })
})

test('nodes answers in the order of the ids, null where there is nothing', async () => {
  const missing = '0190a5b2-0000-7000-8000-00000000beef'
  const answer = await harness.admin('query($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on User { email } } }', {
    ids: [ids.get('c'), missing, ids.get('a'), ids.get('c')],
  })

  expect(answer).toEqual({
    nodes: [
      { __typename: 'User', id: ids.get('c'), email: 'cy@example.org' },
      null,
      { __typename: 'User', id: ids.get('a'), email: 'ada@example.com' },
      { __typename: 'User', id: ids.get('c'), email: 'cy@example.org' },
    ],
  })
})

test('every field that a search knows is an input of `where`, so that its declaration holds', async () => {
  const token = await harness.adminToken('admin')
  const searches = [
    'phone_number_verified:false',
    'phone_verified:false',
    'logins_count:0',
    'signInCount:[0 TO 5]',
    '_exists_:identities',
    'status:active',
    'id:x',
    'blocked:false',
    'a OR b*',
    '*',
  ]
  for (const search of searches) {
    const { errors } = await harness.run('query($search: String) { users(search: $search) { totalCount } }', {
      token,
      variables: { search },
    })
    expect((errors ?? []).map(({ extensions }) => extensions?.['code']).filter((code) => code !== 'BAD_USER_INPUT')).toEqual([])
  }
})
