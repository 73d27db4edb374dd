import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { boot, type Harness, type Person } from './harness.ts'

let harness: Harness
let jane: Person

beforeAll(async () => {
  harness = await boot({ CORS_ORIGINS: 'https://app.example' })
})
beforeEach(async () => {
  await harness.reset()
  jane = await harness.aUser({
    email: 'jane@example.com',
    emailVerified: true,
    password: 'a long pass phrase',
    profile: { name: 'Jane' },
    userMetadata: { theme: 'dark' },
    appMetadata: { plan: 'canary-of-app-metadata' },
  })
})

const ask = (token: string | null, headers: Record<string, string> = {}, method = 'GET') =>
  fetch(`${harness.url}/me/export`, { method, headers: { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...headers } })

type OwnData = Readonly<{
  user: Record<string, unknown>
  sessions: object[]
  oneTimeTokens: object[]
  history: { type: string; changes: { path: string }[] }[]
}>

test('somebody gets all that is held on him in one JSON: user, profile, identities, sessions, links and history', async () => {
  await harness.run('mutation { requestPasswordReset(input: { email: "jane@example.com" }) { errors { code } } }')
  await harness.admin(
    `mutation { updateUser(input: { id: "${jane.id}", appMetadata: { plan: "canary-of-app-metadata-2" }, userMetadata: { a: 1 } }) { errors { code } } }`,
  )

  const response = await ask(jane.token)
  const text = await response.text()

  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': 'application/json; charset=utf-8',
    'content-disposition': 'attachment; filename="my-data.json"',
    'cache-control': 'no-store',
  })
  const { user, sessions, oneTimeTokens, history } = JSON.parse(text) as OwnData
  expect(user).toMatchObject({
    ...{ id: jane.id, email: 'jane@example.com', hasPassword: true, passwordChangedAt: expect.any(String) },
    ...{ profile: { name: 'Jane' }, profileSources: { name: { origin: 'ADMIN' } }, userMetadata: { theme: 'dark', a: 1 } },
    identities: [{ provider: 'password' }],
  })
  expect(sessions).toEqual([expect.objectContaining({ ip: '192.0.2.1', userAgent: 'test', aal: 'aal1', amr: ['pwd'] })])
  expect(oneTimeTokens).toEqual([expect.objectContaining({ type: 'RECOVERY', emailNormal: 'jane@example.com', usedAt: null })])
  expect(history.map(({ type }) => type)).toEqual(['user.created', 'user.passwordResetRequested', 'user.updated'])
  expect(history[0]?.changes).toContainEqual({ path: '/profile/name', before: null, after: 'Jane' })
  expect(history[2]?.changes.map(({ path }) => path)).toEqual(['/userMetadata/a'])
})

test('neither what only administrators may read nor anything secret is in it', async () => {
  await harness.run('mutation { requestPasswordReset(input: { email: "jane@example.com" }) { errors { code } } }')
  const text = await (await ask(jane.token)).text()

  expect(text).not.toMatch(/canary|appMetadata|\$argon2|Hash"|userId/)
})

test('a long history is there whole, and of nobody else', async () => {
  const { prisma } = harness.app.database
  const other = await harness.aUser({ email: 'other@example.com' })
  const at = new Date()
  const event = (userId: string) => ({ id: crypto.randomUUID(), type: 'user.updated', at, subjectId: userId, userId, actorKind: 'USER' })
  await prisma.auditEvent.createMany({ data: Array.from({ length: 600 }, () => event(jane.id)) })
  await prisma.auditEvent.createMany({ data: [event(other.id)] })

  const data = JSON.parse(await (await ask(jane.token)).text()) as OwnData

  expect([data.history.length, data.sessions.length]).toEqual([601, 1])
})

describe('it is refused', () => {
  test('to who is nobody, and to a token without a user', async () => {
    const answers = await Promise.all([ask(null), ask('none'), harness.adminToken('admin').then((token) => ask(token))])

    expect(answers.map(({ status }) => status)).toEqual([401, 401, 403])
    expect(answers.map(({ headers }) => headers.get('www-authenticate'))).toEqual([
      'Bearer',
      'Bearer error="invalid_token"',
      'Bearer error="insufficient_scope"',
    ])
  })

  test('to who is signed out, or blocked', async () => {
    await harness.admin(`mutation { blockUser(input: { id: "${jane.id}" }) { errors { code } } }`)

    expect((await ask(jane.token)).status).toBe(401)
  })
})

test('a page of an application may ask for it', async () => {
  const origin = { origin: 'https://app.example' }

  expect((await ask(jane.token, origin)).headers.get('access-control-allow-origin')).toBe('https://app.example')
  expect((await ask(null, { origin: 'https://evil.example' })).headers.get('access-control-allow-origin')).toBeNull()
  const preflight = await ask(null, { ...origin, 'access-control-request-method': 'GET' }, 'OPTIONS')
  expect([preflight.status, preflight.headers.get('access-control-allow-methods')]).toEqual([204, 'GET'])
})
