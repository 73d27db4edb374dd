import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { boot, type Harness } from './harness.ts'
import { type Peer, startPeer } from './oidc-peer.ts'
import {
  answerOf,
  appUrl,
  authorizeUrl,
  bootReachable,
  codeFor,
  connect,
  exchange,
  logInAt,
  newPkce,
  noTraces,
  sendOff,
  setConnection,
  traces,
} from './provider-flow.ts'
import { historyOf, isTaken } from './session-client.ts'
import { createUserAgent } from './user-agent.ts'

const pkce = newPkce()

let harness: Harness
let peer: Peer
let acme: string

beforeAll(async () => {
  harness = await bootReachable({ ALLOWED_REDIRECTS: `${appUrl},https://app.example.com/cb,http://127.0.0.1/native` })
  peer = await startPeer({ redirectUris: [`${harness.url}/auth/callback/acme`] })
})
afterAll(() => peer.stop())
beforeEach(async () => {
  await harness.reset()
  peer.people.clear()
  peer.people.set('ada', { email: 'ada@example.com', email_verified: true, name: 'Ada Lovelace', given_name: 'Ada' })
  acme = await connect(harness, peer, 'acme')
})

const me =
  '{ me { id email emailVerified profile { name givenName } identities { provider providerUserId } sessions { nodes { connection amr aal } } } }'

describe('somebody who signs in by a provider', () => {
  test('comes back with a code that the application trades for a session, and with its state', async () => {
    const link = authorizeUrl(harness.url, pkce, { state: 'of the app' })
    const { code = '', ...rest } = answerOf(await logInAt(createUserAgent(), link, 'ada', appUrl))
    expect(rest).toEqual({ state: 'of the app' })
    const { user, tokens, errors } = await exchange(harness, code, pkce.verifier)

    expect(errors).toEqual([])
    expect(await isTaken(harness, tokens?.accessToken ?? '')).toBe(true)
    expect((await harness.run(me, { token: tokens?.accessToken ?? '' })).data?.['me']).toEqual({
      id: user?.id,
      email: 'ada@example.com',
      emailVerified: true,
      profile: { name: 'Ada Lovelace', givenName: 'Ada' },
      identities: [{ provider: 'acme', providerUserId: 'ada' }],
      sessions: { nodes: [{ connection: 'acme', amr: ['fed'], aal: 'aal1' }] },
    })
    expect(await historyOf(harness, user?.id ?? '')).toEqual(['user.signedIn', 'user.signedUp'])
    expect(await traces(harness)).toEqual({ users: 1, identities: 1, sessions: 1, requests: 0, codes: 0 })
  })

  test('C7.83: is the same user the next time, whatever the address is by then', async () => {
    const first = await exchange(harness, await codeFor(harness, 'ada', pkce), pkce.verifier)
    peer.people.set('ada', { email: 'ada@other.example', email_verified: true })
    peer.people.set('eve', { email: 'ada@example.com', email_verified: true })
    const second = await exchange(harness, await codeFor(harness, 'ada', pkce), pkce.verifier)
    const other = await exchange(harness, await codeFor(harness, 'eve', pkce), pkce.verifier)

    expect(second.user?.id).toBe(first.user?.id)
    expect(other.user?.id).not.toBe(first.user?.id)
  })

  test('is asked for nothing twice in two tabs of one browser', async () => {
    const agent = createUserAgent()
    const [one, two] = [await sendOff(harness.url, pkce, {}, agent), await sendOff(harness.url, pkce, {}, agent)]

    for (const { url } of [two, one]) expect(answerOf(await logInAt(agent, url.href, 'ada', appUrl))).toHaveProperty('code')
  })
})

