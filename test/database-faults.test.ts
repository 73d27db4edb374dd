import { setTimeout as delay } from 'node:timers/promises'
import { beforeEach, describe, expect, onTestFinished } from 'vitest'
import type { Database, DatabaseOptions } from '../src/database/database.ts'
import { isRetryable, isUnavailable, postgresError } from '../src/database/errors.ts'
import { emptyDatabase, openTestDatabase, postgresOnly, testDatabase, testDatabaseUrl } from './database.ts'
import { type DatabaseProxy, proxyTo } from './setup/proxy.ts'

const ada = '01890000-0000-7000-8000-00000000000a'
const bob = '01890000-0000-7000-8000-00000000000b'

beforeEach(async () => emptyDatabase(await testDatabase()))

/** A pool of its own, whose connections the server knows by this name. */
async function open(name: string, options: Partial<DatabaseOptions> = {}): Promise<Database> {
  const url = new URL(options.databaseUrl ?? testDatabaseUrl())
  url.searchParams.set('application_name', name)
  const database = await openTestDatabase({ poolSize: 5, ...options, databaseUrl: url.href })
  onTestFinished(database.close)
  return database
}

async function killConnections(name: string): Promise<number> {
  const { session } = await testDatabase()
  const killed = await session(({ query }) =>
    query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1 AND datname = current_database()', [name]),
  )
  return killed.length
}

/** How the work failed, and after how many milliseconds. */
async function failureOf(work: () => Promise<unknown>): Promise<{ error: unknown; ms: number }> {
  const start = performance.now()
  try {
    await work()
  } catch (error) {
    return { error, ms: performance.now() - start }
  }
  throw new Error('it did not fail')
}

const read = ({ prisma }: Database) => prisma.user.findMany({ select: { id: true } })
const times = <Result>(count: number, work: () => Promise<Result>) => Promise.all(Array.from({ length: count }, work))

describe('connections that the server cuts', () => {
  postgresOnly('while they are idle cost nobody an error', async () => {
    const database = await open('idle')
    const { prisma } = database
    for (let round = 1; round <= 10; round++) {
      await times(5, () => prisma.$queryRaw`SELECT pg_sleep(0.02)::text`)

      expect(await killConnections('idle')).toBe(4)
      await times(10, () => read(database))
      await times(5, () => prisma.$transaction(async (db) => db.user.count()))

      expect(await killConnections('idle')).toBeGreaterThan(0)
      await prisma.$transaction(async (db) => db.user.count())
    }
  })

  postgresOnly('amidst a transaction undo it, and the pool recovers', async () => {
    const database = await open('amidst', { poolSize: 1 })

    const { error } = await failureOf(() =>
      database.prisma.$transaction(async (db) => {
        await db.user.create({ data: { id: ada }, select: { id: true } })
        await killConnections('amidst')
        await db.user.create({ data: { id: bob }, select: { id: true } })
      }),
    )

    expect(isUnavailable(error)).toBe(true)
    expect(await read(database)).toEqual([])
    await database.prisma.$transaction(async (db) => db.user.count())
  })

  postgresOnly('before a commit is sent undo the transaction', async () => {
    const database = await open('commit', { poolSize: 1 })

    const { error } = await failureOf(() =>
      database.prisma.$transaction(async (db) => {
        await db.user.create({ data: { id: ada }, select: { id: true } })
        await killConnections('commit')
      }),
    )

    expect(isUnavailable(error)).toBe(true)
    expect(await read(database)).toEqual([])
  })

  postgresOnly('while a statement runs make it unavailable, and a write is not sent again', async () => {
    const database = await open('running', { poolSize: 1 })
    const writing = failureOf(() => database.prisma.$executeRaw`INSERT INTO roster.users (id) SELECT ${ada}::uuid FROM pg_sleep(1)`)
    await delay(300)

    await killConnections('running')

    expect(isUnavailable((await writing).error)).toBe(true)
    expect(await read(database)).toEqual([])
  })
})

