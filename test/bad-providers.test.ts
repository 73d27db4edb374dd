import type { ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { ConnectionSettings } from '../src/domain/connection/connection-settings.ts'
import { arrivalsOn } from './arrivals.ts'
import { boot, type Harness } from './harness.ts'
import { aKey, json, type Provider, startProvider } from './provider.ts'

let harness: Harness
let provider: Provider

beforeAll(async () => {
  harness = await boot()
})
beforeEach(async () => {
  await harness.reset()
  provider = await startProvider(() => new Date(), 'ES256')
  await arrivalsOn(harness).aConnection({ issuer: provider.issuer, clientId: provider.clientId } as ConnectionSettings)
})
afterEach(() => {
  vi.useRealTimers()
  provider.close()
})

const db = () => harness.app.database.prisma
const discovery = '/.well-known/openid-configuration'

async function signIn(idToken?: string): Promise<string> {
  const { data, errors } = await harness.run(
    'mutation($token: String!) { signInWithIdToken(input: { connection: "acme", idToken: $token }) { errors { code } } }',
    { variables: { token: idToken ?? (await provider.idToken()) } },
  )
  if (errors !== undefined) throw new Error(JSON.stringify(errors))
  const payload = data?.['signInWithIdToken'] as { errors: { code: string }[] } | undefined
  return payload?.errors.map(({ code }) => code).join() ?? 'nothing'
}
async function expectNothing(): Promise<void> {
  expect([await db().user.count(), await db().identity.count(), await db().session.count()]).toEqual([0, 0, 0])
}
const redirect = (response: ServerResponse, status: number, to: string) =>
  response.writeHead(status, { location: `${provider.issuer}${to}` }).end()

describe.each(['discovery', 'keys'] as const)('a provider whose %s', (what) => {
  const path = what === 'discovery' ? discovery : '/keys'

  test.each([
    ['is an error', (response: ServerResponse) => json(response, {}, 500)],
    ['is not found', (response: ServerResponse) => json(response, {}, 404)],
    ['is a page', (response: ServerResponse) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html></html>')],
    ['is nothing', (response: ServerResponse) => response.writeHead(204).end()],
    ['is cut off', (response: ServerResponse) => response.writeHead(200, { 'content-length': '100' }).end('{')],
    ['is null', (response: ServerResponse) => json(response, null)],
    ['is a list', (response: ServerResponse) => json(response, [])],
    ['says nothing', (response: ServerResponse) => json(response, {})],
    ['is too much', (response: ServerResponse) => json(response, { ...provider.metadata, keys: [], x: 'x'.repeat(300_000) })],
    ['is a connection that breaks', (response: ServerResponse) => response.destroy()],
  ])('%s signs nobody in', async (_what, answer) => {
    provider.answers.set(path, (_request, response) => void answer(response))

    expect(await signIn()).toBe('PROVIDER_UNAVAILABLE')
    await expectNothing()
  })

  test('is behind a redirect is not followed (C7.87)', async () => {
    provider.answers.set('/elsewhere', (_request, response) =>
      json(response, what === 'keys' ? { keys: provider.keys.map(({ jwk }) => jwk) } : provider.metadata),
    )
    provider.answers.set(path, (_request, response) => redirect(response, 302, '/elsewhere'))

    expect(await signIn()).toBe('PROVIDER_UNAVAILABLE')
    expect(provider.requests).not.toContain('/elsewhere')
    await expectNothing()
  })

  test.each([
    ['never comes', () => {}],
    ['never ends', (response: ServerResponse) => void drip(response)],
  ])(
    '%s is given up within five seconds, and nobody waits for it again',
    async (_what, answer) => {
      provider.answers.set(path, (_request, response) => answer(response))
      const startedAt = performance.now()

      expect(await signIn()).toBe('PROVIDER_UNAVAILABLE')
      expect(performance.now() - startedAt).toBeLessThan(5000)
      const againAt = performance.now()
      expect(await signIn()).toBe('PROVIDER_UNAVAILABLE')
      expect(performance.now() - againAt).toBeLessThan(1000)
      await expectNothing()
    },
    15_000,
  )

  test('comes back signs people in again', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    provider.answers.set(path, (_request, response) => json(response, {}, 503))
    for (let count = 0; count < 5; count++) expect(await signIn()).toBe('PROVIDER_UNAVAILABLE')
    expect(provider.requests.filter((asked) => asked === path)).toHaveLength(1)

    provider.answers.clear()
    vi.setSystemTime(Date.now() + 5001)
    expect(await signIn()).toBe('')
  })
})

async function drip(response: ServerResponse): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/json' })
  while (!response.destroyed) {
    response.write(' ')
    await delay(100)
  }
}

