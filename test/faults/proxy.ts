import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A way to PostgreSQL that can be cut at the worst moment. */
export type CommitProxy = Readonly<{
  /** The connection string through it. */
  url: string
  /** At the next COMMIT, the connection is cut: before the server gets it, or after it was done and before its answer comes back. */
  cutAtCommit: (when: 'before' | 'after') => void
  /** How many connections it has cut. */
  cuts: () => number
  close: () => void
}>

/** Puts a proxy before a PostgreSQL server on this machine. */
export async function startProxy(databaseUrl: string): Promise<CommitProxy> {
  const { hostname, port } = new URL(databaseUrl)
  const sockets = new Set<Socket>()
  let armed: 'before' | 'after' | null = null
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
      if (armed === null || !chunk.includes('COMMIT')) return void upstream.write(chunk)
      const when = armed
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
  const cutAtCommit: CommitProxy['cutAtCommit'] = (when) => {
    armed = when
  }
  return { url: url.href, cutAtCommit, cuts: () => cuts, close }
}
