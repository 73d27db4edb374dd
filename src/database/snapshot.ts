import type { Prisma } from '../generated/prisma/client.ts'
import type { Database } from './database.ts'

/** The database as it is at one moment, for as long as the work on it takes. */
export type Snapshot = Readonly<{
  /** Answers the rows of a query. */
  query: <Row extends Record<string, unknown>>(sql: Prisma.Sql) => Promise<Row[]>
  /**
   * Runs one statement that writes meanwhile, and answers the rows that it returns. On the embedded database it stands only when the work
   * has come to its end.
   */
  execute: Database['execute']
}>

/** Long enough for any number of rows that the embedded database can hold. */
const longestMs = 3_600_000

/**
 * Does work on a snapshot, without time limits: on PostgreSQL with a connection of its own. The embedded database has one connection, so
 * that everybody else waits until the work is done.
 */
export function withSnapshot<Result>(database: Database, work: (snapshot: Snapshot) => Promise<Result>): Promise<Result> {
  const { engine, prisma } = database
  if (engine === 'pglite')
    return prisma.$transaction((db) => work({ query: (sql) => db.$queryRaw(sql), execute: (sql) => db.$queryRaw(sql) }), {
      isolationLevel: 'RepeatableRead',
      timeout: longestMs,
      maxWait: longestMs,
    })
  return database.session(async (session) => {
    await session.run('begin isolation level repeatable read read only')
    const result = await work({
      query: (sql) => session.query(sql.text, sql.values),
      execute: database.execute,
    })
    await session.run('commit')
    return result
  })
}
