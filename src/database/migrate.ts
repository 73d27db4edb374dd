import { createHash, randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { packageFolder } from '../package-folder.ts'
import type { Session } from './database.ts'
import { DatabaseStartError, postgresError } from './errors.ts'

/** One step of the schema, as it stands in its file. */
export type Migration = Readonly<{ name: string; sql: string; checksum: string }>

/** The migrations of this build. */
const defaultFolder = join(packageFolder, 'prisma/migrations')

/** Any number will do, as long as every process takes the same one and nobody else does: `roster` in ASCII. */
const advisoryLock = 0x726f73746572

/** Reads the migrations of a folder, in the order they are applied. */
export function readMigrations(folder: string = defaultFolder): readonly Migration[] {
  const entries = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  return entries
    .map((entry) => entry.name)
    .sort()
    .map((name) => {
      const sql = readFileSync(`${folder}/${name}/migration.sql`, 'utf8')
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') }
    })
}

/** Where a migration stands: in the database and this build, in this build alone, begun and not ended, in the database alone, or of another text. */
export type MigrationState = Readonly<{ name: string; state: 'applied' | 'pending' | 'failed' | 'unknown' | 'changed' }>

/** Holds the database's migrations against those of this build, in the order of their names. */
export async function migrationStates({ query }: Pick<Session, 'query'>, migrations = readMigrations()): Promise<MigrationState[]> {
  const applied = await appliedMigrations(query)
  const found = applied.map(({ name, checksum, finished }): MigrationState => {
    const known = migrations.find((migration) => migration.name === name)
    if (!known) return { name, state: 'unknown' }
    return { name, state: !finished ? 'failed' : known.checksum === checksum ? 'applied' : 'changed' }
  })
  const pending = migrations.filter(({ name }) => !applied.some((row) => row.name === name))
  return [...found, ...pending.map(({ name }): MigrationState => ({ name, state: 'pending' }))]
}

/**
 * Finds the migrations that a database lacks.
 * @throws {DatabaseStartError} when it has one that this build does not know, or knows with another text
 */
export async function pendingMigrations(session: Session, migrations = readMigrations()): Promise<readonly Migration[]> {
  const states = await migrationStates(session, migrations)
  for (const { name, state } of states) {
    if (state === 'unknown')
      throw new DatabaseStartError(`The database was migrated by a newer Roster (it has ${name}). Start that version or a later one.`)
    if (state === 'failed')
      throw new DatabaseStartError(`The migration ${name} failed half-way. Repair it and mark it with \`prisma migrate resolve\`.`)
    if (state === 'changed')
      throw new DatabaseStartError(`The migration ${name} was applied with another text than this build has. Use the build it came from.`)
  }
  return migrations.filter(({ name }) => states.some((migration) => migration.name === name && migration.state === 'pending'))
}

/**
 * Brings a database up to date, each migration and its record in one transaction, so that a killed process leaves nothing
 * half-done. Processes that start together wait for each other. The record is Prisma's own, so `prisma migrate deploy` with
 * `?schema=roster` stays usable. Answers the names of the migrations that it applied.
 *
 * @throws {DatabaseStartError} when the database is not one of this build
 */
export async function applyMigrations(session: Session, migrations = readMigrations()): Promise<readonly string[]> {
  const applied: string[] = []
  const pending = await pendingMigrations(session, migrations)
  if (pending.length === 0) return applied
  await inTransaction(session, () => session.run(createRecords))
  for (const migration of pending) if (await withRetries(() => applyOne(session, migration, migrations))) applied.push(migration.name)
  return applied
}

/** Answers false when another process was first. */
async function applyOne(session: Session, migration: Migration, migrations: readonly Migration[]): Promise<boolean> {
  return inTransaction(session, async () => {
    const pending = await pendingMigrations(session, migrations)
    if (!pending.some(({ name }) => name === migration.name)) return false
    // A change of a table waits for those who use it, and everybody else waits behind it: give up soon, and try again.
    await session.run(`SET LOCAL lock_timeout = '2s'`)
    await session.run(migration.sql).catch((error: Error) => {
      throw new DatabaseStartError(`The migration ${migration.name} failed: ${error.message}`, { cause: error })
    })
    await session.query(
      `INSERT INTO "roster"."_prisma_migrations" (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
       VALUES ($1, $2, $3, now(), clock_timestamp(), 1)`,
      [randomUUID(), migration.checksum, migration.name],
    )
    return true
  })
}

async function inTransaction<Result>(session: Session, work: () => Promise<Result>): Promise<Result> {
  await session.run('BEGIN')
  try {
    await session.run(`SET LOCAL lock_timeout = '10min'; SELECT pg_advisory_xact_lock(${advisoryLock})`)
    const result = await work()
    await session.run('COMMIT')
    return result
  } catch (error) {
    await session.run('ROLLBACK').catch(() => {})
    throw error
  }
}

async function withRetries<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (postgresError(error)?.code !== '55P03' || attempt === 10) throw error
      await delay(500)
    }
  }
}

type Applied = { name: string; checksum: string; finished: boolean }

async function appliedMigrations(query: Session['query']): Promise<Applied[]> {
  try {
    return await query<Applied>(
      `SELECT migration_name AS name, checksum, finished_at IS NOT NULL AS finished
       FROM "roster"."_prisma_migrations" WHERE rolled_back_at IS NULL ORDER BY migration_name`,
    )
  } catch (error) {
    if (postgresError(error)?.code === '42P01') return []
    throw error
  }
}

/** As `prisma migrate` makes it. */
const createRecords = `
  CREATE SCHEMA IF NOT EXISTS "roster";
  CREATE TABLE IF NOT EXISTS "roster"."_prisma_migrations" (
    id VARCHAR(36) PRIMARY KEY NOT NULL,
    checksum VARCHAR(64) NOT NULL,
    finished_at TIMESTAMPTZ,
    migration_name VARCHAR(255) NOT NULL,
    logs TEXT,
    rolled_back_at TIMESTAMPTZ,
    started_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    applied_steps_count INTEGER NOT NULL DEFAULT 0
  )`
