import { afterAll, beforeAll, expect } from 'vitest'
import { type Cluster, clusterTest, connect, isClusterRun, startCluster } from './cluster.ts'
import { type Serving, serve, until } from './serving.ts'

let cluster: Cluster
let roster: Serving
const statementTimeoutMs = 4000

beforeAll(async () => {
  if (!isClusterRun) return
  cluster = await startCluster()
  roster = await serve(cluster.url, { STATEMENT_TIMEOUT_MS: String(statementTimeoutMs) })
})
afterAll(async () => {
  await roster?.remove()
  await cluster?.remove()
})

const createUser = 'mutation($input: CreateUserInput!) { createUser(input: $input) { user { id } errors { code } } }'
const updateUser = 'mutation($input: UpdateUserInput!) { updateUser(input: $input) { user { version } errors { code } } }'

async function aUser(username: string): Promise<string> {
  return (await roster.ask(createUser, { input: { username, profile: { name: 'Jane' } } })).data.createUser.user.id
}

const waiting = () => cluster.sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'roster' AND wait_event_type = 'Lock'")

clusterTest('R7: a row that somebody else holds is waited for about a second, then the change can be tried again', async () => {
  const [held, free] = [await aUser('held'), await aUser('free')]
  const holder = await connect(cluster.url)
  await holder.query(`BEGIN; UPDATE roster.users SET app_metadata = '{}' WHERE id = '${held}'`)

  const [blocked, other, read] = await Promise.all([
    roster.ask(updateUser, { input: { id: held, username: 'changed' } }),
    roster.ask(updateUser, { input: { id: free, username: 'other' } }),
    roster.ask('query($id: ID!) { user(by: { id: $id }) { username } }', { id: held }),
  ])
  await holder.query('ROLLBACK')
  await holder.end()
  const again = await roster.ask(updateUser, { input: { id: held, username: 'changed' } })

  expect([blocked.status, blocked.retryAfter, blocked.codes]).toEqual([503, '1', ['SERVICE_UNAVAILABLE']])
  expect(blocked.ms).toBeGreaterThan(900)
  expect(blocked.ms).toBeLessThan(3000)
  expect([other.codes, read.data.user.username]).toEqual([[], 'held'])
  expect([again.codes, again.data.updateUser.user.version]).toEqual([[], 2])
})

clusterTest('R7: a table that somebody else holds is waited for about a second, by readers too', async () => {
  const holder = await connect(cluster.url)
  await holder.query('BEGIN; LOCK TABLE roster.users IN ACCESS EXCLUSIVE MODE')
  const reply = await roster.ask('{ users(first: 1) { nodes { id } } }')
  const live = await roster.probe('live')
  await holder.query('ROLLBACK')
  await holder.end()

  expect([reply.status, reply.retryAfter, reply.codes]).toEqual([503, '1', ['SERVICE_UNAVAILABLE']])
  expect(reply.ms).toBeLessThan(3000)
  expect(live.status).toBe(200)
})

clusterTest('R8: a statement that takes too long is ended in the database, and the request is SERVICE_UNAVAILABLE', async () => {
  const id = await aUser('slow')
  await cluster.sql(`
    CREATE FUNCTION public.dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(20); RETURN NEW; END $$;
    CREATE TRIGGER dawdle BEFORE UPDATE ON roster.users FOR EACH ROW EXECUTE FUNCTION public.dawdle();
    ALTER TABLE roster.identities RENAME TO kept;
    CREATE VIEW roster.identities AS SELECT * FROM roster.kept WHERE pg_sleep(20) IS NOT NULL;
    INSERT INTO roster.kept (id, user_id, provider, provider_user_id) VALUES (gen_random_uuid(), '${id}', 'test', '1')`)
  const [write, read] = await Promise.all([
    roster.ask(updateUser, { input: { id, username: 'slower' } }),
    roster.ask('query($id: ID!) { user(by: { id: $id }) { identities { provider } } }', { id }),
  ])
  const [{ count }] = (await cluster.sql("SELECT count(*)::int FROM pg_stat_activity WHERE wait_event = 'PgSleep'")) as [{ count: number }]
  await cluster.sql('DROP FUNCTION public.dawdle CASCADE; DROP VIEW roster.identities; ALTER TABLE roster.kept RENAME TO identities')

  for (const { status, retryAfter, codes, ms } of [write, read]) {
    expect([status, retryAfter, codes]).toEqual([503, '1', ['SERVICE_UNAVAILABLE']])
    expect(ms).toBeGreaterThan(statementTimeoutMs - 100)
    expect(ms).toBeLessThan(statementTimeoutMs + 2000)
  }
  expect(count).toBe(0)
  expect((await roster.ask('query($id: ID!) { user(by: { id: $id }) { username version } }', { id })).data.user).toEqual({
    username: 'slow',
    version: 1,
  })
})

clusterTest.for([
  ['the server', '10s', 'COMMIT', 1],
  ['the other', '100ms', 'ROLLBACK', 0],
] as const)(
  "R10: of two changes that wait for each other, when %s is the one that notices, the server's succeeds",
  async ([, deadlockTimeout, outcome, retries]) => {
    const before = await retriesCounted()
    const id = await aUser(`crossing-${deadlockTimeout}`)
    const other = await connect(cluster.url)
    await other.query(`SET deadlock_timeout = '${deadlockTimeout}'`)
    await other.query(`BEGIN; UPDATE roster.profiles SET nickname = 'other' WHERE user_id = '${id}'`)
    const change = roster.ask(updateUser, { input: { id, profile: { nickname: 'server' } } })
    await until(async () => (await waiting()).length === 1, 2000)
    const crossing = await other.query(`UPDATE roster.users SET app_metadata = '{"by": "other"}' WHERE id = '${id}'`).then(
      () => 'COMMIT',
      () => 'ROLLBACK',
    )
    await other.query(crossing)
    await other.end()
    const reply = await change

    expect(crossing).toBe(outcome)
    expect([reply.status, reply.codes]).toEqual([200, []])
    expect((await retriesCounted()) - before).toBe(retries)
    const [row] = await cluster.sql(`SELECT nickname, version FROM roster.users JOIN roster.profiles ON user_id = id WHERE id = '${id}'`)
    expect(row).toEqual({ nickname: 'server', version: 2 })
  },
)

/** How many transactions were tried again, as `/metrics` says. */
async function retriesCounted(): Promise<number> {
  const text = await (await fetch(`${roster.process.url}/metrics`)).text()
  return Number(/^roster_database_retries_total (\d+)$/m.exec(text)?.[1])
}
