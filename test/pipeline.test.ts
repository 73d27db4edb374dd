import { afterEach, describe, expect } from 'vitest'
import type { Database } from '../src/database/database.ts'
import { postgresError } from '../src/database/errors.ts'
import { openTestDatabase, postgresOnly, testDatabaseUrl } from './database.ts'

const opened: Database[] = []

afterEach(async () => {
  await Promise.all(opened.splice(0).map((database) => database.close()))
})

describe('what an index answers in a moment', () => {
  postgresOnly('is asked on one connection, however much at once, and each question gets its own answer', async () => {
    const { lookUp } = await openPipelined()
    const ask = async (n: number) => (await lookUp<{ n: number; pid: number }>('select $1::integer as n, pg_backend_pid() as pid', [n]))[0]
    const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => ask(n)))

    expect(answers.map((row) => row?.n)).toEqual(Array.from({ length: 100 }, (_, n) => n))
    expect(new Set(answers.map((row) => row?.pid)).size).toBe(1)
  })

  postgresOnly('is refused alone where it is wrong', async () => {
    const { lookUp } = await openPipelined()
    const ask = (text: string) => lookUp('select $1::text::integer as n', [text]).catch((error) => postgresError(error)?.code)

    expect(await Promise.all(['1', 'one', '2'].map(ask))).toEqual([[{ n: 1 }], '22P02', [{ n: 2 }]])
  })

  postgresOnly('does not wait behind what takes long', async () => {
    const { lookUp } = await openPipelined()
    const ended: string[] = []
    const late = lookUp('select pg_sleep(1)', []).then(() => ended.push('late'))
    await new Promise((resolve) => setTimeout(resolve, 150))
    await lookUp('select 1', []).then(() => ended.push('soon'))
    await late

    expect(ended).toEqual(['soon', 'late'])
  })

  postgresOnly('is asked again when the connection is cut, which is opened again', async () => {
    const database = await openPipelined()
    const [before] = await pidsOf(database)
    const asked = database.lookUp('select pg_sleep(0.3)', [])
    await database.read('select pg_terminate_backend($1)', [before])

    await expect(asked).resolves.toHaveLength(1)
    await pipelined(database)
    expect(await pidsOf(database)).not.toContain(before)
  })

  postgresOnly('is told what is wrong with it, also where the one before should have prepared it', async () => {
    const database = await openPipelined()
    const text = 'select * from public.gone_soon where n = $1'
    await database.prisma.$executeRaw`create table public.gone_soon (n integer)`
    // From the thirtieth time on it has a name.
    for (let time = 1; time < 30; time++) await database.lookUp(text, [time])
    await database.prisma.$executeRaw`drop table public.gone_soon`
    const ask = () => database.lookUp(text, [1]).catch((error) => postgresError(error)?.code)

    expect(await Promise.all([ask(), ask(), ask()])).toEqual(['42P01', '42P01', '42P01'])
  })

  postgresOnly('takes its connection from those that a process may open', async () => {
    const url = new URL(testDatabaseUrl())
    url.searchParams.set('application_name', 'counted')
    const { lookUp, read } = await openPipelined({ databaseUrl: url.href, poolSize: 4 })
    await Promise.all(Array.from({ length: 20 }, (_, at) => (at % 2 ? read : lookUp)('select pg_sleep(0.01)', [])))

    expect(await read(`select count(*)::integer as count from pg_stat_activity where application_name = 'counted'`, [])).toEqual([
      { count: 4 },
    ])
  })

  postgresOnly('goes by the others where there are too few to spare one', async () => {
    const database = await openTestDatabase({ poolSize: 3 })
    opened.push(database)
    const pids = await Promise.all([1, 2, 3].map(() => database.lookUp<{ pid: number }>('select pg_backend_pid() as pid', [])))

    expect(new Set(pids.flat().map(({ pid }) => pid)).size).toBe(3)
  })
})

/** A database whose connection for this is open. */
async function openPipelined(options: Parameters<typeof openTestDatabase>[0] = {}): Promise<Database> {
  const database = await openTestDatabase({ poolSize: 4, ...options })
  opened.push(database)
  await pipelined(database)
  return database
}

/** Until it is open, as many connections are asked as there are questions. */
async function pipelined(database: Database): Promise<void> {
  await expect.poll(async () => new Set(await pidsOf(database)).size, { timeout: 5000 }).toBe(1)
}

async function pidsOf({ lookUp }: Database): Promise<number[]> {
  const asked = [1, 2, 3].map(() => lookUp<{ pid: number }>('select pg_backend_pid() as pid, pg_sleep(0.005)', []))
  return (await Promise.all(asked)).flat().map(({ pid }) => pid)
}
