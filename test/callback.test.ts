import type { ServerResponse } from 'node:http'
import { pino } from 'pino'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Harness } from './harness.ts'
import { type Peer, startPeer } from './oidc-peer.ts'
import { aKey, json, type Provider, startProvider } from './provider.ts'
import {
  answerOf,
  authorizeUrl,
  bootReachable,
  codeFor,
  comeBack,
  connect,
  exchange,
  logInAt,
  newPkce,
  noTraces,
  type Sent,
  sendOff,
  setConnection,
  traces,
} from './provider-flow.ts'
import { historyOf } from './session-client.ts'
import { createUserAgent, type UserAgent } from './user-agent.ts'

const pkce = newPkce()
const logs: string[] = []

let harness: Harness
/** Two certified providers, and one that does what a test wants. */
let peer: Peer
let otherPeer: Peer
let liar: Provider
let acme: string

beforeAll(async () => {
  const logger = pino({ level: 'debug', base: null }, { write: (line: string) => void logs.push(line) })
  harness = await bootReachable({ RATE_LIMITS: 'signIn.network=10000/60,verify.network=10000/60' }, { logger })
  peer = await startPeer({ redirectUris: [`${harness.url}/auth/callback/acme`] })
  otherPeer = await startPeer({ redirectUris: [`${harness.url}/auth/callback/globex`], name: 'other' })
  liar = await startProvider()
})
afterAll(async () => {
  await Promise.all([peer.stop(), otherPeer.stop()])
  liar.close()
})
beforeEach(async () => {
  await harness.reset()
  logs.length = 0
  liar.reset()
  for (const { people, intercept, asked } of [peer, otherPeer]) {
    people.clear()
    people.set('ada', { email: 'ada@example.com', email_verified: true, name: 'Ada Lovelace' })
    intercept(null)
    asked.length = 0
  }
  acme = await connect(harness, peer, 'acme')
  await connect(harness, otherPeer, 'globex')
  await connect(harness, { ...peer, issuer: liar.issuer, clientId: liar.clientId }, 'liar')
})

const callbackOf = (key: string) => `${harness.url}/auth/callback/${key}`

/** Logs in at a provider, and stops with what it sends to the callback. */
async function loggedIn(
  key = 'acme',
  agent: UserAgent = createUserAgent(),
  parameters: Record<string, string> = {},
): Promise<{ agent: UserAgent; answer: Record<string, string> }> {
  const link = authorizeUrl(harness.url, pkce, { connection: key, ...parameters })
  return { agent, answer: answerOf(await logInAt(agent, link, 'ada', callbackOf(key))) }
}

const failed = { error: 'server_error', error_description: 'The answer of the provider does not hold.' }
const over = 400
const hasCode = { code: expect.stringMatching(/^[\w-]{43}$/) }

