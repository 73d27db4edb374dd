import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** A way to a database that can be cut and blocked. */
export type DatabaseProxy = Readonly<{
  url: string
  /** Cuts all connections and takes no new ones. */
  stop: () => void
  start: () => Promise<void>
  /** Carries nothing any more, without a word: as a server that hangs. */
  freeze: () => void
  thaw: () => void
}>

/** Stands between the test and the database of this connection string. */
export async function proxyTo(databaseUrl: string): Promise<DatabaseProxy> {
  const target = new URL(databaseUrl)
  const sockets = new Set<Socket>()
  const state = { frozen: false }
  const server = createServer((client) => {
    const upstream = connect(Number(target.port || 5432), target.hostname)
    for (const [from, to] of [[client, upstream] as const, [upstream, client] as const]) {
      sockets.add(from)
      if (state.frozen) from.pause()
      from.on('data', (data) => to.write(data))
      from.on('error', () => {})
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
    }
  })
  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  }
  const port = await listen(0)
  const stop = () => {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
  onTestFinished(stop)
  const url = new URL(databaseUrl)
  url.host = `127.0.0.1:${port}`
  const freeze = () => {
    state.frozen = true
    for (const socket of sockets) socket.pause()
  }
  const thaw = () => {
    state.frozen = false
    for (const socket of sockets) socket.resume()
  }
  return { url: url.href, stop, start: async () => void (await listen(port)), freeze, thaw }
}
