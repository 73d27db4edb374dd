import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { Session } from '../src/database/database.ts'
import { applyMigrations, pendingMigrations, readMigrations } from '../src/database/migrate.ts'
import { openDatabase } from '../src/database/open.ts'
import { createLogger } from '../src/ports/logger.ts'
import { engine, postgresOnly, testDatabase, testDatabaseUrl } from './database.ts'
import { runProgram, testFolder } from './setup/build.ts'

type Place = Readonly<{ databaseUrl: string | null; dataDir: string }>

/** A database without anything in it. */
async function emptyPlace(): Promise<Place> {
  if (engine === 'pglite') return { databaseUrl: null, dataDir: testFolder() }
  const { session } = await testDatabase()
  const name = `roster_test_${randomBytes(6).toString('hex')}`
  await session(({ run }) => run(`CREATE DATABASE ${name}`))
  onTestFinished(() => session(({ run }) => run(`DROP DATABASE ${name} WITH (FORCE)`)))
  const url = new URL(testDatabaseUrl())
  url.pathname = name
  return { databaseUrl: url.href, dataDir: '' }
}

const settings = { poolSize: 2, statementTimeoutMs: 3000, logger: createLogger('silent') }

async function withDatabase<Result>(place: Place, work: (session: Session) => Promise<Result>): Promise<Result> {
  const database = await openDatabase({ ...place, ...settings })
  return database.session(work).finally(database.close)
}

function writeMigrations(migrations: Readonly<Record<string, string>>): string {
  const folder = testFolder()
  for (const [name, sql] of Object.entries(migrations)) {
    mkdirSync(join(folder, name))
    writeFileSync(join(folder, name, 'migration.sql'), sql)
  }
  return folder
}

const recorded = ({ query }: Session) =>
  query<{ name: string }>(`SELECT migration_name AS name FROM roster._prisma_migrations ORDER BY started_at, migration_name`)
const own = readMigrations()

test('schema.prisma and the migrations agree', () => {
  expect(execFileSync(process.execPath, ['prisma/diff.mjs'], { encoding: 'utf8' })).toBe('')
})

test('a database that is up to date costs one query', async () => {
  const { session } = await testDatabase()
  const sent: string[] = []
  const listening = ({ query, run }: Session): Session => ({
    run,
    query: (sql, values) => {
      sent.push(sql)
      return query(sql, values)
    },
  })

  await session((inner) => applyMigrations(listening(inner)))

  expect(sent).toHaveLength(1)
})

const openProgram = (place: Place) => `
  import { openDatabase } from './dist/database/open.js'
  import { applyMigrations, readMigrations } from './dist/database/migrate.js'
  import { createLogger } from './dist/ports/logger.js'
  const settings = { poolSize: 2, statementTimeoutMs: 3000, logger: createLogger('silent') }
  const database = await openDatabase({ ...${JSON.stringify(place)}, ...settings })`

postgresOnly('three processes that start at once on an empty database all start, and migrate it once', async () => {
  const place = await emptyPlace()

  const programs = [1, 2, 3].map(() => runProgram(`${openProgram(place)}; await database.prisma.user.count(); await database.close()`))

  expect(await Promise.all(programs.map(({ exited }) => exited))).toEqual([0, 0, 0])
  expect(await withDatabase(place, recorded)).toEqual(own.map(({ name }) => ({ name })))
})

test('a process killed amidst a migration leaves nothing of it, and the next start does it again', { timeout: 120_000 }, async () => {
  const place = await emptyPlace()
  const folder = writeMigrations({
    '29990101000000_first': 'CREATE TABLE roster.first (id int)',
    '29990102000000_slow': 'CREATE TABLE roster.slow (id int); SELECT pg_sleep(2); CREATE TABLE roster.slower (id int)',
  })
  const program = runProgram(`${openProgram(place)}
    const first = readMigrations(${JSON.stringify(folder)}).slice(0, 1)
    await database.session((session) => applyMigrations(session, [...readMigrations(), ...first]))
    process.stdout.write('slow next\\n')
    await database.session((session) => applyMigrations(session, [...readMigrations(), ...readMigrations(${JSON.stringify(folder)})]))`)
  await program.line('slow next')
  await new Promise((resolve) => setTimeout(resolve, 300))
  program.kill('SIGKILL')
  await program.exited
  const all = [...own, ...readMigrations(folder)]

  const database = await openDatabase({ ...place, ...settings, migrate: false }).catch((error: Error) => error.message)
  // The database knows the first of them, which this build does not.
  expect(database).toContain('29990101000000_first')
  const applied = await applyTo(place, all)

  expect(applied).toEqual(['29990102000000_slow'])
})

/** Opens without Roster's own check, as a build with these migrations would. */
async function applyTo(place: Place, migrations: typeof own): Promise<readonly string[]> {
  const { openPostgres } = await import('../src/database/postgres.ts')
  const { openPglite } = await import('../src/database/pglite.ts')
  const options = { ...place, ...settings }
  const database = place.databaseUrl === null ? await openPglite(options) : openPostgres(place.databaseUrl, options)
  return database.session((session) => applyMigrations(session, migrations)).finally(database.close)
}

test('a migration that fails leaves the database as it was', async () => {
  const { session } = await testDatabase()
  const folder = writeMigrations({ '29990101000000_broken': 'CREATE TABLE roster.half (id int); SELECT 1 / 0' })

  await expect(session((inner) => applyMigrations(inner, [...own, ...readMigrations(folder)]))).rejects.toThrow('division by zero')

  expect(await session(({ query }) => query(`SELECT to_regclass('roster.half')::text AS half`))).toEqual([{ half: null }])
  expect(await session((inner) => pendingMigrations(inner))).toEqual([])
})

test('a database of a newer Roster is refused', async () => {
  const { session } = await testDatabase()
  const folder = writeMigrations({ '29990101000000_later': 'SELECT 1' })
  onTestFinished(() => session(async ({ run }) => run(`DELETE FROM roster._prisma_migrations WHERE migration_name LIKE '2999%'`)))
  await session((inner) => applyMigrations(inner, [...own, ...readMigrations(folder)]))

  await expect(session((inner) => applyMigrations(inner))).rejects.toThrow(
    'The database was migrated by a newer Roster (it has 29990101000000_later). Start that version or a later one.',
  )
})

test('a database that was migrated with another text is refused', async () => {
  const { session } = await testDatabase()
  const changed = own.map((migration) => ({ ...migration, checksum: '0'.repeat(64) }))

  await expect(session((inner) => pendingMigrations(inner, changed))).rejects.toThrow('was applied with another text')
})

postgresOnly('a migration gives way to those who use a table, and is tried again', async () => {
  const { prisma, session } = await testDatabase()
  const folder = writeMigrations({
    '29990101000000_alter': 'ALTER TABLE roster.outbox ADD COLUMN extra int; ALTER TABLE roster.outbox DROP COLUMN extra',
  })
  onTestFinished(() => session(async ({ run }) => run(`DELETE FROM roster._prisma_migrations WHERE migration_name LIKE '2999%'`)))
  const user = prisma.$transaction(async (db) => {
    await db.outboxMessage.count()
    await new Promise((resolve) => setTimeout(resolve, 3000))
  })

  const applied = await session((inner) => applyMigrations(inner, [...own, ...readMigrations(folder)]))

  expect(applied).toEqual(['29990101000000_alter'])
  await user
})
