import { afterAll, beforeAll, beforeEach, expect } from 'vitest'
import { postgresOnly } from './database.ts'
import { boot, type Harness } from './harness.ts'
import { startServers } from './server-cluster.ts'
import type { ServerProcess } from './server-process.ts'

let harness: Harness
let servers: ServerProcess[] = []
let token: string

beforeAll(async () => {
  harness = await boot()
})
beforeEach(() => harness.reset())
afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()))
})

/** Three servers on one database, and a token that all of them take. */
async function cluster(): Promise<void> {
  if (servers.length === 0) servers = await startServers(harness, 3)
  token = await harness.adminToken('admin')
}

/** Sends the operations at once, each to the next server. */
function together(operations: { query: string; variables: unknown }[]) {
  return Promise.all(
    operations.map(async (operation, index) => {
      const response = await fetch(`${servers[index % servers.length]?.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify(operation),
      })
      return (await response.json()) as { data: Record<string, { errors: { code: string }[] }> | null; errors?: unknown }
    }),
  )
}

postgresOnly(
  '200 parallel merges of different keys into one user, by three processes, all survive',
  async () => {
    await cluster()
    const { id } = await harness.aUser({})
    const query = 'mutation($input: UpdateUserInput!) { updateUser(input: $input) { errors { code } } }'
    const operations = Array.from({ length: 200 }, (_, index) => ({
      query,
      variables: { input: { id, userMetadata: { [`key${index}`]: index } } },
    }))

    const answers = await together(operations)

    expect(answers.filter(({ data }) => data?.['updateUser']?.errors.length !== 0)).toEqual([])
    const { userMetadata, version } = await harness.app.database.prisma.user.findUniqueOrThrow({ where: { id } })
    expect(Object.keys(userMetadata as object)).toHaveLength(200)
    expect(version).toBe(201)
    expect(await harness.app.database.prisma.auditEvent.count({ where: { userId: id, type: 'user.updated' } })).toBe(200)
  },
  60_000,
)

postgresOnly(
  'R13: of twenty parallel creates with one address in all its cases, one succeeds and nineteen are told that it is taken',
  async () => {
    await cluster()
    const query = 'mutation($input: CreateUserInput!) { createUser(input: $input) { errors { code } } }'
    const address = (index: number) =>
      [...'jane.doe@example.com'].map((letter, at) => ((index >> (at % 5)) & 1 ? letter.toUpperCase() : letter)).join('')

    const answers = await together(Array.from({ length: 20 }, (_, index) => ({ query, variables: { input: { email: address(index) } } })))

    const codes = answers.map(({ data }) => data?.['createUser']?.errors.map(({ code }) => code).join() ?? 'no data')
    expect(codes.filter((code) => code === '')).toHaveLength(1)
    expect(codes.filter((code) => code === 'EMAIL_TAKEN')).toHaveLength(19)
    expect(await harness.app.database.prisma.user.count()).toBe(1)
    expect(await harness.app.database.prisma.auditEvent.count({ where: { type: 'user.created' } })).toBe(1)
  },
  60_000,
)

postgresOnly(
  'of twenty parallel changes that expect one version, one happens',
  async () => {
    await cluster()
    const { id } = await harness.aUser({})
    const query = 'mutation($input: UpdateUserInput!) { updateUser(input: $input) { errors { code } } }'

    const answers = await together(
      Array.from({ length: 20 }, (_, index) => ({ query, variables: { input: { id, expectedVersion: 1, username: `name${index}` } } })),
    )

    const codes = answers.map(({ data }) => data?.['updateUser']?.errors.map(({ code }) => code).join() ?? 'no data')
    expect(codes.filter((code) => code === '')).toHaveLength(1)
    expect(codes.filter((code) => code === 'VERSION_CONFLICT')).toHaveLength(19)
  },
  60_000,
)

postgresOnly('a user who is blocked at one process is refused by the others at the next request', async () => {
  await cluster()
  const person = await harness.aUser({})
  const ask = (server: ServerProcess) =>
    fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${person.token}` },
      body: '{"query":"{ me { id } }"}',
    })
  expect((await Promise.all(servers.map(ask))).map(({ status }) => status)).toEqual([200, 200, 200])

  await together([{ query: 'mutation($id: ID!) { blockUser(input: { id: $id }) { errors { code } } }', variables: { id: person.id } }])

  expect((await Promise.all(servers.map(ask))).map(({ status }) => status)).toEqual([401, 401, 401])
})
