import { afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { vacuum } from '../src/database/vacuum.ts'
import { newId } from '../src/domain/id.ts'
import { startJobs } from '../src/jobs.ts'
import { engine } from './database.ts'
import { boot, type Harness } from './harness.ts'

describe.runIf(engine === 'pglite')('the embedded database', () => {
  let harness: Harness
  const db = () => harness.app.database.prisma
  /** What was changed in the last second may not be counted yet. */
  const count = () => db().$executeRaw`select pg_stat_force_next_flush()`
  const vacuumNow = async () => {
    await count()
    return vacuum(db(), AbortSignal.any([]))
  }
  const createUsers = () =>
    db().user.createMany({ data: Array.from({ length: 1000 }, (_, index) => ({ id: newId(), username: `user-${index}` })) })
  const table = async () => {
    await count()
    const [row] = await db().$queryRaw<{ known: number; dead: number }[]>`
      select reltuples::int as known, n_dead_tup::int as dead
      from pg_class join pg_stat_user_tables on relid = pg_class.oid
      where relid = 'roster.users'::regclass`
    return row
  }

  beforeAll(async () => {
    harness = await boot()
  })
  beforeEach(async () => {
    await harness.reset()
    await vacuumNow()
  })
  afterEach(() => vi.restoreAllMocks())

  test('knows of who came in and reclaims who is gone, where they are a good part of a table', async () => {
    await createUsers()
    expect(await vacuumNow()).toEqual(['roster.users'])
    expect(await table()).toEqual({ known: 1000, dead: 0 })

    await db().user.deleteMany({ where: { username: { lt: 'user-4' } } })
    expect((await table())?.dead).toBeGreaterThan(300)
    expect(await vacuumNow()).toEqual(['roster.users'])
    expect(await table()).toMatchObject({ dead: 0 })

    await db().user.deleteMany({ where: { username: { lt: 'user-41' } } })
    expect(await vacuumNow()).toEqual([])
  })

  test('does so beside requests', async () => {
    await createUsers()
    // The first time comes after a random part of a minute.
    vi.spyOn(Math, 'random').mockReturnValue(0)
    onTestFinished(startJobs(harness.app).stop)
    await vi.waitFor(async () => expect(await table()).toMatchObject({ known: 1000 }), 5000)
  })
})
