import { afterAll, beforeAll, expect } from 'vitest'
import { type Cluster, clusterTest, isClusterRun, startCluster } from './cluster.ts'
import { closeGate } from './gate.ts'
import { pause, type Reply, type Serving, serve, until } from './serving.ts'

let cluster: Cluster
const servings: Serving[] = []

beforeAll(async () => {
  if (!isClusterRun) return
  cluster = await startCluster()
})
afterAll(async () => {
  for (const serving of servings) await serving.remove()
  await cluster?.remove()
})

const createUser = 'mutation($input: CreateUserInput!) { createUser(input: $input) { user { id } errors { code } } }'

/** A server, and a gate that holds up who makes a user named `slow`. */
async function serveWithGate(): Promise<{ roster: Serving; open: () => Promise<void> }> {
  const roster = await serve(cluster.url)
  servings.push(roster)
  return { roster, ...(await closeGate(cluster, "NEW.username LIKE 'slow%'")) }
}

clusterTest(
  'R15: at SIGTERM under load it says that it is not ready, finishes what is at work, and exits with 0; nothing fails',
  async () => {
    const { roster, open } = await serveWithGate()
    let isOver = false
    const replies: Reply[] = []
    const clients = Array.from({ length: 20 }, async () => {
      while (!isOver) replies.push(await roster.ask(createUser, { input: {} }))
    })
    await until(async () => replies.length > 100, 20_000)

    const stopped = roster.process.stop('SIGTERM')
    // What a load balancer does.
    await until(async () => (await roster.probe('ready')).status === 503, 1000)
    expect((await roster.probe('live')).status).toBe(200)
    const before = replies.length
    await until(async () => replies.length > before + 20, 2000)
    isOver = true
    const slow = roster.ask(createUser, { input: { username: 'slow' } })
    await Promise.all(clients)
    await until(async () => (await roster.probe('live').catch(() => null)) === null, 4000)
    await open()

    expect((await slow).codes).toEqual([])
    expect(await stopped).toBe(0)
    expect(replies.filter(({ status, codes }) => status !== 200 || codes.length > 0)).toEqual([])
    const [{ count }] = (await cluster.sql('SELECT count(*)::int FROM roster.users')) as [{ count: number }]
    expect(count).toBe(replies.length + 1)
  },
)

clusterTest('R15: a second signal ends it at once, and leaves nothing half-written', async () => {
  const { roster, open } = await serveWithGate()
  const slow = roster.ask(createUser, { input: { username: 'slow-forced' } }).catch(() => null)
  await pause(300)
  const startedAt = performance.now()
  const stopped = roster.process.stop('SIGTERM')
  await until(async () => (await roster.probe('ready')).status === 503, 1000)
  roster.process.child.kill('SIGTERM')

  expect(await stopped).toBe(1)
  expect(performance.now() - startedAt).toBeLessThan(1800)
  expect(await slow).toBe(null)
  await open()
  await until(async () => (await cluster.sql("SELECT 1 FROM pg_stat_activity WHERE application_name = 'roster'")).length === 0, 5000)
  expect(await cluster.sql("SELECT id FROM roster.users WHERE username = 'slow-forced'")).toEqual([])
})
