import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { refuseBadConnections } from '../src/http/refused-connection.ts'
import { watchBodies } from '../src/http/slow-bodies.ts'

/** A server that answers with the length of the body. `/uploads` may take its time. */
async function start(timeoutMs: number): Promise<number> {
  const server = createServer({ requestTimeout: 0, connectionsCheckingInterval: 1000 })
  const bodies = watchBodies(server, timeoutMs)
  refuseBadConnections(server, {})
  server.on('request', async (request, response) => {
    bodies.watch(request)
    if (request.url === '/uploads') bodies.mayTakeLong(request)
    let bytes = 0
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
    })
    request.once('end', () => response.end(`${bytes} bytes`))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}

/** Sends a body of ten bytes, one every 300 ms, and answers what comes back. */
async function drip(port: number, path: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk)).on('error', () => {})
  const closed = once(socket, 'close')
  socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 10\r\n\r\n`)
  for (let sent = 0; sent < 10 && !socket.destroyed; sent++) {
    socket.write('x')
    await delay(300)
  }
  await closed
  return Buffer.concat(chunks).toString()
}

test('R24: a body that comes too slowly is 408, but for a file that was let in', async () => {
  const port = await start(500)

  const [slow, file] = await Promise.all([drip(port, '/graphql'), drip(port, '/uploads')])

  expect(slow).toMatch(/^HTTP\/1\.1 408 /)
  expect(file).toMatch(/^HTTP\/1\.1 200 [\s\S]*10 bytes/)
})
