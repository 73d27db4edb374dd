import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { bare, openSocket, raw } from './raw.ts'
import { startServer, type TestServer } from './server.ts'

let server: TestServer

beforeAll(async () => {
  server = await startServer({ CORS_ORIGINS: 'https://app.example.com' })
})

afterAll(() => server.server.drain())

beforeEach(() => {
  server.logs.length = 0
})

const canary = 'canary-9b2e7c'

test('one line a request: what was asked of which route, how it went, and who asked', async () => {
  const authorization = `Bearer ${await server.adminToken()}`
  await server.run('query Named { me { id } fails(how: "forbidden") }', {}, { authorization, 'x-request-id': 'r-1' })
  expect(server.logs).toEqual([
    {
      level: 30,
      time: expect.any(Number),
      msg: 'request',
      requestId: 'r-1',
      method: 'POST',
      route: '/graphql',
      status: 200,
      durationMs: expect.any(Number),
      operation: 'query',
      codes: ['FORBIDDEN'],
      principal: 'application',
      principalId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    },
  ])
})

test('what was refused before GraphQL has its line too', async () => {
  await server.post('{')
  await server.post('{}', { 'content-type': 'text/plain' })
  await fetch(`${server.url}/nothing`)
  expect(server.logs.map(({ route, status, codes }) => [route, status, codes])).toEqual([
    ['/graphql', 400, ['BAD_USER_INPUT']],
    ['/graphql', 415, ['BAD_USER_INPUT']],
    ['unmatched', 404, undefined],
  ])
})

test('probes and scrapes that went well are at the level debug', async () => {
  for (const path of ['/health/live', '/health/ready', '/metrics']) await fetch(server.url + path)
  expect(server.logs.map(({ level }) => level)).toEqual([20, 20, 20])
})

test('a request whose caller went away has its line', async () => {
  const socket = await openSocket(server.port)
  socket.write(`${bare('POST', '/graphql', { 'Content-Type': 'application/json', 'Content-Length': '50' })}{`)
  await new Promise((resolve) => setTimeout(resolve, 50))
  socket.destroy()
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(server.logs).toMatchObject([{ route: '/graphql', status: 499 }])
})

