import { afterEach, expect, test } from 'vitest'
import { bare, head, openSocket, raw } from './raw.ts'
import { startServer, type TestServer } from './server.ts'

const servers: TestServer[] = []

afterEach(async () => {
  for (const { server } of servers.splice(0)) await server.drain()
})

async function start(maxInFlight: number, environment: Record<string, string> = {}): Promise<TestServer> {
  const server = await startServer(environment, { maxInFlight })
  servers.push(server)
  return server
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** A request as it goes over a connection that stays, or ends with this one. */
function written(query: string, headers: Readonly<Record<string, string>> = {}): string {
  const body = JSON.stringify({ query })
  const fixed = { Connection: 'keep-alive', 'Content-Type': 'application/json', 'Content-Length': String(body.length) }
  return bare('POST', '/graphql', { ...fixed, ...headers }) + body
}

/** The answers on a connection, one after another. */
const answers = (text: string) => text.split(/(?=HTTP\/1\.1 )/).map((answer) => ({ ...head(answer), body: answer.split('\r\n\r\n')[1] }))

test('R23: what is over the cap is refused at once, and counted', async () => {
  const small = await start(4)
  const slow = Array.from({ length: 4 }, () => small.run('{ slow(ms: 400) }'))
  await new Promise((resolve) => setTimeout(resolve, 150))
  const startedAt = performance.now()
  const refused = await small.run('{ slow(ms: 400) }')
  expect(performance.now() - startedAt).toBeLessThan(100)
  expect(refused.status).toBe(503)
  expect(refused.headers.get('retry-after')).toBe('1')
  expect(refused.json).toEqual({ errors: [{ message: expect.any(String), extensions: { code: 'SERVICE_UNAVAILABLE' } }] })
  expect((await fetch(`${small.url}/health/live`)).status).toBe(200)
  expect((await Promise.all(slow)).map(({ status }) => status)).toEqual([200, 200, 200, 200])
  expect((await small.run('{ slow(ms: 1) }')).status).toBe(200)
  const metrics = await (await fetch(`${small.url}/metrics`)).text()
  expect(metrics).toContain('roster_http_requests_shed_total 1')
  expect(metrics).toContain('roster_http_requests_in_flight 0')
})
test('a slow upload holds no place', async () => {
  const small = await start(1)
  const body = new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode('{"query":')) })
  const abort = new AbortController()
  const upload = fetch(`${small.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
    duplex: 'half',
    signal: abort.signal,
  } as RequestInit)
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect((await small.run('{ me { id } }')).status).toBe(200)
  abort.abort()
  await expect(upload).rejects.toThrow()
})

test('R23: requests that come together on one connection count each, and are answered in their order', async () => {
  const small = await start(4)
  const requests = Array.from({ length: 10 }, (_, at) => written('{ slow(ms: 100) }', at === 9 ? { Connection: 'close' } : {}))
  const replies = answers(await raw(small.port, requests.join('')))
  expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200, 503, 503, 503, 503, 503, 503])
  // None of them was looked at, not even to find that it came too late.
  expect(small.logs.filter(({ status }) => status === 503)).toEqual([])
  expect((await small.run('{ slow(ms: 1) }')).status).toBe(200)
})

test('R23: requests of many connections at the same moment find all the places there are', async () => {
  const small = await start(16)
  const statuses = (await Promise.all(Array.from({ length: 16 }, () => small.run('{ slow(ms: 50) }')))).map(({ status }) => status)
  expect(new Set(statuses)).toEqual(new Set([200]))
})

test('a refusal has the headers of every other answer, and those that let a page read it', async () => {
  const small = await start(1, { CORS_ORIGINS: 'https://app.example.com' })
  const origin = { origin: 'https://app.example.com', 'x-request-id': 'r-7' }
  const slow = small.run('{ slow(ms: 200) }', {}, origin)
  await pause(50)
  const refused = await small.run('{ me { id } }', {}, origin)
  const answered = await slow
  const known = (headers: Headers) => Object.fromEntries([...headers].filter(([name]) => !['content-length', 'date'].includes(name)))
  expect(refused.status).toBe(503)
  expect(known(refused.headers)).toEqual({ ...known(answered.headers), 'retry-after': '1' })
})

test('a refusal does not wait for the body', async () => {
  const small = await start(1)
  const slow = small.run('{ slow(ms: 300) }')
  await pause(50)
  const socket = await openSocket(small.port)
  const answered = new Promise<string>((resolve) => socket.once('data', (chunk) => resolve(String(chunk))))
  socket.write(`${bare('POST', '/graphql', { 'Content-Type': 'application/json', 'Content-Length': '50' })}{`)
  expect(head(await answered).status).toBe(503)
  socket.destroy()
  expect((await slow).status).toBe(200)
})

test('refusals have one line in the log together, and a count each in the metrics', async () => {
  const small = await start(0)
  await Promise.all(Array.from({ length: 20 }, () => small.run('{ me { id } }')))
  await pause(1200)
  expect(small.logs.filter(({ status }) => status === 503)).toEqual([])
  expect(small.logs.filter(({ refused }) => refused !== undefined)).toMatchObject([{ level: 40, refused: 20 }])
  const metrics = await (await fetch(`${small.url}/metrics`)).text()
  expect(metrics).toContain('roster_http_requests_shed_total 20')
  expect(metrics).toContain('roster_http_request_duration_seconds_count{method="POST",route="/graphql",status="5xx"} 20')
})
