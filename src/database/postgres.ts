import pg from 'pg'
import { createPrisma } from './client.ts'
import { createCopies } from './copy-rows.ts'
import type { Database, DatabaseOptions, Session } from './database.ts'
import { answerInTime, pingMs } from './ping.ts'
import { createPipeline, noPipeline } from './pipeline.ts'
import { queueForConnections } from './pool-queue.ts'
import { createStatements, postgresAdapter } from './postgres-adapter.ts'
import { createUserReads } from './reads/user-reads.ts'
import { createStatementNames } from './statement-names.ts'

/** How long a server may take to answer a new connection. */
const connectMs = 1000
/** Of fewer connections none can be spared: transactions need them. */
const leastForPipeline = 4

/** Opens a pool of connections to PostgreSQL. The first connection is made when it is needed. */
export function openPostgres(databaseUrl: string, options: DatabaseOptions): Database {
  const { poolSize, statementTimeoutMs, requestTimeoutMs = 5000, logger } = options
  // A connection of the pool may be waited for as long as a request has time and its queue moves; a server that takes none is given up sooner.
  const waitMs = Math.max(500, requestTimeoutMs - 1000)
  const ofEach: pg.ClientConfig = {
    connectionString: databaseUrl,
    keepAlive: true,
    application_name: 'roster',
    statement_timeout: statementTimeoutMs,
    // For a server that hangs and cannot cut a statement short itself.
    query_timeout: statementTimeoutMs + 500,
    // Longer than the second (deadlock_timeout) after which PostgreSQL looks for a deadlock: else none is found, and none tried again.
    lock_timeout: 1500,
    idle_in_transaction_session_timeout: requestTimeoutMs + 5000,
  }
  const hasPipeline = poolSize >= leastForPipeline
  const pipeline = hasPipeline ? createPipeline({ ...ofEach, connectionTimeoutMillis: connectMs }) : noPipeline
  const pool = new pg.Pool({
    ...ofEach,
    max: hasPipeline ? poolSize - 1 : poolSize,
    connectionTimeoutMillis: waitMs,
    Client: pooledClient as unknown as typeof pg.Client,
    idleTimeoutMillis: 60_000,
  })
  queueForConnections(pool, 1000)
  // Without a listener an idle connection that is cut ends the process.
  pool.on('error', (error) => logger.debug({ code: (error as { code?: string }).code }, 'an idle database connection was closed'))
  const copies = createCopies()
  const transactionOptions = { maxWait: waitMs, timeout: requestTimeoutMs }
  const names = createStatementNames()
  const prisma = createPrisma(postgresAdapter(pool, names, copies), transactionOptions, options.onQuery)
  const statements = createStatements(pool, pipeline, names)
  const read = heard(statements.read, options.onQuery)
  const lookUp = heard(statements.lookUp, options.onQuery)
  const write = heard(statements.write, options.onQuery)
  return {
    engine: 'postgresql',
    prisma,
    read,
    lookUp,
    execute: ({ text, values }) => write(text, values),
    users: createUserReads(prisma, lookUp),
    ping: () => answerInTime(pool.query({ text: 'SELECT 1', query_timeout: pingMs } as pg.QueryConfig)),
    copyRows: copies.copyRows,
    session: (work) => withSession(databaseUrl, work),
    close: async () => {
      await prisma.$disconnect()
      await Promise.all([pipeline.close(), pool.end()])
    },
  }
}

/** Prisma tells the SQL of its statements by itself. */
function heard<Run extends (text: string, values: readonly unknown[]) => unknown>(run: Run, onQuery: DatabaseOptions['onQuery']): Run {
  if (onQuery === undefined) return run
  return ((text, values) => {
    onQuery(text)
    return run(text, values)
  }) as Run
}

/** The pool calls it with `new`. Its one time limit is for its own queue and for the server's answer to a new connection. */
function pooledClient(options: pg.ClientConfig): pg.Client {
  const client = new pg.Client({ ...options, connectionTimeoutMillis: connectMs })
  // The pool listens to idle ones, and a statement to the one it runs on. Cut in between, with nobody listening, it ends the process.
  client.on('error', () => {})
  return client
}

async function withSession<Result>(databaseUrl: string, work: (session: Session) => Promise<Result>): Promise<Result> {
  const client = new pg.Client({
    connectionString: databaseUrl,
    connectionTimeoutMillis: 4000,
    application_name: 'roster',
    keepAlive: true,
  })
  client.on('error', () => {})
  await client.connect()
  try {
    // The role or the database may have limits of their own.
    await client.query('SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0')
    return await work({
      query: async <Row extends Record<string, unknown>>(sql: string, values: readonly unknown[] = []) =>
        (await client.query<Row>(sql, [...values])).rows,
      run: async (script) => void (await client.query(script)),
    })
  } finally {
    await client.end()
  }
}