describe('a secret that is sent appears in no log, no metric and no answer', () => {
  const query = `query { fails(how: "sql", text: "${canary}") }`
  const viaVariable = (how: string) =>
    JSON.stringify({ query: 'query ($t: String!) { fails(how: $t, text: $t) }', variables: { t: `${how}${canary}` } })
  const failing = (how: string) =>
    JSON.stringify({ query: `query ($t: String!) { fails(how: "${how}", text: $t) }`, variables: { t: canary } })
  const json = { 'content-type': 'application/json' }
  const requests: readonly (readonly [string, string, RequestInit])[] = [
    [
      'in the Authorization header',
      '/graphql',
      { method: 'POST', headers: { ...json, authorization: `Bearer ${canary}` }, body: '{"query":"{me{id}}"}' },
    ],
    [
      'as Basic credentials',
      '/graphql',
      { method: 'POST', headers: { ...json, authorization: `Basic ${canary}` }, body: '{"query":"{me{id}}"}' },
    ],
    ['in a literal', '/graphql', { method: 'POST', headers: json, body: JSON.stringify({ query }) }],
    ['in a comment', '/graphql', { method: 'POST', headers: json, body: JSON.stringify({ query: `{ me { id } } # ${canary}` }) }],
    [
      'as a literal of the wrong type',
      '/graphql',
      { method: 'POST', headers: json, body: JSON.stringify({ query: `{ slow(ms: "${canary}") }` }) },
    ],
    ['in a variable', '/graphql', { method: 'POST', headers: json, body: viaVariable('') }],
    [
      'in a variable of the wrong type',
      '/graphql',
      { method: 'POST', headers: json, body: JSON.stringify({ query: 'query ($m: Int!) { slow(ms: $m) }', variables: { m: canary } }) },
    ],
    [
      'in a variable nobody declared',
      '/graphql',
      { method: 'POST', headers: json, body: JSON.stringify({ query: '{ me { id } }', variables: { x: canary } }) },
    ],
    ...['error', 'domain', 'graphql', 'prisma', 'sql', 'json', 'unavailable', 'pothos'].map(
      (how) => [`in an error of the kind ${how}`, '/graphql', { method: 'POST', headers: json, body: failing(how) }] as const,
    ),
    [
      'where a message looks like a stack',
      '/graphql',
      {
        method: 'POST',
        headers: json,
        body: JSON.stringify({
          query: 'query ($t: String!) { fails(how: "graphql", text: $t) }',
          variables: { t: `\n    at ${canary} (file.js:1:1)` },
        }),
      },
    ],
    [
      'as the operation name',
      '/graphql',
      { method: 'POST', headers: json, body: JSON.stringify({ query: `query A { me { id } }`, operationName: canary }) },
    ],
    [
      'as a name in the document',
      '/graphql',
      { method: 'POST', headers: json, body: JSON.stringify({ query: `query canary_9b2e7c { me { id } }` }) },
    ],
    [
      'in extensions',
      '/graphql',
      { method: 'POST', headers: json, body: JSON.stringify({ query: '{ me { id } }', extensions: { x: canary } }) },
    ],
    ['in broken JSON', '/graphql', { method: 'POST', headers: json, body: `{"query": ${canary}` }],
    ['in JSON with a key twice', '/graphql', { method: 'POST', headers: json, body: `{"query":"${canary}","query":"${canary}"}` }],
    ['in a form', '/graphql', { method: 'POST', body: new URLSearchParams({ query: canary }) }],
    ['in the content type', '/graphql', { method: 'POST', headers: { 'content-type': `text/${canary}` }, body: 'x' }],
    ['in the path', `/${canary}`, {}],
    ['in the query string', `/graphql?access_token=${canary}`, { method: 'POST', headers: json, body: '{"query":"{me{id}}"}' }],
    [
      'in the origin',
      '/graphql',
      { method: 'POST', headers: { ...json, origin: `https://${canary}.example` }, body: '{"query":"{me{id}}"}' },
    ],
    [
      'in a cookie, the referrer and a header of its own',
      '/health/live',
      { headers: { cookie: `a=${canary}`, referer: `https://${canary}`, 'x-canary': canary } },
    ],
    ['in the user agent', '/graphql', { method: 'POST', headers: { ...json, 'user-agent': canary }, body: '{"query":"{me{id}}"}' }],
    ['in the request id, where it is not plain', '/health/live', { headers: { 'x-request-id': `${canary} ${canary}` } }],
    ['in Accept', '/graphql', { method: 'POST', headers: { ...json, accept: `text/${canary}` }, body: '{"query":"{me{id}}"}' }],
  ]

  test.each(requests)('%s', async (_where, path, init) => {
    const answer = await fetch(server.url + path, init)
    const headers = [...answer.headers].join('\n')
    const body = await answer.text()
    const metrics = await (await fetch(`${server.url}/metrics`)).text()
    for (const text of [headers, body, JSON.stringify(server.logs), metrics]) expect(text).not.toMatch(/canary.9b2e7c/)
    expect(server.logs.length).toBeGreaterThan(0)
  })
  test.each([
    ['in a bad request line', `GET /${canary} HTTP/9.9\r\n\r\n`],
    ['as a method', `${canary} / HTTP/1.1\r\nHost: localhost\r\n\r\n`],
    ['in headers that are too long', bare('GET', '/', { 'X-Canary': canary.repeat(1000) })],
    ['in a bad header', `GET / HTTP/1.1\r\nHost: localhost\r\n${canary}\r\n\r\n`],
  ])('%s', async (_where, request) => {
    const answer = await raw(server.port, request)
    expect(answer).toMatch(/^HTTP\/1\.1 4/)
    expect(answer + JSON.stringify(server.logs)).not.toContain(canary)
  })
})
