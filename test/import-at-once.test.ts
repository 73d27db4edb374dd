import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { beforeAll, beforeEach, expect, onTestFinished } from 'vitest'
import { postgresOnly, testDatabaseUrl } from './database.ts'
import { boot, type Harness } from './harness.ts'
import { serverEnvironment } from './server-cluster.ts'
import { testFolder } from './setup/build.ts'
import { roster } from './setup/command-line.ts'
import { limitedUser, plant } from './setup/host.ts'

let harness: Harness

beforeAll(async () => {
  harness = await boot()
})
beforeEach(() => harness.reset())

const db = () => harness.app.database.prisma
const write = (records: readonly object[]): string => {
  const path = join(testFolder(), `users-${records.length}.ndjson`)
  writeFileSync(path, records.map((record) => `${JSON.stringify(record)}\n`).join(''))
  return path
}
const run = (path: string, environment = serverEnvironment(harness)) =>
  roster(['import', path], environment, { stop: new Promise(() => {}) })

/** Somebody else is about to take an address in the middle, so that each of two waits there with its half done; then he does not. */
async function fromTheMiddle<Result>(start: () => Promise<Result>): Promise<Result> {
  let started: Promise<Result> | undefined
  const giveUp = new Error('he does not')
  const other = db().$transaction(async (tx) => {
    await tx.user.create({ data: { id: randomUUID(), email: 'user250@example.com', emailNormal: 'user250@example.com' } })
    started = start()
    for (let waited = 0; waited < 400; waited++) {
      const [{ count } = { count: 0 }] = await tx.$queryRaw<{ count: number }[]>`
        select count(*)::int as count from pg_locks where not granted and locktype = 'transactionid'`
      if (count === 2) throw giveUp
      await delay(10)
    }
  })
  await other.catch((error) => expect(error).toBe(giveUp))
  return started as Promise<Result>
}

postgresOnly(
  'two files with the same people in opposite orders, each waiting for the other, bring everybody once, with one event',
  async () => {
    const people = Array.from({ length: 500 }, (_, index) => ({
      email: `user${index}@example.com`,
      identities: [{ provider: 'google', providerUserId: `g${index}` }],
    }))
    const files = [write(people), write(people.toReversed().slice(1))]

    const runs = await fromTheMiddle(() => Promise.all(files.map((path) => run(path))))

    expect(runs.map(({ errors }) => /(\d+) records in/.exec(errors.replaceAll(',', ''))?.[1])).toEqual(['500', '499'])
    const refused = runs.flatMap(({ output }) => output.split('\n').filter((line) => line !== ''))
    expect(refused).toHaveLength(499)
    expect(refused.filter((line) => !/\t(DUPLICATED_USER|CONFLICT\w*)\t/.test(line))).toEqual([])
    expect([
      await db().user.count(),
      await db().identity.count(),
      await db().auditEvent.count({ where: { type: 'user.imported' } }),
    ]).toEqual([500, 500, 500])
  },
  120_000,
)

postgresOnly(
  'where row-level security keeps Roster from inserting many, the import says so, and does not refuse each of them',
  async () => {
    await limitedUser()
    await plant('alter table roster.users enable row level security', 'alter table roster.users disable row level security')
    const { session } = harness.app.database
    await session(({ run }) => run('create policy everybody on roster.users using (true)'))
    onTestFinished(() => session(({ run }) => run('drop policy everybody on roster.users')))
    const url = new URL(testDatabaseUrl())
    url.username = 'roster_limited'
    url.password = 'limited'

    const { exitCode, output, errors } = await run(write([{ email: 'a@example.com' }, { email: 'b@example.com' }]), {
      ...serverEnvironment(harness),
      DATABASE_URL: url.href,
    })

    expect([exitCode, output]).toEqual([1, ''])
    expect(errors).toMatch(/row-level security holds.*`roster doctor`/)
    expect(await db().user.count()).toBe(0)
  },
  60_000,
)
