import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { boot, type Harness } from './harness.ts'
import { freePort, type ServerProcess, startServerProcess } from './server-process.ts'

const room = mkdtempSync(join(tmpdir(), 'roster-admin-port-'))
let server: ServerProcess
let adminUrl: string
let token: string
let publicSide: Harness

beforeAll(async () => {
  const adminPort = String(await freePort())
  server = await startServerProcess({ ADMIN_PORT: adminPort, ROSTER_DATA_DIR: room })
  adminUrl = `http://127.0.0.1:${adminPort}`
  token = /eyJ[\w-]+\.[\w-]+\.[\w-]+/.exec(server.output())?.[0] ?? ''
  publicSide = await boot({}, { graph: 'public' })
}, 60_000)

afterAll(async () => {
  await server.stop()
  rmSync(room, { recursive: true, force: true })
})

async function ask(url: string, query: string) {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }
  const response = await fetch(`${url}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query }) })
  return (await response.json()) as { data?: Record<string, unknown>; errors?: { message: string }[] }
}

test('the whole graph is on ADMIN_PORT', async () => {
  expect(await ask(adminUrl, '{ users { totalCount } __type(name: "UserWhere") { name } }')).toEqual({
    data: { users: { totalCount: 0 }, __type: { name: 'UserWhere' } },
  })
})

test('PORT serves and introspects only what a user or the public can reach, whoever asks', async () => {
  expect((await ask(server.url, '{ users { totalCount } }')).errors?.[0]?.message).toContain('Cannot query field "users" on type "Query".')
  const { data } = await ask(
    server.url,
    '{ a: __type(name: "UserWhere") { name } b: __type(name: "AdminToken") { name } __schema { mutationType { fields { name } } } me { id } }',
  )

  const { __schema, ...rest } = data as { __schema: { mutationType: { fields: { name: string }[] } } }
  expect(rest).toEqual({ a: null, b: null, me: null })
  expect(__schema.mutationType.fields.map(({ name }) => name).sort()).toEqual([
    'exchangeCode',
    'linkIdentity',
    'refreshSession',
    'requestPasswordReset',
    'requestReauthentication',
    'requestSignIn',
    'revokeSession',
    'revokeSessions',
    'sendVerification',
    'signIn',
    'signInWithIdToken',
    'signOut',
    'signUp',
    'unlinkIdentity',
    'updateUser',
    'verifyToken',
  ])
})

test('/metrics is on ADMIN_PORT alone', async () => {
  expect((await fetch(`${adminUrl}/metrics`)).status).toBe(200)
  expect((await fetch(`${server.url}/metrics`)).status).toBe(404)
})

test('the admin token is in the page of ADMIN_PORT alone', async () => {
  const page = async (url: string) => (await fetch(`${url}/graphql`, { headers: { accept: 'text/html' } })).text()

  expect(await page(adminUrl)).toContain(token)
  expect(await page(server.url)).not.toContain(token)
})

test('a user reads and edits themselves on PORT', async () => {
  await publicSide.reset()
  const person = await publicSide.aUser({ email: 'jane@example.com' })
  const query =
    'mutation { updateUser(input: { userMetadata: { color: "red" }, profile: { name: "Jane" } }) { user { email profile { name } userMetadata history { totalCount } identities { id } } errors { code } } }'

  expect((await publicSide.run(query, { token: person.token })).data).toEqual({
    updateUser: {
      user: {
        email: 'jane@example.com',
        profile: { name: 'Jane' },
        userMetadata: { color: 'red' },
        history: { totalCount: 2 },
        identities: [],
      },
      errors: [],
    },
  })
})

test('what is cut off is no input either', async () => {
  const person = await publicSide.aUser({})
  const { errors } = await publicSide.run('mutation { updateUser(input: { appMetadata: {} }) { errors { code } } }', {
    token: person.token,
  })

  expect(errors?.[0]?.message).toMatch('Field "appMetadata" is not defined by type "UpdateUserInput"')
})
