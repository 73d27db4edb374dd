import type { ServerResponse } from 'node:http'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { hasCode, over, startCallbackPeers } from './callback-peers.ts'
import { json } from './provider.ts'
import { answerOf, codeFor, comeBack, exchange, noTraces, sendOff, setConnection, traces } from './provider-flow.ts'
import { historyOf } from './session-client.ts'
import { createUserAgent } from './user-agent.ts'

const peers = await startCallbackPeers()
const { harness, peer, liar, pkce, logs, callbackOf, loggedIn } = peers
let acme: string

beforeEach(async () => {
  acme = await peers.reset()
})
afterAll(peers.close)

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