describe('the provider is asked', () => {
  test('C7.78, C7.79, C7.80: with PKCE, a state and a nonce of our own, and a redirect URI of the connection alone', async () => {
    const { url, state, nonce } = await sendOff(harness.url, pkce, { state: 'of the app', login_hint: 'ada@example.com' })

    expect(url.origin).toBe(peer.issuer)
    expect(answerOf(url.href)).toEqual({
      client_id: peer.clientId,
      response_type: 'code',
      redirect_uri: `${harness.url}/auth/callback/acme`,
      scope: 'openid profile email',
      state: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
      login_hint: 'ada@example.com',
    })
    expect(new Set([state, nonce, url.searchParams.get('code_challenge'), pkce.challenge]).size).toBe(4)
  })

  test('C5.54, C7.78: and of state and cookie only hashes are kept', async () => {
    const { agent, state, nonce } = await sendOff(harness.url, pkce)
    const rows = await harness.app.database.prisma.authorizationRequest.findMany()

    const [cookie = ''] = agent.cookies(harness.url).values()
    const kept = JSON.stringify(rows.map((row) => ({ ...row, stateHash: text(row.stateHash), browserHash: text(row.browserHash) })))
    for (const secret of [state, nonce, cookie]) expect(kept).not.toContain(secret)
    expect(rows).toHaveLength(1)
  })

  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1')

  test('C6.69: and the browser is known again by a cookie that no script reads and no other site sends along', async () => {
    const cookieOf = async (url: string) => (await fetch(authorizeUrl(url, pkce), { redirect: 'manual' })).headers.get('set-cookie')
    expect(await cookieOf(harness.url)).toMatch(/^roster-browser=[\w-]{43}; Path=\/; Max-Age=600; HttpOnly; SameSite=Lax$/)
  })
})

describe('C6.74, C7.84, C7.85: nobody is sent anywhere by a `redirect_to` that', () => {
  test.each<[string, string | null]>([
    ['is missing', null],
    ['is empty', ''],
    ['is another site', 'https://evil.example/cb'],
    ['has an allowed host as its user', 'https://app.example.com@evil.example/cb'],
    ['has a user', 'https://user:pass@app.example.com/cb'],
    ['hides the host behind a backslash', 'https://evil.example\\@app.example.com/cb'],
    ['has a fragment', 'https://app.example.com/cb#at'],
    ['has an empty fragment', 'https://app.example.com/cb#'],
    ['has another port', 'https://app.example.com:444/cb'],
    ['has another scheme', 'http://app.example.com/cb'],
    ['has a path of another case', 'https://app.example.com/CB'],
    ['has a dot after the host', 'https://app.example.com./cb'],
    ['goes further', 'https://app.example.com/cb/more'],
    ['goes back', 'https://app.example.com/cb/../other'],
    ['has a query', 'https://app.example.com/cb?next=https://evil.example'],
    ['has no scheme', '//app.example.com/cb'],
    ['runs', 'javascript:alert(1)'],
    ['is data', 'data:text/html,hello'],
    ['has an encoded end of line', 'https://app.example.com/cb%0d%0aSet-Cookie:a=b'],
    ['is a sub-domain', 'https://evil.app.example.com/cb'],
    ['is of another loopback path', 'http://127.0.0.1:1234/other'],
  ])('%s', async (_name, redirectTo) => {
    const response = await fetch(authorizeUrl(harness.url, pkce, { redirect_to: redirectTo }), { redirect: 'manual' })

    expect([response.status, response.headers.get('location'), response.headers.get('set-cookie')]).toEqual([400, null, null])
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(await response.text()).not.toMatch(/evil|alert/)
    expect(await traces(harness)).toEqual(noTraces)
  })

  test('is there twice', async () => {
    const link = `${authorizeUrl(harness.url, pkce)}&redirect_to=https://evil.example/`

    expect((await fetch(link, { redirect: 'manual' })).status).toBe(400)
  })

  test('while the same place in other words, and another port of this machine, are allowed', async () => {
    for (const redirectTo of ['https://APP.example.com:443/cb', 'https://app.example.com/\ncb\r\n', 'http://127.0.0.1:51234/native'])
      expect((await sendOff(harness.url, pkce, { redirect_to: redirectTo })).url.origin).toBe(peer.issuer)
    const kept = await harness.app.database.prisma.authorizationRequest.findMany({ orderBy: { createdAt: 'asc' } })
    expect(kept.map(({ redirectTo }) => redirectTo)).toEqual([
      'https://app.example.com/cb',
      'https://app.example.com/cb',
      'http://127.0.0.1:51234/native',
    ])
  })
})

