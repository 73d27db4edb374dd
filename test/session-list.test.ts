import { beforeAll, beforeEach, expect, test } from 'vitest'
import { boot, expectData, type Harness, type Person } from './harness.ts'
import { aSession } from './session-client.ts'

let harness: Harness
let person: Person

beforeAll(async () => {
  harness = await boot()
})
beforeEach(async () => {
  await harness.reset()
  person = await harness.aUser({})
})

const apple = (device: string, system: string) =>
  `Mozilla/5.0 (${device}; ${system} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1`
const chromium = (system: string, end = '') =>
  `Mozilla/5.0 (${system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36${end}`

test.each([
  ['Firefox on Windows', 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0'],
  ['Safari on iPhone', apple('iPhone', 'CPU iPhone OS 17_5')],
  ['Safari on iPad', apple('iPad', 'CPU OS 16_6')],
  [
    'Safari on macOS',
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15',
  ],
  ['Chrome on Linux', chromium('X11; Linux x86_64')],
  ['Chrome on Chrome OS', chromium('X11; CrOS x86_64 14541.0.0')],
  ['Chrome on Android', chromium('Linux; Android 14; Pixel 8')],
  ['Microsoft Edge on Windows', chromium('Windows NT 10.0; Win64; x64', ' Edg/131.0.0.0')],
  [null, 'curl/8.5.0'],
  [null, 'x'.repeat(512)],
  [null, '((((((('],
  [null, ''],
  [null, null],
])('a session’s device is %s', async (device, userAgent) => {
  const { accessToken } = await aSession(harness, person.id, userAgent)

  const { data, errors } = await harness.run('{ me { sessions(first: 1) { nodes { device current } } } }', { token: accessToken })

  expect([errors, data]).toEqual([undefined, { me: { sessions: { nodes: [{ device, current: true }] } } }])
})

test('C5.63: a user’s sessions come page by page, the newest first', async () => {
  const { accessToken } = await aSession(harness, person.id)
  await aSession(harness, person.id)
  const page = async (after: string | null) => {
    const query =
      'query($after: String) { me { sessions(first: 2, after: $after) { totalCount nodes { id current } pageInfo { hasNextPage endCursor } } } }'
    const data = expectData(await harness.run(query, { token: accessToken, variables: { after } }))
    return (data['me'] as { sessions: { pageInfo: { endCursor: string } } }).sessions
  }

  const first = await page(null)
  const second = await page(first.pageInfo.endCursor)

  expect(first).toMatchObject({ totalCount: 3, nodes: [{ current: false }, { current: true }], pageInfo: { hasNextPage: true } })
  expect(second).toMatchObject({ totalCount: 3, nodes: [{ current: false }], pageInfo: { hasNextPage: false } })
})

test('sessions that were revoked, or were idle for too long, are in no list and behind no id', async () => {
  const idle = await aSession(harness, person.id)
  harness.clock.advance({ seconds: harness.app.authentication.sessionLifetime.idleSeconds + 1 })
  const revoked = await aSession(harness, person.id)
  const current = await aSession(harness, person.id)
  await harness.run('mutation($id: ID!) { revokeSession(input: { id: $id }) { errors { code } } }', {
    token: current.accessToken,
    variables: { id: revoked.sessionId },
  })

  const { data } = await harness.run('query($ids: [ID!]!) { me { sessions { totalCount nodes { id } } } nodes(ids: $ids) { id } }', {
    token: current.accessToken,
    variables: { ids: [idle, revoked, current].map(({ sessionId }) => sessionId) },
  })

  expect(data).toEqual({
    me: { sessions: { totalCount: 1, nodes: [{ id: current.sessionId }] } },
    nodes: [null, null, { id: current.sessionId }],
  })
})
