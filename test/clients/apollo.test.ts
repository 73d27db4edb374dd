import { ApolloClient, CombinedGraphQLErrors, gql, HttpLink, InMemoryCache } from '@apollo/client'
import { relayStylePagination } from '@apollo/client/utilities'
import { beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { boot, type Harness, type Person } from '../harness.ts'

let harness: Harness
let ada: Person
let administrator: ApolloClient

beforeAll(async () => {
  harness = await boot()
})
beforeEach(async () => {
  await harness.reset()
  ada = await harness.aUser({ email: 'ada@example.com', profile: { name: 'Ada', locale: 'en' }, userMetadata: { theme: 'dark' } })
  administrator = clientOf(await harness.adminToken('admin'))
})

function clientOf(token: string | null): ApolloClient {
  const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` }
  const cache = new InMemoryCache({
    typePolicies: {
      Query: { fields: { users: relayStylePagination(['where', 'search', 'orderBy']) } },
      Profile: { merge: true },
    },
  })
  return new ApolloClient({ link: new HttpLink({ uri: `${harness.url}/graphql`, headers }), cache })
}

/** What a promise is rejected with. */
async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => null,
    (error: unknown) => error,
  )
}

function codes(error: unknown): unknown[] {
  return CombinedGraphQLErrors.is(error) ? error.errors.map(({ extensions }) => extensions?.['code']) : [error]
}

const me = gql`
  query Me {
    me {
      id
      email
      profile {
        name
      }
      userMetadata
    }
  }
`

describe('queries', () => {
  test('a user asks who they are', async () => {
    const { data } = await clientOf(ada.token).query({ query: me })

    expect(data).toMatchObject({ me: { __typename: 'User', id: ada.id, email: 'ada@example.com', userMetadata: { theme: 'dark' } } })
  })

  test('nobody is null, without an error', async () => {
    expect((await clientOf(null).query({ query: me })).data).toEqual({ me: null })
  })

  test('variables go through, and lists are put into the cache by id', async () => {
    const bob = await harness.aUser({ email: 'bob@example.com' })
    const query = gql`
      query List($where: UserWhere!, $order: [UserOrder!]) {
        users(where: $where, orderBy: $order) {
          totalCount
          edges {
            node {
              id
              email
            }
          }
        }
      }
    `
    const variables = { where: { email: { contains: '@example.com' } }, order: [{ field: 'EMAIL', direction: 'DESC' }] }
    const { data } = await administrator.query({ query, variables })

    expect(data).toMatchObject({ users: { totalCount: 2, edges: [{ node: { id: bob.id } }, { node: { id: ada.id } }] } })
    expect(administrator.cache.extract()).toMatchObject({ [`User:${ada.id}`]: { email: 'ada@example.com' }, [`User:${bob.id}`]: {} })
  })

  test('two queries of one profile meet in the cache, and Apollo warns of nothing', async () => {
    const complaints = [vi.spyOn(console, 'error'), vi.spyOn(console, 'warn')]
    onTestFinished(() => {
      for (const spy of complaints) spy.mockRestore()
    })
    const client = clientOf(ada.token)
    const locale = gql`
      query Locale {
        me {
          id
          profile {
            locale
          }
        }
      }
    `
    await client.query({ query: me })
    await client.query({ query: locale })

    expect(client.readQuery({ query: me })).toMatchObject({ me: { profile: { name: 'Ada' } } })
    expect(complaints.flatMap(({ mock }) => mock.calls)).toEqual([])
  })

  test('pages are fetched by cursor until there are no more, and put together', async () => {
    for (const name of ['b', 'c', 'd', 'e']) await harness.aUser({ email: `${name}@example.com` })
    const query = gql`
      query Pages($after: String) {
        users(first: 2, after: $after, orderBy: [{ field: EMAIL, direction: ASC }]) {
          edges {
            cursor
            node {
              id
              email
            }
          }
          pageInfo {
            hasNextPage
            endCursor
          }
        }
      }
    `
    type Page = { users: { edges: { node: { email: string } }[]; pageInfo: { hasNextPage: boolean; endCursor: string } } }
    const list = administrator.watchQuery<Page>({ query })
    const subscription = list.subscribe({})
    for (let page = (await administrator.query<Page>({ query })).data; page?.users.pageInfo.hasNextPage; )
      page = (await list.fetchMore({ variables: { after: page.users.pageInfo.endCursor } })).data
    subscription.unsubscribe()

    const whole = administrator.readQuery<Page>({ query })
    expect(whole?.users.edges.map(({ node }) => node.email.charAt(0))).toEqual(['a', 'b', 'c', 'd', 'e'])
  })
})

describe('mutations', () => {
  const createUser = gql`
    mutation Create($input: CreateUserInput!) {
      createUser(input: $input) {
        user {
          id
          email
        }
        errors {
          code
          message
          path
        }
      }
    }
  `

  test('an expected failure is data', async () => {
    const { data, error } = await administrator.mutate({ mutation: createUser, variables: { input: { email: 'ADA@example.com' } } })

    expect(error).toBeUndefined()
    expect(data).toMatchObject({
      createUser: { user: null, errors: [{ __typename: 'EmailTaken', code: 'EMAIL_TAKEN', path: ['input', 'email'] }] },
    })
  })

  test('a change is in the cache of the queries before it', async () => {
    const client = clientOf(ada.token)
    await client.query({ query: me })
    await client.mutate({
      mutation: gql`
        mutation Theme($metadata: JSONObject!) {
          updateUser(input: { userMetadata: $metadata, profile: { name: "Ada Lovelace" } }) {
            user {
              id
              userMetadata
              profile {
                name
              }
            }
            errors {
              code
              ... on MetadataTooLarge {
                limit
              }
            }
          }
        }
      `,
      variables: { metadata: { theme: null, language: 'en' } },
    })

    expect(client.readQuery({ query: me })).toMatchObject({ me: { profile: { name: 'Ada Lovelace' }, userMetadata: { language: 'en' } } })
  })

  test('what a caller may not do is an error that says which scope it needs', async () => {
    const error = await rejection(clientOf(ada.token).mutate({ mutation: createUser, variables: { input: { email: 'x@example.com' } } }))

    expect(CombinedGraphQLErrors.is(error) && error.errors).toMatchObject([
      { path: ['createUser'], extensions: { code: 'FORBIDDEN', requiredScopes: ['create:users'] } },
    ])
  })

  test('variables of the wrong type are an error that says where', async () => {
    const error = await rejection(administrator.mutate({ mutation: createUser, variables: { input: { email: 7, emial: 'x' } } }))

    expect(CombinedGraphQLErrors.is(error) && error.errors).toMatchObject([
      { message: expect.stringContaining('$input.email'), extensions: { code: 'BAD_USER_INPUT' } },
      { message: expect.stringContaining('"emial"'), extensions: { code: 'BAD_USER_INPUT' } },
    ])
  })
})

test('a field that may not be read is null with an error, and its siblings are there', async () => {
  const query = gql`
    {
      me {
        id
        appMetadata
        email
      }
    }
  `
  const { data, error } = await clientOf(ada.token).query({ query, errorPolicy: 'all' })

  expect(data).toMatchObject({ me: { email: 'ada@example.com', appMetadata: null } })
  expect(CombinedGraphQLErrors.is(error) && error.errors).toMatchObject([
    { path: ['me', 'appMetadata'], extensions: { code: 'FORBIDDEN', requiredScopes: ['read:users_app_metadata'] } },
  ])
})

describe('refusals', () => {
  test('a token that is none is UNAUTHENTICATED, and so is one that was revoked', async () => {
    const client = clientOf(ada.token)
    await client.query({ query: me })
    await harness.admin('mutation Block($id: ID!) { blockUser(input: { id: $id }) { errors { code } } }', { id: ada.id })

    for (const refused of [client, clientOf('nonsense')])
      expect(codes(await rejection(refused.query({ query: me, fetchPolicy: 'network-only' })))).toEqual(['UNAUTHENTICATED'])
  })

  test('a body that is too large is an error that says so', async () => {
    const query = gql`
      query By($email: String!) {
        user(by: { email: $email }) {
          id
        }
      }
    `
    const error = await rejection(administrator.query({ query, variables: { email: 'x'.repeat(200_000) } }))

    expect(codes(error)).toEqual(['BAD_USER_INPUT'])
    expect((error as Error).message).toBe('The body has more than 100000 bytes.')
  })

  test('another address than that of the graph is an HTTP error with its status', async () => {
    const lost = new ApolloClient({ link: new HttpLink({ uri: `${harness.url}/graphql/` }), cache: new InMemoryCache() })

    expect(await rejection(lost.query({ query: me }))).toMatchObject({ statusCode: 404 })
  })
})
