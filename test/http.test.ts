import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bare, head, openSocket, raw } from './raw.ts'
import { reply, startServer, type TestServer } from './server.ts'

let server: TestServer

beforeAll(async () => {
  server = await startServer()
})

afterAll(() => server.server.drain())

const body = JSON.stringify({ query: 'mutation { touch }' })
const get = async (path: string, headers: Record<string, string> = {}) =>
  reply(await fetch(server.url + path, { headers, redirect: 'manual' }))

test('an operation is answered', async () => {
  const { status, json, headers } = await server.run('{ me { email } }')
  expect(json).toEqual({ data: { me: { email: 'ada@example.com' } } })
  expect(status).toBe(200)
  expect(headers.get('content-type')).toBe('application/json; charset=utf-8')
})

test('the resolvers know who calls, from where and in which request', async () => {
  const headers = { authorization: `Bearer ${await server.adminToken()}`, 'user-agent': 'agent', 'x-request-id': 'r-1' }
  const { json } = await server.run('{ caller }', {}, headers)
  expect(json.data.caller).toEqual({ kind: 'application', ip: '127.0.0.1', userAgent: 'agent', requestId: 'r-1' })
})

describe('T-CSRF (L3): what a page of another site can send without asking runs nothing', () => {
  const form = new URLSearchParams({ query: 'mutation { touch }' })
  const multipart = new FormData()
  multipart.append('operations', body)
  multipart.append('map', '{}')
  test.each([
    ['T-CSRF-1: a form', 'application/x-www-form-urlencoded', form],
    ['T-CSRF-2: text/plain', 'text/plain', body],
    ['text/plain that names JSON', 'text/plain; application/json', body],
    ['the bare query', 'application/graphql', 'mutation { touch }'],
    ['another JSON', 'application/graphql+json', body],
    ['two types', 'application/json, text/plain', body],
    ['another encoding', 'application/json; charset=utf-16', body],
    ['an unknown parameter', 'application/json; boundary=x', body],
  ])('%s is 415', async (_name, type, sent) => {
    const { status } = await server.post(sent, { 'content-type': type })
    expect(status).toBe(415)
    expect(server.schema.calls.get('touch')).toBeUndefined()
  })
  test('T-CSRF-3: multipart is 415', async () => {
    const { status } = await reply(await fetch(`${server.url}/graphql`, { method: 'POST', body: multipart }))
    expect(status).toBe(415)
  })
  test('no content type is 415', async () => {
    const { status } = await reply(await fetch(`${server.url}/graphql`, { method: 'POST', body: new Blob([body]) }))
    expect(status).toBe(415)
  })
  test('a compressed body is 415', async () => {
    expect((await server.post(body, { 'content-encoding': 'gzip' })).status).toBe(415)
  })
  test.each(['/graphql?query={me{id}}', '/graphql?query=mutation{touch}', '/graphql'])('GET %s is 405', async (path) => {
    const { status, headers } = await get(path, { accept: 'application/json' })
    expect(status).toBe(405)
    expect(headers.get('allow')).toBe('POST, OPTIONS')
    expect(server.schema.calls.get('touch')).toBeUndefined()
  })
  test('JSON in UTF-8, however it is written, is read', async () => {
    for (const type of ['application/json', 'application/json;charset=UTF-8', 'Application/JSON; charset="utf-8"'])
      expect((await server.post('{"query":"{me{id}}"}', { 'content-type': type })).status).toBe(200)
  })
})

