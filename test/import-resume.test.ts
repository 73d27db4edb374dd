import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { postgresOnly } from './database.ts'
import { boot, type Harness } from './harness.ts'
import { importFile, readJob, requestImport, upload } from './imports.ts'
import { serverEnvironment, startServers } from './server-cluster.ts'
import type { ServerProcess } from './server-process.ts'
import { builtSources, testFolder } from './setup/build.ts'
import { roster } from './setup/command-line.ts'

let harness: Harness
const servers: ServerProcess[] = []

beforeAll(async () => {
  harness = await boot()
})
beforeEach(() => harness.reset())
afterAll(() => Promise.all(servers.map((server) => server.stop('SIGKILL'))))

const db = () => harness.app.database.prisma
const count = 6000
const isBad = (index: number) => index % 500 === 250
const lines = Array.from({ length: count }, (_, index) => {
  const email = isBad(index) ? 'nobody' : `user${index}@example.com`
  const identities = [{ provider: 'google', providerUserId: `g${index}` }]
  return JSON.stringify({ email, identities, userMetadata: { index }, profile: { name: `User ${index}` } })
})
const good = lines.filter((_, index) => !isBad(index)).length
const file = `${lines.join('\n')}\n`

/** As if the lease of the worker that was killed had run out. */
const runOut = () => db().$executeRaw`update roster.jobs set leased_until = now() - interval '1 second' where finished_at is null`

/** Waits until so many records are done. */
async function reaches(records: number): Promise<void> {
  for (let waited = 0; waited < 600; waited++) {
    if ((await db().job.findFirst({ where: { processed: { gte: records } } })) !== null) return
    await delay(50)
  }
  throw new Error('the import does not get on')
}

/** Every good record is there, once and whole. */
async function expectAll(): Promise<void> {
  expect(await db().user.count()).toBe(good)
  expect(await db().identity.count()).toBe(good)
  expect(await db().profile.count()).toBe(good)
  const events = await db()
    .$queryRaw`select count(*)::int as all, count(distinct user_id)::int as users from roster.audit_events where type = 'user.imported'`
  expect(events).toEqual([{ all: good, users: good }])
}

postgresOnly(
  'R32: a command that is killed half-way and run again leaves no duplicate and no gap',
  async () => {
    const folder = testFolder()
    const [path, refused] = [join(folder, 'users.ndjson'), join(folder, 'refused.ndjson')]
    writeFileSync(path, file)
    const child = spawn(process.execPath, [join(builtSources(), 'dist/main.js'), 'import', path, '--errors', refused], {
      env: { PATH: process.env['PATH'] ?? '', ...serverEnvironment(harness) },
      stdio: 'ignore',
    })
    const exited = once(child, 'exit')
    await reaches(1000)
    child.kill('SIGKILL')
    await exited
    const before = await db().user.count()
    expect(before).toBeGreaterThan(500)
    expect(before).toBeLessThan(good)
    await runOut()

    const again = await roster(['import', path, '--errors', refused], serverEnvironment(harness), { stop: new Promise(() => {}) })

    expect(again.errors).toContain('Going on after')
    await expectAll()
    expect(readFileSync(refused, 'utf8').trimEnd().split('\n')).toEqual(lines.filter((_, index) => isBad(index)))
  },
  120_000,
)

postgresOnly(
  'R32: a server that is killed amidst an import leaves it to another one, which leaves no duplicate and no gap',
  async () => {
    const first = (await startServers(harness, 1))[0] as ServerProcess
    servers.push(first)
    const token = await harness.adminToken('import:users')
    const { id } = await upload(first, token, file)
    const job = await requestImport(harness, token, { format: 'ROSTER_NDJSON', upload: id })
    await reaches(1000)
    await first.stop('SIGKILL')
    expect(await db().user.count()).toBeLessThan(good)
    await runOut()
    servers.push(...(await startServers(harness, 1)))
    for (let waited = 0; waited < 600 && (await readJob(harness, job)).status === 'RUNNING'; waited++) await delay(100)

    expect(await readJob(harness, job)).toMatchObject({
      status: 'SUCCEEDED',
      processed: count,
      total: count,
      inserted: good,
      failed: count - good,
      errors: { totalCount: count - good },
    })
    await expectAll()
  },
  120_000,
)

test('an import that is cancelled stops, and keeps what it had done', async () => {
  const token = await harness.adminToken('import:users')
  const { id } = await upload(harness, token, file)
  const job = await requestImport(harness, token, { format: 'ROSTER_NDJSON', upload: id })
  const done = harness.app.jobRunner.settled()
  await reaches(300)

  await harness.admin('mutation($id: ID!) { cancelJob(input: { id: $id }) { errors { code } } }', { id: job })
  await done

  const { status, inserted } = await readJob(harness, job)
  expect([status, await db().user.count()]).toEqual(['CANCELLED', inserted])
  expect(inserted).toBeLessThan(good)
}, 60_000)

test('a record that a trigger of the database refuses is found among those that go in with it', async () => {
  await db().$executeRaw`
    create function public.refuse_some() returns trigger language plpgsql as $$
    begin if new.email like 'user7%' then raise exception 'no sevens'; end if; return new; end $$`
  await db().$executeRaw`create trigger refuse_some before insert on roster.users for each row execute function public.refuse_some()`
  try {
    const records = Array.from({ length: 40 }, (_, index) => JSON.stringify({ email: `user${index}@example.com` })).join('\n')

    const { inserted, failed, errors } = await importFile(harness, records, { format: 'ROSTER_NDJSON' })

    expect([inserted, failed]).toEqual([39, 1])
    expect(errors.nodes).toMatchObject([{ line: 8, code: 'TRIGGER_REJECTED' }])
    expect(await db().user.count()).toBe(39)
  } finally {
    await db().$executeRaw`drop function public.refuse_some() cascade`
  }
})
