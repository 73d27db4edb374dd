import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { lockDirectory } from '../src/database/directory-lock.ts'
import { openDatabase } from '../src/database/open.ts'
import { thisProcess } from '../src/database/process-identity.ts'
import { createLogger } from '../src/ports/logger.ts'
import { builtSources, type Program, runProgram, temporaryFolder, testFolder } from './setup/build.ts'

const settings = { databaseUrl: null, poolSize: 1, statementTimeoutMs: 3000, logger: createLogger('silent') }
const open = (dataDir: string) => openDatabase({ ...settings, dataDir })

/** Processes and databases start slowly where much else runs. */
const timeout = 120_000

let template: string
beforeAll(async () => {
  builtSources()
  template = temporaryFolder()
  await open(template).then(({ close }) => close())
})

/** A data directory with a database in it: making one takes seconds. */
function dataDirectory(): string {
  const dataDir = testFolder()
  cpSync(template, dataDir, { recursive: true })
  return dataDir
}

/** The one line with which a directory is refused, and how long that took. */
async function refusal(dataDir: string): Promise<string> {
  const start = performance.now()
  const error = await open(dataDir).then(
    ({ close }) => close().then(() => new Error('it was opened')),
    (caught: Error) => caught,
  )
  expect(error.name).toBe('DatabaseStartError')
  expect(error.message).not.toContain('\n')
  expect(performance.now() - start).toBeLessThan(5000)
  return error.message
}

/** A process that has the directory open, and writes users as fast as it can, saying each that is committed. */
const writer = (dataDir: string): Program =>
  runProgram(`
    import { writeSync } from 'node:fs'
    import { uuidv7 } from 'uuidv7'
    import { openDatabase } from './dist/database/open.js'
    import { createLogger } from './dist/ports/logger.js'
    const settings = { databaseUrl: null, poolSize: 1, statementTimeoutMs: 3000, logger: createLogger('silent') }
    const { prisma } = await openDatabase({ ...settings, dataDir: ${JSON.stringify(dataDir)} })
    writeSync(1, 'open\\n')
    for (;;) {
      const { id } = await prisma.user.create({ data: { id: uuidv7() }, select: { id: true } })
      writeSync(1, 'wrote ' + id + '\\n')
    }`)

const writtenBy = ({ lines }: Program) => lines.filter((line) => line.startsWith('wrote ')).map((line) => line.slice(6))

async function expectUsers(dataDir: string, ids: readonly string[]): Promise<void> {
  const database = await open(dataDir)
  const found = await database.prisma.user.findMany({ select: { id: true } }).finally(database.close)
  const kept = new Set(found.map(({ id }) => id))
  expect(ids.filter((id) => !kept.has(id))).toEqual([])
}

describe('two processes', () => {
  test('cannot open one directory: the second is refused, and nothing is lost', { timeout }, async () => {
    const dataDir = dataDirectory()
    const first = writer(dataDir)
    await first.line('wrote')

    expect(await refusal(dataDir)).toBe(
      `The data directory ${dataDir} is in use by process ${first.pid} on host ${hostname()}. Stop it first, or set ROSTER_DATA_DIR to another.`,
    )
    first.kill('SIGKILL')
    await first.exited
    await expectUsers(dataDir, writtenBy(first))
  })

  test('that take over the lock of a dead one at the same time do not both get it', { timeout }, async () => {
    const folder = testFolder()
    const rounds = Array.from({ length: 30 }, (_, round) => join(folder, String(round)))
    for (const directory of rounds) {
      mkdirSync(directory)
      writeFileSync(join(directory, 'lock'), JSON.stringify({ ...thisProcess(), startedAt: 'before', token: 'dead' }))
    }
    const start = Date.now() + 2000
    const programs = [1, 2, 3, 4].map(() =>
      runProgram(`
        import { lockDirectory } from './dist/database/directory-lock.js'
        for (const [round, directory] of ${JSON.stringify(rounds)}.entries()) {
          while (Date.now() < ${start} + round * 50);
          try { lockDirectory(directory, () => {}); console.log('won ' + round) } catch (error) { console.log(error.name) }
        }
        console.log('done'); setInterval(() => {}, 1000)`),
    )
    await Promise.all(programs.map(({ line }) => line('done')))

    const winners = programs.flatMap(({ lines }) => lines.filter((line) => line.startsWith('won ')))

    expect(winners.toSorted()).toEqual(rounds.map((_, round) => `won ${round}`).toSorted())
    const others = programs.flatMap(({ lines }) => lines.filter((line) => !line.startsWith('won ')))
    expect(new Set(others)).toEqual(new Set(['DatabaseStartError', 'done']))
  })
})

