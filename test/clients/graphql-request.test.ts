import { batchRequests, ClientError, GraphQLClient, gql, request } from 'graphql-request'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { boot, type Harness, type Person } from '../harness.ts'

let harness: Harness
let ada: Person
let endpoint: string

beforeAll(async () => {
  harness = await boot()
  endpoint = `${harness.url}/graphql`
})
beforeEach(async () => {
  await harness.reset()
  ada = await harness.aUser({ email: 'ada@example.com', userMetadata: { theme: 'dark' } })
})

function clientOf(token: string): GraphQLClient {
  return new GraphQLClient(endpoint, { headers: { authorization: `Bearer ${token}` } })
}

/** The status and the errors that a promise is rejected with. */
async function refusal(promise: Promise<unknown>): Promise<unknown> {
  const error = await promise.catch((error: unknown) => error)
  if (!(error instanceof ClientError)) throw new Error(`no ClientError: ${JSON.stringify(error)}`)
  const { status, errors } = error.response
  return { status, errors: errors?.map(({ message, path, extensions }) => ({ message, path, ...extensions })) }
}

test('a user asks who they are, and nobody is null', async () => {
  const document = '{ me { id email userMetadata } }'

  expect(await clientOf(ada.token).request(document)).toEqual({
    me: { id: ada.id, email: 'ada@example.com', userMetadata: { theme: 'dark' } },
  })
  expect(await request(endpoint, document)).toEqual({ me: null })
})

test('an administrator lists users page by page, by cursor', async () => {
  for (const name of ['b', 'c', 'd', 'e']) await harness.aUser({ email: `${name}@example.com` })
  const client = clientOf(await harness.adminToken('read:users'))
  const document = gql`
    query Page($after: String, $where: UserWhere) {
      users(first: 2, after: $after, where: $where, orderBy: [{ field: EMAIL, direction: ASC }]) {
        totalCount
        nodes {
          email
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  `
  type Page = { users: { totalCount: number; nodes: { email: string }[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } } }
  const found: string[] = []
  for (let page: Page['users']['pageInfo'] = { hasNextPage: true, endCursor: null }; page.hasNextPage; ) {
    const variables = { after: page.endCursor, where: { email: { contains: '@example.com' } } }
    const { users } = await client.request<Page>(document, variables)
    expect(users.totalCount).toBe(5)
    found.push(...users.nodes.map(({ email }) => email.charAt(0)))
    page = users.pageInfo
  }

  expect(found).toEqual(['a', 'b', 'c', 'd', 'e'])
})

const createUser = 'mutation ($input: CreateUserInput!) { createUser(input: $input) { user { id } errors { code message path } } }'

test('an expected failure is data, with everything that is wrong', async () => {
  const client = clientOf(await harness.adminToken('admin'))
  const input = { email: 'Ada@example.com', username: 'no spaces, please' }

  expect(await client.request(createUser, { input: { email: input.email } })).toMatchObject({
    createUser: { user: null, errors: [{ code: 'EMAIL_TAKEN', path: ['input', 'email'] }] },
  })
  expect(await client.request(createUser, { input: { ...input, email: 'no' } })).toMatchObject({
    createUser: { user: null, errors: [{ path: ['input', 'email'] }, { path: ['input', 'username'] }] },
  })
})

test('what a caller may not do is thrown, with the scope it needs', async () => {
  expect(await refusal(clientOf(ada.token).request(createUser, { input: { email: 'x@example.com' } }))).toMatchObject({
    status: 403,
    errors: [{ path: ['createUser'], code: 'FORBIDDEN', requiredScopes: ['create:users'] }],
  })
})

test('with errorPolicy all, a field that may not be read is null beside its siblings', async () => {
  const client = new GraphQLClient(endpoint, { headers: { authorization: `Bearer ${ada.token}` }, errorPolicy: 'all' })
  const { data, errors } = await client.rawRequest('{ me { email appMetadata } }')

  expect(data).toEqual({ me: { email: 'ada@example.com', appMetadata: null } })
  expect(errors).toMatchObject([{ path: ['me', 'appMetadata'], extensions: { code: 'FORBIDDEN' } }])
})

test.each([
  ['a token that is none', 'nonsense', '{ me { id } }', 401, 'UNAUTHENTICATED'],
  ['a field that does not exist', '', '{ mee { id } }', 400, 'BAD_USER_INPUT'],
  ['a document that is none', '', '{ me {', 400, 'BAD_USER_INPUT'],
])('%s is thrown, with its status', async (_what, token, document, status, code) => {
  expect(await refusal(clientOf(token || ada.token).request(document))).toMatchObject({ status, errors: [{ code }] })
})

test('a batch is thrown, and says why', async () => {
  const batch = ['{ me { id } }', '{ serverInfo { version } }'].map((document) => ({ document }))

  expect(await refusal(batchRequests(endpoint, batch))).toEqual({
    status: 400,
    errors: [{ message: 'The body must be one operation; batches are not taken.', code: 'BAD_USER_INPUT' }],
  })
})