describe('C7.78: the state is good', () => {
  test('once', async () => {
    const { agent, answer } = await loggedIn()

    expect(await comeBack(harness, agent, 'acme', answer)).toEqual(hasCode)
    expect(await comeBack(harness, agent, 'acme', answer)).toBe(over)
    expect(await traces(harness)).toMatchObject({ users: 1, codes: 1 })
  })

  test('once also when it comes back twenty times at once (C3.25)', async () => {
    const { agent, answer } = await loggedIn()
    const told = await Promise.all(Array.from({ length: 20 }, () => comeBack(harness, agent, 'acme', answer)))

    expect(told.filter((one) => one === over)).toHaveLength(19)
    expect(told).toContainEqual(hasCode)
    expect(peer.asked.filter((path) => path === '/token')).toHaveLength(1)
  })

  test('in the browser that it was made for, and in no other', async () => {
    const { agent, answer } = await loggedIn()
    const other = await loggedIn()

    expect(await comeBack(harness, other.agent, 'acme', answer)).toBe(over)
    expect(await comeBack(harness, createUserAgent(), 'acme', answer)).toBe(over)
    expect(await traces(harness)).toEqual({ ...noTraces, requests: 2 })
    expect(await comeBack(harness, agent, 'acme', answer)).toEqual(hasCode)
  })

  test('for what it was made for: a swapped one signs in nobody, in the same browser or another', async () => {
    const agent = createUserAgent()
    const [one, two] = [await loggedIn('acme', agent), await loggedIn('acme', agent)]

    expect(await comeBack(harness, agent, 'acme', { ...one.answer, code: two.answer['code'] ?? '' })).toEqual(failed)
    expect(await traces(harness)).toEqual({ ...noTraces, requests: 1 })
  })

  test('for ten minutes', async () => {
    const { agent, answer } = await loggedIn()
    harness.clock.advance({ minutes: 10, seconds: 1 })

    expect(await comeBack(harness, agent, 'acme', answer)).toBe(over)
    expect(await traces(harness)).toEqual(noTraces)
  })

  test.each([{}, { state: '' }, { state: 'a\0b', code: 'x' }, { state: '\ud800' }, { code: 'x' }, { error: 'access_denied' }])(
    'when it is there: not %j',
    async (parameters) => {
      const { agent } = await loggedIn()

      expect(await comeBack(harness, agent, 'acme', parameters as Record<string, string>)).toBe(over)
      expect(peer.asked).not.toContain('/token')
    },
  )

  test('when it is there once', async () => {
    const { agent, answer } = await loggedIn()
    const response = await agent.send(`${callbackOf('acme')}?${new URLSearchParams(answer)}&state=${answer['state']}`)

    expect([response.status, response.headers.get('location')]).toEqual([400, null])
  })
})

test('a code of the provider that was used before signs in nobody', async () => {
  const first = await loggedIn()
  await comeBack(harness, first.agent, 'acme', first.answer)
  const second = await loggedIn()

  expect(await comeBack(harness, second.agent, 'acme', { ...second.answer, code: first.answer['code'] ?? '' })).toEqual(failed)
  expect(await traces(harness)).toMatchObject({ users: 1, codes: 1 })
})

describe('C7.79: one provider is not taken for another one:', () => {
  test('what comes back by the path of another connection is void, and neither provider gets to see it', async () => {
    const { agent, answer } = await loggedIn()

    expect(await comeBack(harness, agent, 'globex', answer)).toMatchObject({ error: 'access_denied' })
    expect(await comeBack(harness, agent, 'acme', answer)).toBe(over)
    expect([...peer.asked, ...otherPeer.asked]).not.toContain('/token')
    expect(await traces(harness)).toEqual(noTraces)
  })

  test.each<[string, () => string | undefined]>([
    ['names another issuer', () => otherPeer.issuer],
    ['names no issuer, which it has promised', () => undefined],
    ['names its issuer with a slash', () => `${peer.issuer}/`],
  ])('RFC 9207: an answer that %s is not taken up', async (_name, issuer) => {
    const { agent, answer } = await loggedIn()
    const { iss: _, ...rest } = answer
    const iss = issuer()

    expect(await comeBack(harness, agent, 'acme', { ...rest, ...(iss === undefined ? {} : { iss }) })).toEqual(failed)
    expect(peer.asked).not.toContain('/token')
    expect(await traces(harness)).toEqual(noTraces)
  })

  test('the same subject at two of them is two people', async () => {
    const one = await exchange(harness, await codeFor(harness, 'ada', pkce), pkce.verifier)
    const two = await exchange(harness, await codeFor(harness, 'ada', pkce, { connection: 'globex' }), pkce.verifier)

    expect([one.errors, two.errors]).toEqual([[], []])
    expect(one.user?.id).not.toBe(two.user?.id)
  })
})

