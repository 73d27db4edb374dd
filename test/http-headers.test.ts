import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bare, head, raw } from './raw.ts'
import { startServer, type TestServer } from './server.ts'

let server: TestServer
let development: TestServer

beforeAll(async () => {
  server = await startServer()
  development = await startServer({ NODE_ENV: 'development', TRUSTED_PROXIES: '127.0.0.1,10.0.0.0/8,2001:db8::/32' })
})

afterAll(async () => {
  await server.server.drain()
  await development.server.drain()
})

const everywhere = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

describe('C6: every answer has the security headers, and none tells what serves it', () => {
  const json = { 'Content-Type': 'application/json' }
  test.each([
    ['an operation', `${bare('POST', '/graphql', { ...json, 'Content-Length': '23' })}{"query":"{ me { id } }"}`],
    ['a bad body', `${bare('POST', '/graphql', { ...json, 'Content-Length': '1' })}{`],
    ['a preflight', bare('OPTIONS', '/graphql')],
    ['405', bare('GET', '/graphql')],
    ['404', bare('GET', '/nothing')],
    ['415', bare('POST', '/graphql')],
    ['413', bare('POST', '/graphql', { ...json, 'Content-Length': '99999999' })],
    ['417', bare('GET', '/health/live', { Expect: 'nonsense' })],
    ['claims', bare('GET', '/userinfo')],
    ['health', bare('GET', '/health/ready')],
    ['metrics', bare('GET', '/metrics')],
    ['431', bare('GET', '/', { 'X-Long': 'x'.repeat(9000) })],
    ['400', 'nonsense\r\n\r\n'],
  ])('%s', async (_name, request) => {
    const { headers } = head(await raw(server.port, request))
    expect(headers).toMatchObject(everywhere)
    expect(headers['server']).toBeUndefined()
    expect(headers['x-powered-by']).toBeUndefined()
  })
  test('the public keys may be stored, and are otherwise the same', async () => {
    const { headers } = head(await raw(server.port, bare('GET', '/.well-known/jwks.json')))
    expect(headers).toMatchObject({ ...everywhere, 'cache-control': 'public, max-age=300' })
  })
  test('HSTS is promised where clients come by https only', async () => {
    expect(head(await raw(development.port, bare('GET', '/health/live'))).headers['strict-transport-security']).toBeUndefined()
    const plain = await startServer({ PUBLIC_URL: 'http://users.internal' })
    expect(head(await raw(plain.port, bare('GET', '/health/live'))).headers['strict-transport-security']).toBeUndefined()
    await plain.server.drain()
  })
})

describe('the request id', () => {
  const idFor = async (sent?: string) => {
    const answer = await raw(server.port, bare('GET', '/health/live', sent === undefined ? {} : { 'X-Request-Id': sent }))
    return head(answer).headers['x-request-id']
  }
  test('is the caller’s when it is plain', async () => {
    expect(await idFor('0190a5b2-abc_DEF.9')).toBe('0190a5b2-abc_DEF.9')
  })
  test.each(['a b', 'x'.repeat(65), 'a"b', 'é', '{"a":1}', ''])('is a new one instead of %j', async (sent) => {
    expect(await idFor(sent)).toMatch(/^[0-9a-f-]{36}$/)
  })
  test('is a new one for each request otherwise', async () => {
    expect(await idFor()).not.toBe(await idFor())
  })
})

describe('where a request comes from', () => {
  const ipOf = async (on: TestServer, forwarded: string) =>
    (await on.run('{ caller }', {}, { 'x-forwarded-for': forwarded })).json.data.caller.ip

  test('X-Forwarded-For is not believed without a trusted proxy', async () => {
    expect(await ipOf(server, '203.0.113.7')).toBe('127.0.0.1')
  })
  test.each([
    ['203.0.113.7', '203.0.113.7'],
    ['198.51.100.1, 203.0.113.7', '203.0.113.7'],
    ['203.0.113.7, 10.1.2.3', '203.0.113.7'],
    ['198.51.100.1, 203.0.113.7, 2001:db8::1, 10.9.9.9', '203.0.113.7'],
    ['2001:db9::7', '2001:db9::7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['10.1.1.1', '10.1.1.1'],
    ['not an address, 10.1.1.1', '10.1.1.1'],
    ["203.0.113.7' or 1=1", '127.0.0.1'],
    ['', '127.0.0.1'],
  ])('X-Forwarded-For: %j through trusted proxies is %s', async (forwarded, ip) => {
    expect(await ipOf(development, forwarded)).toBe(ip)
  })
})

describe('DNS rebinding: in development mode the Host is this machine', () => {
  test.each(['evil.example', 'localhost.evil.example', '127.0.0.1.nip.io', '192.168.0.7:4000', ''])(
    '%j is refused, GraphiQL’s page with its token too',
    async (host) => {
      const answer = await raw(development.port, bare('GET', '/graphql', { Host: host, Accept: 'text/html' }))
      expect(head(answer).status).toBe(421)
      expect(answer).not.toContain(development.app.developmentToken?.token)
    },
  )
  test.each(['localhost', 'localhost:4000', '127.0.0.1:4000', '[::1]:4000'])('%s is served', async (host) => {
    expect(head(await raw(development.port, bare('GET', '/health/live', { Host: host }))).status).toBe(200)
  })
  test('in production any name is: who publishes it chooses its name', async () => {
    expect(head(await raw(server.port, bare('GET', '/health/live', { Host: 'users.example.com' }))).status).toBe(200)
  })
})

describe('GraphiQL', () => {
  test('opens with the token in development mode, for this origin only', async () => {
    const answer = await fetch(`${development.url}/graphql`, { headers: { accept: 'text/html', origin: 'https://evil.example' } })
    expect(answer.status).toBe(200)
    expect(await answer.text()).toContain(`Bearer ${development.app.developmentToken?.token}`)
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(answer.headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; script-src 'sha256-[^']+'; .*frame-ancestors 'none'$/,
    )
    expect(answer.headers.get('access-control-allow-origin')).toBeNull()
    expect(answer.headers.get('x-frame-options')).toBe('DENY')
    expect(answer.headers.get('cross-origin-resource-policy')).toBe('same-origin')
    expect(answer.headers.get('cross-origin-opener-policy')).toBe('same-origin')
    expect(answer.headers.get('cache-control')).toBe('no-store')
  })
  test('in production, where it was asked for, it has no token', async () => {
    const asked = await startServer({ GRAPHIQL: 'true' })
    const page = await (await fetch(`${asked.url}/graphql`, { headers: { accept: 'text/html' } })).text()
    expect(page).toContain('<title>Roster</title>')
    expect(page).not.toContain('Bearer')
    expect((await fetch(`${asked.url}/`, { redirect: 'manual' })).status).toBe(404)
    await asked.server.drain()
  })
  test('/ leads to it in development mode', async () => {
    const { status, headers } = head(await raw(development.port, bare('GET', '/')))
    expect([status, headers['location']]).toEqual([302, '/graphql'])
  })
  test('takes nothing from the internet', async () => {
    const page = await (await fetch(`${development.url}/graphql`, { headers: { accept: 'text/html' } })).text()
    const markup = page.slice(0, page.indexOf('<script>'))
    expect(markup).not.toMatch(/(?:src|href)=["']?https?:/)
    expect(page).not.toContain('unpkg.com')
  })
})