test.each<[string, Record<string, string | null>]>([
  ['no challenge', { code_challenge: null }],
  ['no method', { code_challenge_method: null }],
  ['the method plain', { code_challenge_method: 'plain' }],
  ['a challenge that is too short', { code_challenge: 'a'.repeat(42) }],
  ['a challenge that is no base64url', { code_challenge: `${'a'.repeat(42)}=` }],
  ['an intent that is none', { intent: 'take-over' }],
  ['a state that is too long', { state: 'a'.repeat(1025) }],
  ['a state that no database keeps', { state: 'a\0b' }],
  ['a hint that is too long', { login_hint: 'a'.repeat(321) }],
])('C7.78: a request with %s is refused on a page', async (_name, parameters) => {
  const response = await fetch(authorizeUrl(harness.url, pkce, parameters), { redirect: 'manual' })

  expect([response.status, response.headers.get('location')]).toEqual([400, null])
  expect(await traces(harness)).toEqual(noTraces)
})

describe('the application is told with `error` that', () => {
  const denied = { error: 'access_denied', error_description: 'There is no such connection, or it is disabled.', state: 'of the app' }
  const ask = async (connection: string) =>
    answerOf(
      (await fetch(authorizeUrl(harness.url, pkce, { connection, state: 'of the app' }), { redirect: 'manual' })).headers.get('location') ??
        '',
    )

  test('there is no such connection, or it is disabled: which of it is not told', async () => {
    await setConnection(harness, acme, { enabled: false })

    expect([await ask('acme'), await ask('none'), await ask('../acme'), await ask('')]).toEqual([denied, denied, denied, denied])
    expect(await traces(harness)).toEqual(noTraces)
  })

  test('R17: the provider does not answer', async () => {
    await connect(harness, { ...peer, issuer: 'http://127.0.0.1:9' }, 'down')

    expect(await ask('down')).toMatchObject({ error: 'temporarily_unavailable', state: 'of the app' })
    expect(await traces(harness)).toEqual(noTraces)
  })

  test('the provider takes too long: within 5 seconds', async () => {
    peer.intercept(() => true)
    await connect(harness, { ...peer, clientId: 'slow' }, 'slow')
    const startedAt = performance.now()

    expect(await ask('slow')).toMatchObject({ error: 'temporarily_unavailable' })
    expect(performance.now() - startedAt).toBeLessThan(5000)
    peer.intercept(null)
  })
})

test('C2.17: a network begins so many sign-ins only, and the rows that are left behind go', async () => {
  const limited = await boot({ RATE_LIMITS: 'signIn.network=2/60' })
  await connect(limited, peer, 'acme')
  const begin = () => fetch(authorizeUrl(limited.url, pkce), { redirect: 'manual' })
  const statuses = [(await begin()).status, (await begin()).status]
  const refused = await begin()

  expect([...statuses, refused.status, refused.headers.get('location')]).toEqual([303, 303, 429, null])
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(await limited.app.database.prisma.authorizationRequest.count()).toBe(2)
})

test('C6.69: over https the cookie is __Host-, Secure, HttpOnly and Lax', async () => {
  const https = await boot({ PUBLIC_URL: 'https://users.example.com' })
  await connect(https, peer, 'acme')
  const { headers } = await fetch(authorizeUrl(https.url, pkce), { redirect: 'manual' })

  expect(headers.get('set-cookie')).toMatch(/^__Host-roster-browser=[\w-]{43}; Path=\/; Max-Age=600; HttpOnly; SameSite=Lax; Secure$/)
  expect(new URL(headers.get('location') ?? '').searchParams.get('redirect_uri')).toBe('https://users.example.com/auth/callback/acme')
})

test('a login page learns from `serverInfo` which providers there are, and nothing else of them', async () => {
  const fresh = await boot()
  const other = await connect(fresh, peer, 'acme', { displayName: 'Acme' })
  await connect(fresh, peer, 'globex', { displayName: 'Globex' })
  const ask = async () => (await fresh.run('{ serverInfo { signIn { connections { key strategy displayName } } } }')).data?.['serverInfo']
  const globex = { key: 'globex', strategy: 'OIDC', displayName: 'Globex' }

  expect(await ask()).toEqual({ signIn: { connections: [{ key: 'acme', strategy: 'OIDC', displayName: 'Acme' }, globex] } })
  await setConnection(fresh, other, { enabled: false })
  expect(await ask()).toEqual({ signIn: { connections: [globex] } })
})