describe('a server', () => {
  const through = async (statementTimeoutMs = 500): Promise<{ database: Database; proxy: DatabaseProxy }> => {
    const proxy = await proxyTo(testDatabaseUrl())
    return { proxy, database: await open('proxy', { databaseUrl: proxy.url, poolSize: 2, statementTimeoutMs, requestTimeoutMs: 2000 }) }
  }

  postgresOnly('that is down is unavailable at once, and used again as soon as it is back', async () => {
    const { database, proxy } = await through()
    await times(5, () => read(database))

    proxy.stop()

    for (const work of [() => read(database), () => database.prisma.$transaction((db) => db.user.count()), database.ping]) {
      const { error, ms } = await failureOf(work)
      expect(isUnavailable(error)).toBe(true)
      expect(ms).toBeLessThan(1000)
    }
    await proxy.start()
    await database.ping()
    expect(await read(database)).toEqual([])
  })

  postgresOnly('that hangs makes each request end in its time, and leaves no busy connection behind', async () => {
    const { database, proxy } = await through()
    await times(5, () => read(database))

    proxy.freeze()

    const reads = Array.from({ length: 10 }, () => () => read(database))
    const works = [...reads, () => database.prisma.$transaction((db) => db.user.count()), database.ping]
    for (const { error, ms } of await Promise.all(works.map(failureOf))) {
      expect(isUnavailable(error)).toBe(true)
      expect(ms).toBeLessThan(2500)
    }
    proxy.thaw()
    expect(await times(10, () => read(database))).toEqual(Array(10).fill([]))
  })

  postgresOnly('that hangs amidst a transaction makes it end in its time, and its connection is closed', async () => {
    const { database, proxy } = await through()

    const { error, ms } = await failureOf(() =>
      database.prisma.$transaction(async (db) => {
        await db.user.create({ data: { id: ada }, select: { id: true } })
        proxy.freeze()
        await db.user.count()
      }),
    )
    proxy.thaw()

    expect(isUnavailable(error)).toBe(true)
    expect(ms).toBeLessThan(2500)
    expect(await read(database)).toEqual([])
    await delay(200)
    const { session } = await testDatabase()
    expect(
      await session(({ query }) => query(`SELECT state FROM pg_stat_activity WHERE application_name = 'proxy' AND state <> 'idle'`)),
    ).toEqual([])
  })
})

describe('a limit', () => {
  postgresOnly('of the pool is answered a second before a request runs out of time', async () => {
    const database = await open('exhausted', { poolSize: 2, requestTimeoutMs: 2000 })
    const holding = times(2, () => database.prisma.$transaction((db) => db.$queryRaw`SELECT pg_sleep(1.8)::text`))
    await delay(100)

    const works = [() => read(database), () => database.prisma.$transaction((db) => db.user.count())]
    for (const { error, ms } of await Promise.all(works.map(failureOf))) {
      expect(isUnavailable(error)).toBe(true)
      expect(ms).toBeLessThan(1500)
    }
    await holding
    await read(database)
  })

  postgresOnly('of the server on connections is unavailable where the pool has none, and waited for where it has', async () => {
    const { session } = await testDatabase()
    onTestFinished(() => session(({ run }) => run('DROP OWNED BY roster_few; DROP ROLE roster_few')))
    await session(({ run }) =>
      run(`CREATE ROLE roster_few LOGIN PASSWORD 'few' CONNECTION LIMIT 1; GRANT USAGE ON SCHEMA roster TO roster_few;
        GRANT SELECT ON ALL TABLES IN SCHEMA roster TO roster_few`),
    )
    const url = new URL(testDatabaseUrl())
    url.username = 'roster_few'
    url.password = 'few'
    const database = await open('few', { databaseUrl: url.href, migrate: false })
    const other = await open('other', { databaseUrl: url.href, migrate: false })
    await other.prisma.$queryRaw`SELECT 1`

    const { error, ms } = await failureOf(() => read(database))

    expect(postgresError(error)?.code).toBe('53300')
    expect(isUnavailable(error)).toBe(true)
    expect(ms).toBeLessThan(1500)
    expect(await killConnections('other')).toBe(1)
    await delay(100)

    const holding = times(1, () => database.prisma.$queryRaw`SELECT pg_sleep(0.5)::text`)
    await delay(200)
    // There is one now that comes back.
    expect(await read(database)).toEqual([])
    await holding
  })

  postgresOnly('on waiting for a lock ends the wait', async () => {
    const { prisma } = await testDatabase()
    await prisma.user.create({ data: { id: ada }, select: { id: true } })
    const lock = prisma.$transaction(async (db) => {
      await db.user.update({ where: { id: ada }, data: { version: 2 }, select: { id: true } })
      await delay(2500)
    })
    await delay(200)

    const { error, ms } = await failureOf(() => prisma.user.update({ where: { id: ada }, data: { version: 3 }, select: { id: true } }))

    expect(postgresError(error)?.code).toBe('55P03')
    expect(isUnavailable(error)).toBe(true)
    expect(ms).toBeLessThan(2000)
    await lock
  })

  postgresOnly('on the time of a statement ends it', async () => {
    const database = await open('slow', { statementTimeoutMs: 300 })

    const { error, ms } = await failureOf(() => database.prisma.$queryRaw`SELECT pg_sleep(5)::text`)

    expect(postgresError(error)?.code).toBe('57014')
    expect(isUnavailable(error)).toBe(true)
    expect(ms).toBeLessThan(700)
  })
})

