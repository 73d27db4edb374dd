import { inject, test } from 'vitest'
import type { Database } from '../src/database/database.ts'
import { openDatabase } from '../src/database/open.ts'
import { createLogger } from '../src/ports/logger.ts'

/** The engine this run is on: PostgreSQL when TEST_DATABASE_URL is set. */
export const engine: Database['engine'] = inject('databaseUrl') === null ? 'pglite' : 'postgresql'

/** For what PGlite, with its one connection, cannot show. At the end of a run a line says how many were left out, and how to run them. */
export const postgresOnly = test.skipIf(engine === 'pglite')

/** The SQL of each statement that Prisma has sent to the run's database. A test that counts empties it first. */
export const statements: string[] = []

/** How many there are for a request. That an admin token was used is noted beside it, sooner or later. */
export function statementCount(): number {
  return statements.filter((sql) => !sql.includes('admin_tokens')).length
}

const databases = new Map<'shared', Promise<Database>>()

/** The database of the whole run, migrated; it lives in memory, or beside the one TEST_DATABASE_URL names, and goes with the run. */
export function testDatabase(): Promise<Database> {
  const database = databases.get('shared') ?? openTestDatabase({ onQuery: (sql) => statements.push(sql) })
  databases.set('shared', database)
  return database
}

/** The connection string of the run's PostgreSQL database. */
export function testDatabaseUrl(): string {
  const url = inject('databaseUrl')
  if (url === null) throw new Error('there is no PostgreSQL in this run')
  return url
}

/** Another pool on the run's PostgreSQL database, or a PGlite of its own. */
export function openTestDatabase(options: Partial<Parameters<typeof openDatabase>[0]> = {}): Promise<Database> {
  return openDatabase({
    databaseUrl: inject('databaseUrl'),
    dataDir: 'memory://',
    poolSize: 20,
    statementTimeoutMs: 3000,
    logger: createLogger('silent'),
    ...options,
  })
}

/** Removes every row that Roster keeps, and the rows of host tables that refer to them. */
export async function emptyDatabase({ prisma }: Database): Promise<void> {
  await prisma.$executeRaw`
    DO $$ BEGIN EXECUTE (
      SELECT 'TRUNCATE ' || string_agg(format('%I.%I', schemaname, tablename), ', ') || ' CASCADE'
      FROM pg_tables WHERE schemaname = 'roster' AND tablename <> '_prisma_migrations'
    ); END $$`
}
