import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A way to PostgreSQL that can be cut at the worst moment. */
export type CommitProxy = Readonly<{
  /** The connection string through it. */
  url: string
  /**
   * At the next message with this text, the connection is cut: before the server gets it, or after it was done and before its answer
   * comes back. `COMMIT`, or what is in a statement that is committed by itself.
   */
  cutAt: (text: string, when: 'before' | 'after') => void
  /** How many connections it has cut. */
  cuts: () => number
  close: () => void
}>

/** Puts a proxy before a PostgreSQL server on this machine. */
export async function startProxy(databaseUrl: string): Promise<CommitProxy> {
  const { hostname, port } = new URL(databaseUrl)
  const sockets = new Set<Socket>()
  let armed: Readonly<{ text: string; when: 'before' | 'after' }> | null = null
  let cuts = 0
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname)
    let isCommitting = false
    const cut = () => {
      cuts += 1
      client.destroy()
      upstream.destroy()
    }
    client.on('data', (chunk) => {
      if (armed === null || !chunk.includes(armed.text)) return void upstream.write(chunk)
      const { when } = armed
      armed = null
      if (when === 'before') return cut()
      isCommitting = true
      upstream.write(chunk)
    })
    upstream.on('data', (chunk) => (isCommitting ? cut() : client.write(chunk)))
    for (const [socket, other] of [[client, upstream] as const, [upstream, client] as const]) {
      sockets.add(socket)
      socket.on('error', () => {}).on('close', () => other.destroy())
    }
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const url = new URL(databaseUrl)
  url.port = String((server.address() as AddressInfo).port)
  const close = () => {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
  const cutAt: CommitProxy['cutAt'] = (text, when) => {
    armed = { text, when }
  }
  return { url: url.href, cutAt, cuts: () => cuts, close }
}
