import { afterAll, beforeAll, expect, onTestFinished } from 'vitest'
import { type Cluster, clusterTest, connect, isClusterRun, startCluster } from './cluster.ts'
import { closeGate } from './gate.ts'
import { kinds, pause, type Reply, type Serving, serve, unavailable, until } from './serving.ts'

let cluster: Cluster
let roster: Serving
const poolSize = 10

beforeAll(async () => {
  if (!isClusterRun) return
  cluster = await startCluster()
  // Long limits, so that who is refused after a second is refused for want of a connection.
  const limits = { STATEMENT_TIMEOUT_MS: '15000', REQUEST_TIMEOUT_MS: '15000' }
  roster = await serve(cluster.url, { DATABASE_POOL_SIZE: String(poolSize), ...limits })
})
afterAll(async () => {
  await roster?.remove()
  await cluster?.remove()
})

const readUsers = '{ users(first: 5) { nodes { id email profile { name } identities { provider } } totalCount } }'
const shortRead = '{ users(first: 5) { nodes { id email profile { name } } } }'
const createUser = 'mutation($input: CreateUserInput!) { createUser(input: $input) { user { id } errors { code } } }'

const atOnce = (count: number, work: (index: number) => Promise<Reply>) => Promise.all(Array.from({ length: count }, (_, at) => work(at)))
const failed = (replies: Reply[]) => replies.filter(({ status, codes }) => status !== 200 || codes.length > 0)

clusterTest('R1: when its idle connections are cut, the process lives and no reader notices', async () => {
  for (let round = 0; round < 10; round++) {
    await atOnce(30, () => roster.ask(readUsers))
    expect(await cluster.cut('roster')).toBeGreaterThan(2)
    expect(failed(await atOnce(30, () => roster.ask(readUsers)))).toEqual([])
  }
})

clusterTest('R1: when connections are cut while they read, no reader notices', async () => {
  let cuts = 0
  const replies = await whileReading(8, async () => {
    for (let round = 0; round < 10; round++) {
      await pause(200)
      cuts += await cluster.cut('roster')
    }
  })
  expect(cuts).toBeGreaterThan(20)
  expect(replies.length).toBeGreaterThan(100)
  expect(failed(replies)).toEqual([])
})

clusterTest(
  'R1: when connections are cut as soon as they are opened, the process lives, and readers are told to try again at worst',
  async () => {
    let cuts = 0
    const replies = await whileReading(16, async () => {
      for (let round = 0; round < 60; round++) {
        await pause(5 * (round % 10))
        cuts += await cluster.cut('roster')
      }
    })
    expect(cuts).toBeGreaterThan(100)
    expect(replies.length).toBeGreaterThan(100)
    expect([...kinds(failed(replies))].filter((kind) => !unavailable.has(kind))).toEqual([])
    expect(failed(await atOnce(30, () => roster.ask(readUsers)))).toEqual([])
  },
)

clusterTest(
  'R2: a change whose connection is cut half-way is SERVICE_UNAVAILABLE, leaves nothing, and its place in the pool comes back',
  async () => {
    await cluster.sql(`
    CREATE FUNCTION public.cut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$;
    CREATE TRIGGER cut AFTER INSERT ON roster.audit_events FOR EACH ROW WHEN (NEW.type = 'user.created') EXECUTE FUNCTION public.cut()`)
    const replies = await atOnce(3 * poolSize, (at) =>
      roster.ask(createUser, { input: { username: `half-${at}`, profile: { name: 'Half' } } }),
    )
    await cluster.sql('DROP FUNCTION public.cut CASCADE')

    expect(kinds(replies)).toEqual(unavailable)
    expect(await cluster.sql("SELECT id FROM roster.users WHERE username LIKE 'half-%'")).toEqual([])
    expect(await cluster.sql("SELECT user_id FROM roster.profiles WHERE name = 'Half'")).toEqual([])
    expect(failed(await atOnce(3 * poolSize, (at) => roster.ask(createUser, { input: { username: `whole-${at}` } })))).toEqual([])
    expect(await connections()).toBeLessThanOrEqual(poolSize)
  },
)