describe('C7.80, C7.82: an ID token is believed only if', () => {
  /** Sends a browser off to the liar, who has its token endpoint answer this, and brings it back. */
  async function come(idToken: (sent: Sent) => Promise<string | undefined>): Promise<Record<string, string> | number> {
    const sent = await sendOff(harness.url, pkce, { connection: 'liar' })
    const id_token = await idToken(sent)
    liar.answers.set('/token', (_request, response) =>
      json(response, { access_token: 'canary-of-an-access-token', token_type: 'bearer', id_token }),
    )
    return comeBack(harness, sent.agent, 'liar', { code: 'canary-of-a-code', state: sent.state })
  }

  test('it is as it has to be', async () => {
    expect(await come(({ nonce }) => liar.idToken({ claims: { nonce } }))).toEqual(hasCode)
  })

  const seconds = () => Math.floor(Date.now() / 1000)

  test.each<[string, (sent: Sent) => Promise<string | undefined>]>([
    ['it is there', async () => undefined],
    ['it has the nonce', () => liar.idToken({ claims: { nonce: 'another' } })],
    ['it has a nonce', () => liar.idToken()],
    ['it is of this issuer', ({ nonce }) => liar.idToken({ claims: { nonce, iss: peer.issuer } })],
    ['it is for us', ({ nonce }) => liar.idToken({ claims: { nonce, aud: 'somebody else' } })],
    ['it is for us first', ({ nonce }) => liar.idToken({ claims: { nonce, aud: ['roster', 'x'], azp: 'x' } })],
    ['it stands', ({ nonce }) => liar.idToken({ claims: { nonce, iat: seconds() - 7200, exp: seconds() - 3600 } })],
    ['it ends', ({ nonce }) => liar.idToken({ claims: { nonce, exp: undefined } })],
    ['it has a subject', ({ nonce }) => liar.idToken({ claims: { nonce, sub: undefined } })],
    ['its subject is one', ({ nonce }) => liar.idToken({ claims: { nonce, sub: 'a\0b' } })],
    ['its subject is not too long', ({ nonce }) => liar.idToken({ claims: { nonce, sub: 'a'.repeat(256) } })],
    ['a key of the provider has signed it', async ({ nonce }) => liar.idToken({ claims: { nonce }, key: await aKey('foreign') })],
    ['the key that it names has signed it', async ({ nonce }) => liar.idToken({ claims: { nonce }, key: await aKey('key-1') })],
    [
      'it is signed at all',
      async ({ nonce }) => {
        const [, payload] = (await liar.idToken({ claims: { nonce } })).split('.')
        return `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`
      },
    ],
  ])('%s', async (_name, idToken) => {
    expect(await come(idToken)).toEqual(failed)
    expect(await traces(harness)).toEqual(noTraces)
  })

  test('C7.81: the provider says that it is who it is', async () => {
    await connect(harness, { ...peer, issuer: liar.issuer, clientId: 'another' }, 'renamed')
    liar.metadata['issuer'] = peer.issuer

    const response = await fetch(authorizeUrl(harness.url, pkce, { connection: 'renamed' }), { redirect: 'manual' })
    expect(answerOf(response.headers.get('location') ?? '')).toMatchObject({ error: 'temporarily_unavailable' })
    expect(await traces(harness)).toEqual(noTraces)
  })
})

describe('what the userinfo endpoint says', () => {
  beforeEach(() => {
    liar.metadata['userinfo_endpoint'] = `${liar.issuer}/userinfo`
  })

  let clients = 0

  /** The discovery document is kept, so that each has a client of its own. */
  async function comeWith(idTokenClaims: object, userInfo: object) {
    const key = `liar-${++clients}`
    await connect(harness, { ...peer, issuer: liar.issuer, clientId: key }, key)
    const { agent, state, nonce } = await sendOff(harness.url, pkce, { connection: key })
    const id_token = await liar.idToken({ claims: { nonce, aud: key, ...idTokenClaims } })
    liar.answers.set('/token', (_request, response) => json(response, { access_token: 'a', token_type: 'bearer', id_token }))
    liar.answers.set('/userinfo', (_request, response) => json(response, { sub: '1', ...userInfo }))
    return comeBack(harness, agent, key, { code: 'c', state })
  }

  test('is taken of the same subject only', async () => {
    expect(await comeWith({}, { sub: '2', email: 'ada@example.com', email_verified: true })).toEqual(failed)
    expect(await traces(harness)).toEqual(noTraces)
  })

  test.each<[string, object, object, [string | null, boolean]]>([
    ['fills what the ID token does not say', {}, { email: 'a@x.example', email_verified: true }, ['a@x.example', true]],
    ['does not verify another address', { email: 'a@x.example' }, { email: 'b@x.example', email_verified: true }, ['a@x.example', false]],
    ['verifies the same address', { email: 'a@x.example' }, { email: 'a@x.example', email_verified: true }, ['a@x.example', true]],
    [
      'does not verify what the ID token does not',
      { email: 'a@x.example', email_verified: false },
      { email: 'a@x.example', email_verified: true },
      ['a@x.example', false],
    ],
    [
      'can put a verified address into doubt',
      { email: 'a@x.example', email_verified: true },
      { email: 'a@x.example', email_verified: false },
      ['a@x.example', false],
    ],
  ])('%s', async (_name, idToken, userInfo, [email, emailVerified]) => {
    expect(await comeWith(idToken, userInfo)).toEqual(hasCode)

    expect(await harness.app.database.prisma.identity.findFirst()).toMatchObject({ email, emailVerified })
  })
})