describe('a transaction that loses against another', () => {
  const versionOf = (id: string) => ({ where: { id }, data: { version: { increment: 1 } }, select: { id: true } }) as const

  postgresOnly('by a deadlock may be tried again', async () => {
    const { prisma } = await testDatabase()
    await prisma.user.createMany({ data: [{ id: ada }, { id: bob }] })

    const crossing = (first: string, second: string) =>
      prisma.$transaction(async (db) => {
        await db.$executeRaw`SET LOCAL deadlock_timeout = '100ms'`
        await db.user.update(versionOf(first))
        await delay(200)
        await db.user.update(versionOf(second))
      })
    const results = await Promise.allSettled([crossing(ada, bob), crossing(bob, ada)])

    const [lost] = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
    expect(postgresError(lost)?.code).toBe('40P01')
    expect(isRetryable(lost)).toBe(true)
    expect(isUnavailable(lost)).toBe(false)
  })

  postgresOnly('by serialization may be tried again', async () => {
    const { prisma } = await testDatabase()
    await prisma.user.create({ data: { id: ada }, select: { id: true } })

    const { error } = await failureOf(() =>
      prisma.$transaction(
        async (db) => {
          await db.user.count()
          await prisma.user.update(versionOf(ada))
          await db.user.update(versionOf(ada))
        },
        { isolationLevel: 'Serializable' },
      ),
    )

    expect(postgresError(error)?.code).toBe('40001')
    expect(isRetryable(error)).toBe(true)
  })
})

postgresOnly('a column that somebody changes under statements that are prepared costs nobody an error', async () => {
  const { prisma } = await open('stale')
  const { session } = await testDatabase()
  const alter = (type: string) =>
    session(({ query }) => query(`ALTER TABLE public.settings ALTER COLUMN value TYPE ${type} USING value::${type}`))
  const readAll = () => prisma.$queryRaw<{ value: unknown }[]>`SELECT value FROM public.settings WHERE value IS NOT NULL`
  const write = () => prisma.$queryRaw<{ value: unknown }[]>`UPDATE public.settings SET value = value RETURNING value`
  await session(({ query }) => query('CREATE TABLE public.settings (value integer); INSERT INTO public.settings VALUES (1)'))
  onTestFinished(async () => void (await session(({ query }) => query('DROP TABLE public.settings'))))
  const inTransaction = () => prisma.$transaction((db) => db.$queryRaw`SELECT value FROM public.settings`)
  for (let count = 0; count < 10; count++) await Promise.all([times(5, readAll), times(5, write)])

  await alter('text')
  expect(await times(5, readAll)).toEqual(Array(5).fill([{ value: '1' }]))
  expect(await write()).toEqual([{ value: '1' }])
  for (let count = 0; count < 40; count++) await inTransaction()
  await alter('integer')
  const { error } = await failureOf(inTransaction)
  expect(isRetryable(error)).toBe(true)
  expect(await inTransaction()).toEqual([{ value: 1 }])
})
