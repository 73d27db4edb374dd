/** The databases that are measured on: one for each number of users, on PostgreSQL. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { openDatabase } from '../dist/database/open.js'
import { seedUsers } from '../dist/domain/seed.js'
import { systemClock } from '../dist/ports/clock.js'
import { createLogger } from '../dist/ports/logger.js'

/** Users who take part, evenly spread over the table. */
const sampleSize = 1000

/** What pgbench chooses from, by number. */
const createKeys = `
  create table public.bench_keys as
  select row_number() over (order by id)::integer as n, id as user_id, email_normal as email, app_metadata ->> 'tenant' as tenant
  from (
    select distinct on (tile) * from (
      select *, ntile(${sampleSize}) over (order by id) as tile from roster.users
      where email_normal is not null and deleted_at is null and blocked_at is null
    ) as tiled order by tile, id
  ) as chosen`

/** Takes the server that TEST_DATABASE_URL names, or starts one that goes when the bench ends. */
export async function openServer() {
  const given = process.env['TEST_DATABASE_URL']
  if (given) return { url: given, version: await versionOf(given), close: async () => {} }
  const child = spawn(fileURLToPath(new URL('../.ci/postgres', import.meta.url)), { stdio: ['pipe', 'pipe', 'inherit'] })
  const [url] = await once(createInterface(child.stdout), 'line')
  const close = async () => {
    child.stdin.end()
    await once(child, 'exit')
  }
  return { url, version: await versionOf(url), close }
}

async function versionOf(url) {
  const [{ server_version: version }] = await query(url, 'show server_version')
  return version.split(' ')[0]
}

/** Runs one statement. */
export async function query(url, text, values = []) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(text, values)).rows
  } finally {
    await client.end()
  }
}

/** Makes a database of seeded users, in the state that a database is in when nothing has happened for a while. */
export async function createDatabase(server, size) {
  const name = `roster_bench_${size}`
  await query(server.url, `drop database if exists ${name} with (force)`)
  await query(server.url, `create database ${name}`)
  const url = new URL(server.url)
  url.pathname = `/${name}`
  const database = await openDatabase({
    databaseUrl: url.href,
    dataDir: '',
    poolSize: 1,
    statementTimeoutMs: 60_000,
    logger: createLogger('silent'),
  })
  await seedUsers(database.prisma, { count: size, clock: systemClock })
  await database.close()
  await query(url.href, createKeys)
  await query(url.href, 'alter table public.bench_keys add primary key (n)')
  await query(url.href, 'vacuum analyze')
  const samples = await query(url.href, 'select user_id as id, email, tenant from public.bench_keys order by n')
  return { size, url: url.href, samples, close: () => query(server.url, `drop database if exists ${name} with (force)`) }
}
