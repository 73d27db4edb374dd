import { type App, systemScope } from '../app.ts'
import { type Config, parseConfig } from '../config.ts'
import type { Database, DatabaseOptions } from '../database/database.ts'
import { DirectoryInUseError } from '../database/errors.ts'
import { openDatabase } from '../database/open.ts'
import type { BulkScope } from '../domain/change.ts'
import { systemClock } from '../ports/clock.ts'
import { createLogger } from '../ports/logger.ts'
import { CommandError, type Terminal } from './terminal.ts'

/** What a command that is no server works with. */
export type Workplace = Readonly<{ config: Config; database: Database; scope: BulkScope }>

type Options = Readonly<{
  /** Whether pending migrations are applied first, true by default; `unchecked`: nor is it looked at which there are. */
  migrate?: DatabaseOptions['migrate']
  /** How long a statement may run; absent: as long as the server's. */
  statementTimeoutMs?: number
  /** What to do instead, said when a server has the embedded database. */
  instead?: string
}>

/** Opens the configured database for one piece of work, and closes it. @throws {CommandError} when a server has the embedded database */
export async function withDatabase<Result>(
  { environment }: Terminal,
  { instead, ...options }: Options,
  work: (workplace: Workplace) => Promise<Result>,
): Promise<Result> {
  const config = parseConfig(environment)
  const database = await open(config, options).catch((error: unknown) => {
    if (!(error instanceof DirectoryInUseError) || instead === undefined) throw error
    throw new CommandError(`${error.message} ${instead}`, 1, error)
  })
  try {
    return await work({ config, database, scope: systemScope({ database, clock: systemClock }) })
  } finally {
    await database.close()
  }
}

function open(config: Config, options: Options): Promise<App['database']> {
  return openDatabase({ ...config, poolSize: config.databasePoolSize, logger: createLogger('error'), ...options })
}
