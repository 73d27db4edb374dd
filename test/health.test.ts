import { afterEach, expect, test } from 'vitest'
import { reply, startServer, type TestServer } from './server.ts'

const running: TestServer[] = []

afterEach(async () => {
  for (const { server } of running.splice(0)) await server.drain()
})

async function serverWithPing(ping: () => Promise<void>): Promise<TestServer> {
  const server = await startServer({}, { database: { ping } })
  running.push(server)
  return server
}

const get = async ({ url }: TestServer, path: string) => reply(await fetch(url + path))

test('live and ready answer 200 when the database answers', async () => {
  const server = await startServer()
  running.push(server)
  for (const path of ['/health/live', '/health/ready']) {
    const { status, text } = await get(server, path)
    expect([status, text]).toEqual([200, '{"status":"ok"}'])
  }
})

test('R4: a database that fails makes the process unready and nothing else, and says no word of why', async () => {
  let isUp = false
  const server = await serverWithPing(async () => {
    if (!isUp) throw new Error('connect ECONNREFUSED 10.0.0.5:5432')
  })
  expect(await get(server, '/health/ready')).toMatchObject({ status: 503, text: '{"status":"unavailable"}' })
  expect((await get(server, '/health/live')).status).toBe(200)

  isUp = true
  await new Promise((resolve) => setTimeout(resolve, 1100))
  expect((await get(server, '/health/ready')).status).toBe(200)
})

test('R5: a database that hangs makes it unready within a second', async () => {
  const server = await serverWithPing(() => new Promise(() => {}))
  const startedAt = performance.now()
  expect((await get(server, '/health/ready')).status).toBe(503)
  expect(performance.now() - startedAt).toBeLessThan(1500)
  const before = performance.now()
  expect((await get(server, '/health/live')).status).toBe(200)
  expect(performance.now() - before).toBeLessThan(100)
})

test('probes ask the database once a second, however many there are', async () => {
  let pings = 0
  const server = await serverWithPing(async () => {
    pings += 1
  })
  await Promise.all(Array.from({ length: 50 }, () => get(server, '/health/ready')))
  expect(pings).toBe(1)
})

test('metrics count by route, type and code, and hold nothing that a caller wrote', async () => {
  const server = await startServer()
  running.push(server)
  await server.run('query Canary { me { canary: id } }')
  await server.run('{ canary }')
  await server.run('{ fails(how: "forbidden") }')
  await get(server, '/canary')
  await fetch(server.url, { method: 'DELETE' })
  const { text, headers } = await get(server, '/metrics')
  expect(headers.get('content-type')).toMatch(/^text\/plain/)
  expect(text).toContain('roster_graphql_operations_total{type="query",code="OK"} 1')
  expect(text).toContain('roster_graphql_operations_total{type="none",code="BAD_USER_INPUT"} 1')
  expect(text).toContain('roster_graphql_operations_total{type="query",code="FORBIDDEN"} 1')
  expect(text).toContain('roster_http_request_duration_seconds_count{method="POST",route="/graphql",status="2xx"} 3')
  expect(text).toContain('roster_http_request_duration_seconds_count{method="GET",route="unmatched",status="4xx"} 1')
  expect(text).toContain('method="other",route="unmatched"')
  expect(text).toContain('process_resident_memory_bytes')
  expect(text.toLowerCase()).not.toContain('canary')
})