describe('T-CORS (L4)', () => {
  const origins = ['https://app.example.com', 'https://admin.example.com']
  let shared: TestServer
  beforeAll(async () => {
    shared = await startServer({ CORS_ORIGINS: origins.join(',') })
  })
  afterAll(() => shared.server.drain())

  test.each([
    'https://evil.example',
    'null',
    'https://app.example.com.evil.example',
    'http://app.example.com',
    'https://app.example.com:8443',
  ])('T-CORS-1: the origin %s gets no permission', async (origin) => {
    const { headers } = await shared.run('{ me { id } }', {}, { origin })
    expect(headers.get('access-control-allow-origin')).toBeNull()
    expect(headers.get('access-control-allow-credentials')).toBeNull()
    expect(headers.get('vary')).toBe('Origin')
  })
  test('an origin of the list gets its own name, and never credentials', async () => {
    for (const origin of origins) {
      const { headers } = await shared.run('{ me { id } }', {}, { origin })
      expect(headers.get('access-control-allow-origin')).toBe(origin)
      expect(headers.get('access-control-allow-credentials')).toBeNull()
      expect(headers.get('vary')).toBe('Origin')
    }
  })
  test('a preflight is answered to an origin of the list only', async () => {
    const preflight = (origin: string) =>
      fetch(`${shared.url}/graphql`, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST' } })
    const allowed = await preflight('https://app.example.com')
    expect(allowed.status).toBe(204)
    expect(allowed.headers.get('access-control-allow-methods')).toBe('POST')
    expect(allowed.headers.get('access-control-allow-headers')).toMatch(/Authorization, Content-Type/)
    const refused = await preflight('https://evil.example')
    expect(refused.headers.get('access-control-allow-methods')).toBeNull()
    expect(refused.headers.get('access-control-allow-origin')).toBeNull()
  })
  test('a refused request may be read by an origin of the list, so that its developer sees why', async () => {
    for (const { headers, status } of [
      await shared.post('{', { origin: 'https://app.example.com' }),
      await shared.post('{}', { origin: 'https://app.example.com', 'content-type': 'text/plain' }),
    ]) {
      expect(status).toBeGreaterThanOrEqual(400)
      expect(headers.get('access-control-allow-origin')).toBe('https://app.example.com')
    }
  })
  test('in development the pages of this machine are allowed, and nobody else', async () => {
    const local = await startServer({ NODE_ENV: 'development' })
    const allowed = async (origin: string) =>
      (await local.run('{ me { id } }', {}, { origin })).headers.get('access-control-allow-origin') === origin

    for (const origin of ['http://localhost:5173', 'http://127.0.0.1:3000', 'http://[::1]:8080']) expect(await allowed(origin)).toBe(true)
    for (const origin of ['http://localhost.evil.example', 'http://evil.example:5173', 'null', 'file://', 'https://127.0.0.1.evil.example'])
      expect(await allowed(origin)).toBe(false)
    const page = await fetch(`${local.url}/graphql`, { headers: { accept: 'text/html', origin: 'http://localhost:5173' } })
    expect(page.headers.get('access-control-allow-origin')).toBeNull()
    // What nobody reads is at work for as long as the server has patience.
    await page.text()
    await local.server.drain()
  })
  test('without a list there are no CORS headers at all', async () => {
    const { headers } = await server.run('{ me { id } }', {}, { origin: 'https://app.example.com' })
    expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
  })
})

describe('T-PATH-1 (L10): another spelling of a path is another path', () => {
  test.each([
    '//graphql',
    '/graphql/',
    '/%67raphql',
    '/GraphQL',
    '/graphql;a',
    '/./graphql',
    '/x/../graphql',
    '/graphql%00',
    '/',
    '/__proto__',
    '/constructor',
    '*',
  ])('%s is 404', async (path) => {
    const { status } = head(
      await raw(server.port, bare('POST', path, { 'Content-Type': 'application/json', 'Content-Length': String(body.length) }), body),
    )
    expect(status).toBe(404)
    expect(server.schema.calls.get('touch')).toBeUndefined()
  })
  test('a query string changes nothing', async () => {
    const answer = await fetch(`${server.url}/graphql?access_token=x`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"query":"{me{id}}"}',
    })
    expect(answer.status).toBe(200)
  })
})

describe('methods', () => {
  test.each([
    ['TRACE', '/graphql'],
    ['PUT', '/graphql'],
    ['DELETE', '/graphql'],
    ['PROPFIND', '/graphql'],
    ['POST', '/health/live'],
    ['TRACE', '/health/live'],
    ['OPTIONS', '/metrics'],
  ])('%s %s is 405, and says what is served', async (method, path) => {
    const { status, headers } = head(await raw(server.port, bare(method, path)))
    expect(status).toBe(405)
    expect(headers['allow']).toMatch(/GET|POST/)
  })
  test('a made-up method is refused', async () => {
    expect(head(await raw(server.port, bare('FETCH', '/graphql'))).status).toBe(400)
  })
  test('HEAD is GET without a body', async () => {
    const answer = await raw(server.port, bare('HEAD', '/health/live'))
    expect(head(answer).status).toBe(200)
    expect(answer.split('\r\n\r\n')[1]).toBe('')
  })
})