test('a provider that is slow at everything is given up within five seconds', async () => {
  const late = (body: () => unknown) => (_request: unknown, response: ServerResponse) => void setTimeout(() => json(response, body()), 2500)
  provider.answers.set(
    discovery,
    late(() => provider.metadata),
  )
  provider.answers.set(
    '/keys',
    late(() => ({ keys: provider.keys.map(({ jwk }) => jwk) })),
  )
  const startedAt = performance.now()

  expect(await signIn()).toBe('PROVIDER_UNAVAILABLE')
  expect(performance.now() - startedAt).toBeLessThan(5000)
  await expectNothing()
}, 15_000)

describe('a provider that lies', () => {
  test.each([
    ['names another issuer', { issuer: 'https://evil.example' }],
    ['names a part of itself', { issuer: 'http://127.0.0.1' }],
    ['names no issuer', { issuer: undefined }],
    ['names an issuer that is none', { issuer: ['x'] }],
    ['has no keys', { jwks_uri: undefined }],
    ['has no token endpoint', { token_endpoint: undefined }],
    ['has keys elsewhere, without TLS', { jwks_uri: 'http://keys.example/keys' }],
    ['has keys in a file', { jwks_uri: 'file:///etc/passwd' }],
    ['has keys in the document itself', { jwks_uri: 'data:application/json,{"keys":[]}' }],
    ['has a token endpoint without TLS', { token_endpoint: 'http://169.254.169.254/token' }],
  ])('and %s is not used (C7.81)', async (_what, metadata) => {
    Object.assign(provider.metadata, metadata)

    expect(await signIn()).toBe('PROVIDER_UNAVAILABLE')
    await expectNothing()
  })

  test('by the document of another provider is not believed, and that one’s tokens are not taken (C7.79)', async () => {
    const other = await startProvider(() => new Date(), 'ES256')
    provider.answers.set(discovery, (_request, response) => json(response, other.metadata))

    expect(await signIn(await other.idToken())).toBe('PROVIDER_UNAVAILABLE')
    other.close()
  })
})

describe('the keys of a provider', () => {
  test('may be rotated: a new one is asked for at once where none was lately, and the old one is refused', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const old = await provider.idToken()
    expect(await signIn()).toBe('')

    provider.keys.splice(0, 1, await aKey('key-2', 'ES256'))
    vi.setSystemTime(Date.now() + 31_000)
    expect(await signIn()).toBe('')
    expect(await signIn(old)).toBe('TOKEN_NOT_VALID')
  })

  test('are not asked for again by a flood of unknown ones', async () => {
    const unknown = await aKey('key-2', 'ES256')
    for (let count = 0; count < 10; count++) expect(await signIn(await provider.idToken({ key: unknown }))).toBe('TOKEN_NOT_VALID')

    expect(provider.requests).toEqual([discovery, '/keys'])
  })

  test('and its document are read once, however many sign in at once', async () => {
    const tokens = await Promise.all(Array.from({ length: 10 }, (_, index) => provider.idToken({ claims: { sub: `s${index}` } })))

    expect(await Promise.all(tokens.map((token) => signIn(token)))).toEqual(Array(10).fill(''))
    expect(provider.requests).toEqual([discovery, '/keys'])
  })

  test('of two with one name, or of another kind than the token says, are not used', async () => {
    const [first] = provider.keys
    provider.keys.splice(0, 1, { ...(await aKey('key-1', 'RS256')) })

    expect(await signIn(await provider.idToken({ ...(first ? { key: first } : {}) }))).toBe('TOKEN_NOT_VALID')
  })
})

test('what a provider says wrongly is in the log alone', async () => {
  provider.answers.set(discovery, (_request, response) => json(response, { issuer: 'https://canary.example' }))
  const { data } = await harness.run(
    'mutation($token: String!) { signInWithIdToken(input: { connection: "acme", idToken: $token }) { errors { code message path } } }',
    { variables: { token: await provider.idToken() } },
  )

  expect(data?.['signInWithIdToken']).toEqual({
    errors: [
      { code: 'PROVIDER_UNAVAILABLE', message: 'The provider does not answer now. Try again later, or sign in in another way.', path: [] },
    ],
  })
})
