import type { App } from './app.ts'
import { vacuum } from './database/vacuum.ts'
import { purge } from './domain/retention.ts'
import { maintainSigningKeys } from './domain/signing-key/rotate-signing-keys.ts'
import type { PrismaClient } from './generated/prisma/client.ts'
import { describeError } from './ports/describe-error.ts'
import type { Logger } from './ports/logger.ts'
import { repeat } from './ports/repeat.ts'

/** What a process does beside requests; any number of processes may. */
export type Jobs = Readonly<{
  /** Ends what is under way after its next step. */
  stop: () => Promise<void>
}>

/** How long a key that was dropped may go on verifying in this process, but for the time the reading takes. */
const signingKeysEveryMs = 10_000
const retentionEveryMs = 3_600_000
/** As often as autovacuum looks (`autovacuum_naptime`). */
const vacuumEveryMs = 60_000

/** Begins to keep the signing keys and what is stored in order. */
export function startJobs({ config, database, clock, authentication, signingKeys, logger }: App): Jobs {
  const scope = { db: database.prisma, clock, secrets: authentication.secrets }
  const warn = (job: string) => (error: unknown) => logger.warn({ job, error: describeError(error) }, 'a job failed, and is tried again')
  const stops = [
    repeat({
      everyMs: signingKeysEveryMs,
      run: async () => {
        await signingKeys.refresh()
        const { made, deleted } = await maintainSigningKeys(scope, config)
        if (made + deleted === 0) return
        logger.info({ made, deleted }, 'signing keys were rotated')
        await signingKeys.refresh()
      },
      onError: warn('signing keys'),
    }),
    repeat({
      everyMs: retentionEveryMs,
      run: async (signal) => {
        const purged = await purge({ ...scope, signal }, config)
        if (Object.values(purged).some((count) => count > 0)) logger.info({ purged }, 'what was kept for its time was deleted')
      },
      onError: warn('retention'),
    }),
  ]
  if (database.engine === 'pglite') stops.push(startVacuum(database.prisma, logger, warn('vacuum')))
  return { stop: async () => void (await Promise.all(stops.map((stop) => stop()))) }
}

function startVacuum(db: PrismaClient, logger: Logger, onError: (error: unknown) => void): () => Promise<void> {
  return repeat({
    everyMs: vacuumEveryMs,
    run: async (signal) => {
      const tables = await vacuum(db, signal)
      if (tables.length > 0) logger.debug({ tables }, 'tables were vacuumed')
    },
    onError,
  })
}
