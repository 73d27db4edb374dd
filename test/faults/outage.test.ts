import { afterAll, beforeAll, expect } from 'vitest'
import { type Cluster, clusterTest, isClusterRun, startCluster } from './cluster.ts'
import { kinds, pause, type Serving, serve, unavailable, until } from './serving.ts'

let cluster: Cluster
let roster: Serving
/** The defaults of a server. */
const requestTimeoutMs = 5000
const maxInFlight = 256

beforeAll(async () => {
  if (!isClusterRun) return
  cluster = await startCluster()
  roster = await serve(cluster.url)
})
afterAll(async () => {
  await roster?.remove()
  await cluster?.remove()
})

const readUsers = '{ users(first: 5) { nodes { id email } } }'
const createUser = 'mutation($input: CreateUserInput!) { createUser(input: $input) { user { id } errors { code } } }'

clusterTest(
  'R4: while the database crashes and recovers, the server lives, readiness follows, and what was acknowledged stays',
  async () => {
    const live = watchLive()
    for (let round = 0; round < 3; round++) {
      const kept = await roster.ask(createUser, { input: { username: `kept-${round}` } })
      expect(kept.codes).toEqual([])

      await cluster.crash()
      await until(() => isReady(503), 2000)
      const refused = await Promise.all([roster.ask(readUsers), roster.ask(createUser, { input: { username: `lost-${round}` } })])
      expect(kinds(refused)).toEqual(unavailable)
      expect(Math.max(...refused.map(({ ms }) => ms))).toBeLessThan(2000)

      await cluster.start()
      await until(() => isReady(200), 2000)
      const found = await roster.ask(`{ user(by: { username: "kept-${round}" }) { id } }`)
      expect(found.data.user).toEqual(kept.data.createUser.user)
    }
    expect(await live()).toEqual(new Set([200]))
    expect(roster.process.child.exitCode).toBe(null)
  },
)

clusterTest(
  'R5: while the database hangs, each request ends in time with 503, those at work are bounded, and it recovers alone',
  async () => {
    const live = watchLive()
    cluster.freeze()
    const asking = Array.from({ length: 400 }, (_, at) =>
      at % 2 ? roster.ask(readUsers) : roster.ask(createUser, { input: { username: `hang-${at}` } }),
    )
    await pause(500)
    const atWork = await inFlight()
    const replies = await Promise.all(asking)
    const ready = await roster.probe('ready')
    cluster.thaw()

    await until(() => isReady(200), 2000)
    const after = await Promise.all(Array.from({ length: 20 }, () => roster.ask(readUsers)))
    expect(kinds(replies)).toEqual(unavailable)
    expect(Math.max(...replies.map(({ ms }) => ms))).toBeLessThan(requestTimeoutMs + 1000)
    expect(atWork).toBeGreaterThan(0)
    expect(atWork).toBeLessThanOrEqual(maxInFlight)
    expect(ready.status).toBe(503)
    expect(kinds(after)).toEqual(new Set(['200 null ']))
    expect(await inFlight()).toBe(0)
    expect(await live()).toEqual(new Set([200]))
  },
)

const isReady = async (status: number) => (await roster.probe('ready')).status === status

/** Asks for liveness all the time. Answers a function that ends that, and answers what was answered. */
function watchLive(): () => Promise<Set<number>> {
  let isOver = false
  const statuses = new Set<number>()
  const watching = (async () => {
    while (!isOver) {
      statuses.add((await roster.probe('live').catch(() => ({ status: 0 }))).status)
      await pause(25)
    }
  })()
  return async () => {
    isOver = true
    await watching
    return statuses
  }
}

/** How many requests are at work, as `/metrics` says. */
async function inFlight(): Promise<number> {
  const text = await (await fetch(`${roster.process.url}/metrics`)).text()
  return Number(/^roster_http_requests_in_flight (\d+)$/m.exec(text)?.[1])
}
