import { expect, test } from 'vitest'
import { bare, head, openSocket, raw } from './raw.ts'
import { startServer } from './server.ts'

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

test('R15: what is at work is finished, what is new is not taken, and everything is closed', async () => {
  const { server, run, port, url, schema } = await startServer()
  const idle = await openSocket(port)
  const idleClosed = new Promise((resolve) => idle.once('close', resolve).resume())
  const atWork = Array.from({ length: 20 }, () => run('{ slow(ms: 600) }'))
  await expect.poll(() => schema.calls.get('slow')).toBe(20)

  const startedAt = performance.now()
  const drained = server.drain()
  await sleep(50)
  await expect(fetch(`${url}/health/live`)).rejects.toThrow()
  const answers = await Promise.all(atWork)
  await drained
  await idleClosed

  expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200))
  expect(answers.every(({ headers }) => headers.get('connection') === 'close')).toBe(true)
  expect(performance.now() - startedAt).toBeLessThan(2000)
})

test('R15: a request that has been sent, but not read yet, is answered', async () => {
  const { server, port } = await startServer()
  const socket = await openSocket(port)
  const answers: string[] = []
  const closed = new Promise((resolve) => socket.once('close', resolve).on('data', (chunk) => answers.push(String(chunk))))
  socket.write('GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await expect.poll(() => answers.length).toBe(1)

  socket.write('GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await server.drain()
  await closed
  expect(answers.map((answer) => head(answer).status)).toEqual([200, 200])
  expect(head(answers[1] ?? '').headers['connection']).toBe('close')
})

test('R15: probes see it before it stops accepting', async () => {
  const { server, url, run } = await startServer()
  const drained = server.drain(400)
  await sleep(50)
  const ready = await fetch(`${url}/health/ready`)
  expect(ready.status).toBe(503)
  expect((await fetch(`${url}/health/live`)).status).toBe(200)
  expect((await run('{ me { id } }')).status).toBe(200)
  await drained
  await expect(fetch(`${url}/health/ready`)).rejects.toThrow()
})

test('R15: a request that does not end is given up when the time is over', async () => {
  const { server, run, schema } = await startServer({ DRAIN_TIMEOUT_MS: '300' })
  const endless = run('{ slow(ms: 3000) }')
  endless.catch(() => {})
  await expect.poll(() => schema.calls.get('slow')).toBe(1)
  const startedAt = performance.now()
  await server.drain()
  expect(performance.now() - startedAt).toBeLessThan(1000)
  await expect(endless).rejects.toThrow()
})

test('an upload that never ends does not hold the end up longer than that', async () => {
  const { server, port } = await startServer({ DRAIN_TIMEOUT_MS: '300' })
  const socket = await openSocket(port)
  socket.on('error', () => {})
  socket.write(`${bare('POST', '/graphql', { 'Content-Type': 'application/json', 'Content-Length': '1000' })}{`)
  await sleep(100)
  const startedAt = performance.now()
  await server.drain()
  expect(performance.now() - startedAt).toBeLessThan(1000)
})

test('requests sent at once on one connection, whose caller went away, are not waited for', async () => {
  const { server, port } = await startServer()
  const socket = await openSocket(port)
  const body = '{"query":"{ slow(ms: 400) }"}'
  const request = `POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
  socket.write(request.repeat(30))
  await sleep(100)
  socket.destroy()
  await sleep(600)
  const startedAt = performance.now()
  await server.drain()
  expect(performance.now() - startedAt).toBeLessThan(300)
})

test('a drained server has no connection left, and its port is free', async () => {
  const first = await startServer()
  expect(head(await raw(first.port, bare('GET', '/health/live'))).status).toBe(200)
  await first.server.drain()
  const second = await startServer()
  await second.server.drain()
})

test('R24: half a request is ended after five seconds, and holds up nobody', async () => {
  const { server, port, url } = await startServer()
  const sockets = await Promise.all(Array.from({ length: 300 }, () => openSocket(port)))
  for (const socket of sockets) socket.on('error', () => {}).write('POST /graphql HTTP/1.1\r\nHost: localhost\r\n')
  const startedAt = performance.now()
  expect((await fetch(`${url}/health/live`)).status).toBe(200)
  expect(performance.now() - startedAt).toBeLessThan(200)

  const [first] = sockets
  const answer = await new Promise<string>((resolve) => first?.once('data', (chunk) => resolve(String(chunk))))
  expect(head(answer).status).toBe(408)
  expect(performance.now() - startedAt).toBeLessThan(8000)
  for (const socket of sockets) socket.destroy()
  await server.drain()
})
