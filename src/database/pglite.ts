import { setImmediate as nextTurn } from 'node:timers/promises'
import { PGlite } from '@electric-sql/pglite'
import { pg_trgm } from '@electric-sql/pglite/contrib/pg_trgm'
import { createPrisma } from './client.ts'
import { createCopies } from './copy-rows.ts'
import { makeDataDirectory, prepareCluster } from './data-directory.ts'
import type { Database, DatabaseOptions, RunRead, Session } from './database.ts'
import { type DirectoryLock, lockDirectory } from './directory-lock.ts'
import { DatabaseStartError } from './errors.ts'
import { pgliteAdapter } from './pglite-adapter.ts'
import { answerInTime } from './ping.ts'

/** Opens PGlite in the data directory, which is made where there is none. @throws {DatabaseStartError} */
export async function openPglite(options: DatabaseOptions): Promise<Database> {
  const { dataDir, logger } = options
  if (dataDir === 'memory://') return toDatabase(await start(dataDir), options, () => {})
  let lock: DirectoryLock | null = null
  try {
    const directory = makeDataDirectory(dataDir)
    lock = lockDirectory(directory, () => {
      logger.fatal(`another process has taken the data directory ${directory}; this one stops before it harms the database`)
      process.exit(1)
    })
    const cluster = await prepareCluster(directory, makeCluster)
    return toDatabase(await start(cluster), options, lock.release)
  } catch (error) {
    lock?.release()
    throw toStartError(error, dataDir)
  }
}

async function makeCluster(path: string): Promise<void> {
  const pglite = await start(path)
  await pglite.close()
}

/** What PostgreSQL says of a database it cannot start goes to its standard error. */
async function start(path: string): Promise<PGlite> {
  const said: string[] = []
  const onStderr = (line: string) => {
    if (said.length < 100) said.push(line)
    return false
  }
  try {
    return takeTurns(await PGlite.create(path, { extensions: { pg_trgm }, onStderr }))
  } catch (error) {
    const reason = said.findLast((line) => /FATAL|PANIC/.test(line))?.replace(/^.*?(FATAL|PANIC): */, '')
    throw reason === undefined ? error : new Error(reason, { cause: error })
  }
}

/** A request is read, answered, and its answer taken by a client in this process. */
const turnsBetween = 3

/** PGlite runs in this thread, and statements that queue would follow each other without a turn of anybody else in between. */
function takeTurns(pglite: PGlite): PGlite {
  const send = pglite.execProtocolStream.bind(pglite)
  pglite.execProtocolStream = async (...message) => {
    for (let turn = 0; turn < turnsBetween; turn++) await nextTurn()
    return send(...message)
  }
  return pglite
}

/** ENOSPC as the compiled server counts it, WASI's number; its errors have no text. */
const emscriptenNoSpace = 51

function toStartError(error: unknown, dataDir: string): DatabaseStartError {
  if (error instanceof DatabaseStartError) return error
  const { code, errno, message } = error as NodeJS.ErrnoException
  if (code === 'ENOSPC' || errno === emscriptenNoSpace)
    return new DatabaseStartError(`There is no space left for the data directory ${dataDir}.`, { cause: error })
  if (code !== undefined)
    return new DatabaseStartError(`The data directory ${dataDir} cannot be written (${code}). Set ROSTER_DATA_DIR to one that can.`, {
      cause: error,
    })
  return new DatabaseStartError(
    `The database in ${dataDir} cannot be opened: ${message}. Restore it from a copy, or set ROSTER_DATA_DIR.`,
    {
      cause: error,
    },
  )
}

function toDatabase(pglite: PGlite, options: DatabaseOptions, release: () => void): Database {
  const { requestTimeoutMs = 5000 } = options
  const copies = createCopies()
  // Transactions queue for the one connection: how long they may wait is how long a request may take.
  const prisma = createPrisma(pgliteAdapter(pglite, copies), { maxWait: requestTimeoutMs, timeout: requestTimeoutMs }, options.onQuery)
  const session: Session = {
    query: async <Row extends Record<string, unknown>>(sql: string, values: readonly unknown[] = []) =>
      (await pglite.query<Row>(sql, [...values])).rows,
    run: async (script) => void (await pglite.exec(script)),
  }
  // In turn with Prisma's transactions: there is one connection.
  const read: RunRead = (text, values) => prisma.$queryRawUnsafe(text, ...values)
  return {
    engine: 'pglite',
    prisma,
    read,
    lookUp: read,
    execute: (sql) => prisma.$queryRaw(sql),
    // PGlite takes a byte order mark off the start of a text, unless it is inside of JSON, as Prisma asks for it.
    users: { findFirst: (args) => prisma.user.findFirst(args), selection: () => null },
    ping: () => answerInTime(pglite.query('SELECT 1')),
    copyRows: copies.copyRows,
    session: (work) => work(session),
    close: async () => {
      try {
        await prisma.$disconnect()
      } finally {
        // Nobody else may have the directory before the files are closed, or were tried to be.
        await pglite.close().finally(release)
      }
    },
  }
}
