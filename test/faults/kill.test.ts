import { afterAll, expect, test } from 'vitest'
import { type ServerProcess, startServerProcess } from '../server-process.ts'
import { type Cluster, clusterTest, startCluster } from './cluster.ts'
import { newFolder, removeFolder, type Serving, serve, serveEmbedded, until } from './serving.ts'

/** `KILL_ROUNDS=20 npx vitest run test/faults/kill.test.ts` kills more often. */
const rounds = Number(process.env['KILL_ROUNDS'] ?? 5)
const clients = 20
const acknowledgedBeforeKill = 100

const createUser = 'mutation($input: CreateUserInput!) { createUser(input: $input) { user { id } errors { code } } }'
const updateUser = 'mutation($input: UpdateUserInput!) { updateUser(input: $input) { errors { code } } }'
const readUsers = 'query($ids: [ID!]!) { nodes(ids: $ids) { ... on User { id version userMetadata history { totalCount } } } }'

type Found = { id: string; version: number; userMetadata: object; history: { totalCount: number } } | null

let cluster: Cluster | null = null
const folders: string[] = []
const servers: ServerProcess[] = []
afterAll(async () => {
  for (const server of servers) await server.stop('SIGKILL')
  await cluster?.remove()
  folders.forEach(removeFolder)
})

const timeout = 60_000 + rounds * 10_000

clusterTest('R14: of a server on PostgreSQL that is killed under load, nothing acknowledged is lost', { timeout }, async () => {
  cluster = await startCluster()
  await survive(await serve(cluster.url))
})

test('R14: of a server on PGlite that is killed under load, nothing acknowledged is lost', { timeout }, async () => {
  const folder = newFolder()
  folders.push(folder)
  await survive(await serveEmbedded(folder))
})

/** Kills the server under load and starts it again, so many times, and looks for everything it said it had done. */
async function survive(serving: Serving): Promise<void> {
  const environment = { ...serving.environment, PORT: new URL(serving.process.url).port }
  servers.push(serving.process)
  await serving.process.stop()
  let { server, ms: cleanMs } = await start(environment)
  // Three seconds, and on a machine that is slow now three times what a start takes after a clean stop.
  const longestMs = Math.max(3000, 3 * cleanMs)
  for (let round = 0; round < rounds; round++) {
    const acknowledged = await loadAndKill(server, serving)
    const { server: restarted, ms } = await start(environment)
    server = restarted
    expect(await findLost(serving, acknowledged)).toEqual([])
    expect(ms).toBeLessThan(longestMs)
  }
}

async function start(environment: Record<string, string>): Promise<{ server: ServerProcess; ms: number }> {
  const startedAt = performance.now()
  const server = await startServerProcess(environment)
  servers.push(server)
  return { server, ms: performance.now() - startedAt }
}

/** What each user's version was when it was last acknowledged: 1 created, 2 changed. */
async function loadAndKill(server: ServerProcess, { ask }: Serving): Promise<Map<string, number>> {
  const acknowledged = new Map<string, number>()
  const client = async () => {
    for (;;) {
      const { codes, data } = await ask(createUser, { input: { profile: { name: 'Jane' } } })
      if (codes.length > 0) continue
      const { id } = data.createUser.user
      acknowledged.set(id, 1)
      const changed = await ask(updateUser, { input: { id, userMetadata: { plan: 'paid' } } })
      if (changed.codes.length === 0) acknowledged.set(id, 2)
    }
  }
  const load = Array.from({ length: clients }, () => client().catch(() => {}))
  await until(async () => acknowledged.size > acknowledgedBeforeKill, 20_000)
  await server.stop('SIGKILL')
  await Promise.all(load)
  return acknowledged
}

/** A user is as it was acknowledged, or has the change whose answer was lost; each change has its event. */
async function findLost({ ask }: Serving, acknowledged: Map<string, number>): Promise<unknown[]> {
  const ids = [...acknowledged.keys()]
  const lost: unknown[] = []
  for (let at = 0; at < ids.length; at += 50) {
    const asked = ids.slice(at, at + 50)
    const { data, codes } = await ask(readUsers, { ids: asked })
    expect(codes).toEqual([])
    for (const [index, id] of asked.entries()) {
      const user: Found = data.nodes[index]
      const isWhole = user && user.version === user.history.totalCount && (user.version === 2) === 'plan' in user.userMetadata
      if (!isWhole || user.version < (acknowledged.get(id) ?? 0)) lost.push({ id, user })
    }
  }
  return lost
}
