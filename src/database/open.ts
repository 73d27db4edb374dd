import type { Database, DatabaseOptions } from './database.ts'
import { DatabaseStartError, isUnavailable, postgresError } from './errors.ts'
import { applyMigrations, pendingMigrations } from './migrate.ts'

/**
 * Opens the database and applies what migrations it lacks.
 * @throws {DatabaseStartError} when it cannot be opened, or is not one of this build
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const database = await openEngine(options)
  try {
    if (options.migrate === 'unchecked') await database.session(({ query }) => query('SELECT 1'))
    else if (options.migrate === false) await database.session((session) => pendingMigrations(session))
    else await database.session((session) => applyMigrations(session))
    return database
  } catch (error) {
    await database.close()
    throw toStartError(error, options.databaseUrl)
  }
}

/** Each engine is loaded when it is used: PGlite is large, and a server on PostgreSQL has no need of it. */
async function openEngine(options: DatabaseOptions): Promise<Database> {
  if (options.databaseUrl === null) return (await import('./pglite.ts')).openPglite(options)
  return (await import('./postgres.ts')).openPostgres(options.databaseUrl, options)
}

function toStartError(error: unknown, databaseUrl: string | null): unknown {
  const start = (message: string) => new DatabaseStartError(message, { cause: error })
  const url = databaseUrl === null ? null : new URL(databaseUrl)
  const place = url === null ? 'the embedded database' : `PostgreSQL at ${url.host}`
  const { code, message } = postgresError(error) ?? { code: (error as NodeJS.ErrnoException).code, message: (error as Error).message }
  if (error instanceof DatabaseStartError && code !== '42501') return error
  if (code === '28P01' || code === '28000') return start(`${place} refuses the user and password of DATABASE_URL (${code}).`)
  if (code === '3D000') return start(`${place} has no database "${url?.pathname.slice(1)}". Create it, or change DATABASE_URL.`)
  if (code === '42501')
    return start(
      `The migrations need more than the user "${url?.username}" may do (${message}). Run \`roster migrate\` with a DATABASE_URL of the owner.`,
    )
  if (isUnavailable(error)) return start(`${place} does not answer (${code ?? message}). Start it, or change DATABASE_URL.`)
  return start(`${place} cannot be used: ${message}`)
}