clusterTest('R6: with all connections of the pool taken, a request is refused within about a second, and probes are answered', async () => {
  const gate = await closeGate(cluster, "NEW.username LIKE 'slow-%'")
  // One is kept for short reads, which go on.
  const slow = atOnce(poolSize - 1, (at) => roster.ask(createUser, { input: { username: `slow-${at}` } }))
  await until(async () => (await connections("wait_event = 'PgSleep'")) === poolSize - 1, 10_000)
  // That one was cut as well, and is opened again a second later at the soonest.
  await until(async () => failed([await roster.ask(shortRead)]).length === 0, 5000)

  const [replies, reads, live] = await Promise.all([
    atOnce(20, () => roster.ask(readUsers)),
    atOnce(20, () => roster.ask(shortRead)),
    roster.probe('live'),
  ])
  await gate.open()

  expect(kinds(replies)).toEqual(unavailable)
  expect(Math.max(...replies.map(({ ms }) => ms))).toBeLessThan(2500)
  expect(live.status).toBe(200)
  expect(live.ms).toBeLessThan(1000)
  expect(failed(reads)).toEqual([])
  expect(failed(await slow)).toEqual([])
  expect(failed(await atOnce(20, () => roster.ask(readUsers)))).toEqual([])
})

clusterTest(
  'R6: when the database takes no more connections, a request is refused within about a second, and probes are answered',
  async () => {
    const database = await cluster.createDatabase('limited')
    await cluster.sql('CREATE ROLE limited LOGIN; ALTER DATABASE limited OWNER TO limited')
    const url = Object.assign(new URL(database), { username: 'limited' }).href
    const small = await serve(url)
    onTestFinished(small.remove)
    await cluster.sql('ALTER ROLE limited CONNECTION LIMIT 3')
    await cluster.cut('roster')
    await until(async () => (await connections("usename = 'limited'")) === 0, 2000)
    const holders = [await connect(url), await connect(url), await connect(url)]

    const [replies, live] = await Promise.all([atOnce(20, () => small.ask(readUsers)), small.probe('live')])
    await until(async () => (await small.probe('ready')).status === 503, 2000)
    for (const holder of holders) await holder.end()
    await until(async () => (await small.probe('ready')).status === 200, 3000)

    expect(kinds(replies)).toEqual(unavailable)
    expect(Math.max(...replies.map(({ ms }) => ms))).toBeLessThan(2500)
    expect(live.status).toBe(200)
    expect(live.ms).toBeLessThan(1000)
    expect(failed([await small.ask(readUsers)])).toEqual([])
  },
)

clusterTest('R6: when the database takes fewer connections than the pool has places, requests share those there are', async () => {
  const url = await cluster.createDatabase('scarce')
  await cluster.sql('CREATE ROLE scarce LOGIN; ALTER DATABASE scarce OWNER TO scarce')
  const scarce = await serve(Object.assign(new URL(url), { username: 'scarce' }).href)
  onTestFinished(scarce.remove)
  await cluster.sql('ALTER ROLE scarce CONNECTION LIMIT 3')
  await cluster.cut('roster')

  for (let round = 0; round < 5; round++) {
    expect(failed(await atOnce(30, () => scarce.ask(readUsers)))).toEqual([])
    expect(failed(await atOnce(30, (at) => scarce.ask(createUser, { input: { username: `scarce-${round}-${at}` } })))).toEqual([])
  }
  // It is asked for more once a second, not by each request.
  expect(await refusals('scarce')).toBeLessThan(150)
})

/** All that these readers, who never stop asking, were answered meanwhile. */
async function whileReading(readers: number, work: () => Promise<void>): Promise<Reply[]> {
  let isOver = false
  const replies: Reply[] = []
  const reading = Promise.all(
    Array.from({ length: readers }, async () => {
      while (!isOver) replies.push(await roster.ask(readUsers))
    }),
  )
  const working = work().finally(() => {
    isOver = true
  })
  await Promise.all([reading, working])
  return replies
}

/** How many connections the server has refused to this role, by its log. */
async function refusals(role: string): Promise<number> {
  const [row] = await cluster.sql("SELECT pg_read_file(current_setting('data_directory') || '/../log') AS log")
  return String(row?.['log']).split(`too many connections for role "${role}"`).length - 1
}

async function connections(where = 'true'): Promise<number> {
  return (await cluster.sql(`SELECT pid FROM pg_stat_activity WHERE application_name = 'roster' AND ${where}`)).length
}