describe('a lock', () => {
  const lockOf = (directory: string, owner: object, silentSeconds = 0) => {
    const path = join(directory, 'lock')
    writeFileSync(path, JSON.stringify({ ...thisProcess(), token: 'other', ...owner }))
    const mtime = Date.now() / 1000 - silentSeconds
    utimesSync(path, mtime, mtime)
  }
  const take = (directory: string, onLost = () => {}) => {
    onTestFinished(lockDirectory(directory, onLost).release)
  }

  test('of this very process is not given twice', () => {
    const directory = testFolder()
    take(directory)

    expect(() => lockDirectory(directory, () => {})).toThrow(`in use by process ${process.pid}`)
  })

  test('is given up on release, with nothing left', () => {
    const directory = testFolder()

    lockDirectory(directory, () => {}).release()

    expect(readdirSync(directory)).toEqual([])
  })

  test('of a process whose id was given to another since is taken over', () => {
    const directory = testFolder()
    lockOf(directory, { startedAt: '1' })

    take(directory)

    expect(JSON.parse(readFileSync(join(directory, 'lock'), 'utf8'))).toMatchObject(thisProcess())
    expect(readdirSync(directory)).toEqual(['lock'])
  })

  test('of another host or container holds as long as its holder gives signs of life', () => {
    const directory = testFolder()
    lockOf(directory, { space: 'elsewhere', hostname: 'other', pid: 1 }, 5)

    expect(() => take(directory)).toThrow(/in use by process 1 on host other\. .* If it is gone, start again in (9|10|11) seconds\.$/)

    lockOf(directory, { space: 'elsewhere', hostname: 'other', pid: 1 }, 16)
    take(directory)
  })

  test('that a full disk left without text is taken over after a while', () => {
    const directory = testFolder()
    writeFileSync(join(directory, 'lock'), '')

    expect(() => take(directory)).toThrow('in use by another process')

    utimesSync(join(directory, 'lock'), 1, 1)
    take(directory)
  })

  test('gives signs of life, and notices once that somebody else has it', async () => {
    const directory = testFolder()
    let lost = 0
    take(directory, () => {
      lost++
    })
    const path = join(directory, 'lock')
    utimesSync(path, 1, 1)

    await delay(2500)
    expect(Date.now() - statSync(path).mtimeMs).toBeLessThan(2500)
    expect(lost).toBe(0)

    cpSync(path, `${path}.copy`)
    renameSync(`${path}.copy`, path)
    await delay(2500)
    expect(lost).toBe(1)
    await delay(2500)
    expect(lost).toBe(1)
  })
})

describe('a directory is refused, and left as it is,', () => {
  test('when it holds something else', async () => {
    const dataDir = testFolder()
    mkdirSync(join(dataDir, 'pgdata'))
    writeFileSync(join(dataDir, 'pgdata', 'thesis.txt'), 'years of work')

    expect(await refusal(dataDir)).toContain('pgdata holds something that is no database')
    expect(readdirSync(dataDir)).toEqual(['pgdata'])
    expect(readdirSync(join(dataDir, 'pgdata'))).toEqual(['thesis.txt'])
  })

  test('when its database is of another major version', async () => {
    const dataDir = testFolder()
    mkdirSync(join(dataDir, 'pgdata'))
    writeFileSync(join(dataDir, 'pgdata', 'PG_VERSION'), '99\n')

    expect(await refusal(dataDir)).toContain('pgdata is a database of PostgreSQL 99, and this Roster reads version 18')
    expect(readdirSync(join(dataDir, 'pgdata'))).toEqual(['PG_VERSION'])
  })

  test(`when it is a PostgreSQL server's own`, async () => {
    const dataDir = testFolder()
    writeFileSync(join(dataDir, 'PG_VERSION'), '15\n')

    expect(await refusal(dataDir)).toContain('is the directory of a PostgreSQL server')
    expect(readdirSync(dataDir)).toEqual(['PG_VERSION'])
  })

  test('when it cannot be written', async () => {
    const dataDir = process.getuid?.() === 0 ? '/dev/null/roster' : join('/', 'roster')

    expect(await refusal(dataDir)).toMatch(/^The data directory .* cannot be written \((ENOTDIR|EACCES|EROFS)\)\. Set ROSTER_DATA_DIR/)
  })

  test('when its database is damaged', { timeout }, async () => {
    const dataDir = dataDirectory()
    writeFileSync(join(dataDir, 'pgdata', 'global', 'pg_control'), Buffer.alloc(8192))

    expect(await refusal(dataDir)).toMatch(/^The database in .* cannot be opened: /)
    expect(readdirSync(dataDir)).toEqual(['pgdata'])
    await expect(open(dataDir)).rejects.toThrow('cannot be opened')
  })
})

test('a new directory is for its owner only', { timeout }, async () => {
  const dataDir = join(testFolder(), 'new', 'roster')

  const { close } = await open(dataDir)
  await close()

  expect(statSync(dataDir).mode & 0o777).toBe(0o700)
  expect(readdirSync(dataDir)).toEqual(['pgdata'])
})

test('a start killed while it makes the database is made good by the next', { timeout }, async () => {
  const dataDir = testFolder()
  const first = writer(dataDir)
  while (!existsSync(join(dataDir, 'pgdata.new', 'PG_VERSION'))) await delay(5)
  first.kill('SIGKILL')
  await first.exited
  expect(existsSync(join(dataDir, 'pgdata'))).toBe(false)

  await expectUsers(dataDir, [])

  expect(readdirSync(dataDir)).toEqual(['pgdata'])
})

test('nothing that was acknowledged is lost when the process is killed, time and again', { timeout }, async () => {
  const dataDir = dataDirectory()
  const written: string[] = []
  for (let round = 1; round <= 6; round++) {
    const program = writer(dataDir)
    await program.line('open')
    while (program.lines.length < 100 + 20 * round) await delay(1)
    program.kill('SIGKILL')
    await program.exited
    written.push(...writtenBy(program))
  }

  expect(written.length).toBeGreaterThan(600)
  await expectUsers(dataDir, written)
})