describe('the application is told', () => {
  test.each(['access_denied', 'login_required', 'consent_required', 'interaction_required', 'temporarily_unavailable'])(
    'of the provider’s %s, and not in its words',
    async (error) => {
      const { agent, state } = await sendOff(harness.url, pkce, { state: 'of the app' })
      const answer = { error, error_description: 'canary <script>', state, iss: peer.issuer }

      expect(await comeBack(harness, agent, 'acme', answer)).toEqual({
        error,
        error_description: 'The provider let nobody in.',
        state: 'of the app',
      })
      expect(await traces(harness)).toEqual(noTraces)
    },
  )

  test.each(['invalid_scope', 'unauthorized_client', 'canary\r\nX: y', ''])('nothing of what is the operator’s: %j', async (error) => {
    const { agent, state } = await sendOff(harness.url, pkce)

    const answer = await comeBack(harness, agent, 'acme', { error, state, iss: peer.issuer })
    expect(answer).toMatchObject({ error: 'server_error' })
    expect(JSON.stringify(answer)).not.toContain('canary')
  })

  test('its state exactly, which adds no header and no parameter', async () => {
    const state = 'a b&code=x\r\nSet-Cookie: a=b#é"<>'
    const { agent, answer } = await loggedIn('acme', createUserAgent(), { state })
    const response = await agent.send(`${callbackOf('acme')}?${new URLSearchParams(answer)}`)

    expect(response.status).toBe(303)
    expect(response.headers.get('set-cookie')).toBeNull()
    expect(answerOf(response.headers.get('location') ?? '')).toEqual({ ...hasCode, state })
  })

  test('that the connection was disabled in the middle of it, and the provider is asked nothing', async () => {
    const { agent, answer } = await loggedIn()
    await setConnection(harness, acme, { enabled: false })

    expect(await comeBack(harness, agent, 'acme', answer)).toMatchObject({ error: 'access_denied' })
    expect(peer.asked).not.toContain('/token')
    expect(await traces(harness)).toEqual(noTraces)
  })

  test('nothing by a connection that was deleted in the middle of it', async () => {
    const { agent, answer } = await loggedIn()
    await harness.admin(`mutation { deleteConnection(input: { id: "${acme}" }) { errors { code } } }`)

    expect(await comeBack(harness, agent, 'acme', answer)).toBe(over)
  })

  test('that nobody signs up there', async () => {
    await setConnection(harness, acme, { allowSignUp: false })
    const { agent, answer } = await loggedIn()

    expect(await comeBack(harness, agent, 'acme', answer)).toMatchObject({ error: 'access_denied' })
    expect(await traces(harness)).toEqual(noTraces)
  })

  test('that the user is blocked, without the word; history has it', async () => {
    const { user } = await exchange(harness, await codeFor(harness, 'ada', pkce), pkce.verifier)
    await harness.admin(`mutation { blockUser(input: { id: "${user?.id}" }) { errors { code } } }`)
    const { agent, answer } = await loggedIn()

    const told = await comeBack(harness, agent, 'acme', answer)
    expect(told).toMatchObject({ error: 'access_denied' })
    expect(JSON.stringify(told)).not.toMatch(/block/i)
    expect((await historyOf(harness, user?.id ?? ''))[0]).toBe('user.signInFailed failed')
    expect(await traces(harness)).toMatchObject({ codes: 0 })
  })
})

