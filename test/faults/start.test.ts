import { afterAll, beforeAll, expect } from 'vitest'
import { type ServerProcess, startServerProcess } from '../server-process.ts'
import { type Cluster, clusterTest, isClusterRun, startCluster } from './cluster.ts'
import { ask, createToken, production, run, until } from './serving.ts'

let cluster: Cluster
const servers: ServerProcess[] = []
beforeAll(async () => {
  if (isClusterRun) cluster = await startCluster()
})
afterAll(async () => {
  for (const server of servers) await server.stop('SIGKILL')
  await cluster?.remove()
})

async function start(environment: Record<string, string>): Promise<ServerProcess> {
  const server = await startServerProcess(environment)
  servers.push(server)
  return server
}

const createUser = 'mutation { createUser(input: { username: "first" }) { user { id } errors { code } } }'

clusterTest("R28: servers that start together on an empty database migrate it once, and take each other's tokens", async () => {
  const environment = production(await cluster.createDatabase('together'))

  const together = await Promise.all([1, 2, 3].map(() => start(environment)))

  const token = await createToken(environment)
  const replies = await Promise.all(together.map(({ url }) => ask(url, token, '{ users(first: 1) { totalCount } }')))
  expect(replies.map(({ status, codes }) => [status, codes])).toEqual(Array(3).fill([200, []]))
  const [first, second] = await Promise.all(together.slice(1).map(({ url }) => ask(url, token, createUser)))
  expect([...(first?.codes ?? []), ...(second?.codes ?? [])]).toEqual(['USERNAME_TAKEN'])
  const made = await cluster.sql(
    `SELECT (SELECT count(*)::int FROM roster.signing_keys) AS keys, count(DISTINCT migration_name) = count(*) AS once
     FROM roster._prisma_migrations`,
    environment['DATABASE_URL'],
  )
  expect(made).toEqual([{ keys: 1, once: true }])
})

clusterTest('R29: after a server was killed amidst its migrations, the next one starts, with nothing to repair', async () => {
  const environment = production(await cluster.createDatabase('amidst'))
  const sql = (text: string) => cluster.sql(text, environment['DATABASE_URL'])
  await sql(`
    CREATE FUNCTION public.dawdle() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(2); END $$;
    CREATE EVENT TRIGGER dawdle ON ddl_command_start WHEN TAG IN ('CREATE TRIGGER') EXECUTE FUNCTION public.dawdle()`)
  const killed = run(['serve'], { ...environment, PORT: '0' })
  await until(async () => (await sql("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'")).length > 0, 20_000)
  killed.kill('SIGKILL')
  await killed.ended
  expect(await sql("SELECT to_regclass('roster.users') AS users")).toEqual([{ users: null }])

  const server = await start(environment)

  const reply = await ask(server.url, await createToken(environment), createUser)
  expect([reply.status, reply.codes]).toEqual([200, []])
})