describe('limits of a request', () => {
  const large = JSON.stringify({ query: '{ me { id } }', variables: { a: 'x'.repeat(100_000) } })

  test('a body over the limit is 413', async () => {
    expect((await server.post(large)).status).toBe(413)
  })
  test('a chunked body over the limit is 413', async () => {
    const chunks = new ReadableStream({
      start(controller) {
        for (let i = 0; i < 20; i++) controller.enqueue(new TextEncoder().encode('x'.repeat(10_000)))
        controller.close()
      },
    })
    expect((await server.post(chunks)).status).toBe(413)
  })
  test('a body at the limit is read', async () => {
    const around = JSON.stringify({ query: '{ me { id } }', variables: { a: '' } })
    const { status } = await server.post(around.replace('""', `"${'x'.repeat(100_000 - around.length)}"`))
    expect(status).toBe(200)
  })
  test('a Content-Length that lies is no way around it', async () => {
    const chunked = `POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 10\r\nTransfer-Encoding: chunked\r\n\r\n`
    expect(head(await raw(server.port, chunked)).status).toBe(400)
    const tooMuch = bare('POST', '/graphql', { 'Content-Type': 'application/json', 'Content-Length': '999999999' })
    expect(head(await raw(server.port, tooMuch)).status).toBe(413)
  })
  test('a body that is shorter than it says runs nothing', async () => {
    const socket = await openSocket(server.port)
    socket.write(bare('POST', '/graphql', { 'Content-Type': 'application/json', 'Content-Length': '1000' }) + body)
    socket.end()
    await new Promise((resolve) => socket.once('close', resolve).resume())
    expect(server.schema.calls.get('touch')).toBeUndefined()
  })
  test('headers over 8 KiB are 431', async () => {
    expect(head(await raw(server.port, bare('GET', '/health/live', { 'X-Long': 'x'.repeat(9000) }))).status).toBe(431)
  })
  test('what is no HTTP is 400', async () => {
    expect(head(await raw(server.port, 'hello\r\n\r\n')).status).toBe(400)
    expect(head(await raw(server.port, 'GET /health/live HTTP/1.1\r\nHost: a\r\n bad\r\n\r\n')).status).toBe(400)
  })
})

describe('the body', () => {
  test.each([
    ['a batch (L9)', '[{"query":"mutation { touch }"},{"query":"mutation { touch }"}]'],
    ['an empty batch', '[]'],
    ['null', 'null'],
    ['a string', '"query"'],
    ['no query', '{}'],
    ['an empty query', '{"query":""}'],
    ['a query that is a list', '{"query":["mutation { touch }"]}'],
    ['variables that are a list', '{"query":"mutation { touch }","variables":[]}'],
    ['variables that are a string', '{"query":"mutation { touch }","variables":"{}"}'],
    ['an operation name that is a number', '{"query":"mutation { touch }","operationName":1}'],
    ['extensions that are a list', '{"query":"mutation { touch }","extensions":[]}'],
    ['an unknown member', '{"query":"mutation { touch }","quer\\u0079x":"x"}'],
    ['nothing', ''],
  ])('%s is 400 with BAD_USER_INPUT', async (_name, sent) => {
    const { status, json } = await server.post(sent)
    expect(status).toBe(400)
    expect(json.errors[0].extensions.code).toBe('BAD_USER_INPUT')
    expect(server.schema.calls.get('touch')).toBeUndefined()
  })
  test('null members are absent members', async () => {
    expect((await server.post('{"query":"{ me { id } }","variables":null,"operationName":null,"extensions":null}')).status).toBe(200)
  })
})

describe('answers', () => {
  test('an Accept header that takes no JSON is 406', async () => {
    expect((await server.run('{ me { id } }', {}, { accept: 'text/html' })).status).toBe(406)
  })
  test.each([
    ['application/graphql-response+json', 'application/graphql-response+json'],
    ['application/json', 'application/json'],
    ['*/*', 'application/json'],
    ['application/graphql-response+json, application/json;q=0.9', 'application/graphql-response+json'],
    ['application/graphql-response+json;q=0.1, application/json', 'application/json'],
    ['application/graphql-response+json;q=0, */*', 'application/json'],
  ])('Accept: %s is answered as %s', async (accept, type) => {
    expect((await server.run('{ me { id } }', {}, { accept })).headers.get('content-type')).toBe(`${type}; charset=utf-8`)
  })
})

describe('the public graph on PORT', () => {
  test('has no metrics, and no token on its GraphiQL page', async () => {
    const open = await startServer({ NODE_ENV: 'development', ADMIN_PORT: '4001' }, { graph: 'public' })
    expect((await fetch(`${open.url}/metrics`)).status).toBe(404)
    const page = await (await fetch(`${open.url}/graphql`, { headers: { accept: 'text/html' } })).text()
    expect(page).toContain('<title>Roster</title>')
    expect(page).not.toContain(open.app.developmentToken?.token)
    await open.server.drain()
  })
})

test('the keys are public, and may be kept for a while', async () => {
  const { status, json, headers } = await get('/.well-known/jwks.json')
  expect(status).toBe(200)
  expect(json.keys[0]).toMatchObject({ kty: 'EC', alg: 'ES256' })
  expect(json.keys[0].d).toBeUndefined()
  expect(headers.get('cache-control')).toBe('public, max-age=300')
})