describe('R18: a provider that', () => {
  const intercepted = (path: string, answer: (response: ServerResponse) => void) =>
    peer.intercept((request, response) => {
      if ((request.url ?? '').split('?', 1)[0] !== path) return false
      answer(response)
      return true
    })

  test.each<[string, string, (response: ServerResponse) => void, string]>([
    ['is down', '/token', (response) => void response.destroy(), 'temporarily_unavailable'],
    ['says 503', '/token', (response) => void response.writeHead(503).end('down'), 'temporarily_unavailable'],
    ['says 503 of the user', '/me', (response) => void response.writeHead(503).end('down'), 'temporarily_unavailable'],
    ['never answers', '/token', () => {}, 'temporarily_unavailable'],
    ['never answers of the user', '/me', () => {}, 'temporarily_unavailable'],
    ['says no JSON', '/token', (response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'), 'server_error'],
    ['knows another secret', '/token', (response) => json(response, { error: 'invalid_client' }, 401), 'server_error'],
    [
      'says more than can be kept',
      '/token',
      (response) => json(response, { access_token: 'a'.repeat(300_000), token_type: 'bearer' }),
      'server_error',
    ],
    ['redirects (C7.87)', '/token', (response) => void response.writeHead(307, { location: `${liar.issuer}/token` }).end(), 'server_error'],
  ])('%s leaves nothing half-made, within 5 seconds', async (_name, path, answer, error) => {
    const { agent, answer: back } = await loggedIn()
    intercepted(path, answer)
    const startedAt = performance.now()

    expect(await comeBack(harness, agent, 'acme', back)).toMatchObject({ error })
    expect(performance.now() - startedAt).toBeLessThan(5000)
    expect(liar.requests).not.toContain('/token')
    expect(await traces(harness)).toEqual(noTraces)
  })
})

test('C9.104: no secret of a sign-in stands in a log, in an event or in a row', async () => {
  const { agent, answer } = await loggedIn('acme', createUserAgent(), { state: 'canary-of-the-app' })
  const location = (await agent.send(`${callbackOf('acme')}?${new URLSearchParams(answer)}`)).headers.get('location') ?? ''
  const { code = '' } = answerOf(location)
  const { tokens } = await exchange(harness, code, pkce.verifier)
  const refused = await loggedIn()
  peer.intercept((request, response) => {
    if (request.url !== '/token') return false
    json(response, { error: 'invalid_client', error_description: 'canary-of-a-description' }, 401)
    return true
  })
  await comeBack(harness, refused.agent, 'acme', refused.answer)

  expect(logs.join('')).toContain('invalid_client')
  const { prisma } = harness.app.database
  const rows = [await prisma.auditEvent.findMany(), await prisma.identity.findMany(), await prisma.authorizationRequest.findMany()]
  const written = `${logs.join('')}${JSON.stringify(rows)}`
  const [cookie = ''] = agent.cookies(harness.url).values()
  const secrets = [
    answer['code'],
    answer['state'],
    refused.answer['code'],
    code,
    pkce.verifier,
    cookie,
    tokens?.accessToken,
    tokens?.refreshToken,
  ]
  for (const secret of secrets) expect(written.includes(secret ?? 'undefined')).toBe(false)
  expect(written).not.toContain('canary')
  expect(logs.join('')).not.toContain('ada@example.com')
})

test.each([
  '/auth/callback',
  '/auth/callback/',
  '/auth/callback/Acme',
  '/auth/callback/acme/',
  '/auth/callback/:connection',
  '/auth/callback/%61cme',
])('L10: %s is no path', async (path) => {
  expect((await fetch(`${harness.url}${path}?state=x`)).status).toBe(404)
})
