import type { Prisma, PrismaClient } from '../generated/prisma/client.ts'
import type { Logger } from '../ports/logger.ts'
import type { CopyRows } from './copy-rows.ts'
import type { UserReads } from './reads/user-reads.ts'

/** An open database with all migrations applied: PostgreSQL, or PGlite in the data directory. */
export type Database = Readonly<{
  engine: 'postgresql' | 'pglite'
  prisma: PrismaClient
  /** Runs one statement that reads, past Prisma, for what every request asks. */
  read: RunRead
  /**
   * The same for a statement that an index answers in a moment, whatever its values are. Such statements are answered one after the
   * other: one that took long would keep all requests waiting.
   */
  lookUp: RunRead
  /** Runs one statement that writes, past Prisma, and answers the rows that it returns. It is not sent again when the connection is cut. */
  execute: <Row extends Record<string, unknown>>(sql: Prisma.Sql) => Promise<Row[]>
  /** What Prisma would answer of users, faster. */
  users: UserReads
  /** Asks the database for an answer, within two seconds. @throws when there is none */
  ping: () => Promise<void>
  /** Inserts many rows at once, by COPY. */
  copyRows: CopyRows
  /** Lends a connection without time limits, for migrations and bulk loads. PGlite has one connection: nothing else may use it meanwhile. */
  session: <Result>(work: (session: Session) => Promise<Result>) => Promise<Result>
  /** Ends all connections and releases the data directory. */
  close: () => Promise<void>
}>

/** Runs a statement that reads, with its values as `$1` and so on, and answers its rows. */
export type RunRead = <Row extends Record<string, unknown>>(text: string, values: readonly unknown[]) => Promise<Row[]>

/** A connection for SQL that Prisma has no words for. */
export type Session = Readonly<{
  /** Runs one statement with parameters, and answers its rows. */
  query: <Row extends Record<string, unknown>>(sql: string, values?: readonly unknown[]) => Promise<Row[]>
  /** Runs any number of statements. */
  run: (script: string) => Promise<void>
}>

/** What opening a database takes. */
export type DatabaseOptions = Readonly<{
  /** PostgreSQL's connection string; null: PGlite in `dataDir`. */
  databaseUrl: string | null
  /** `memory://` keeps PGlite in memory, for tests. */
  dataDir: string
  /** The most connections to PostgreSQL. */
  poolSize: number
  /** How long one SQL statement may run. PGlite does not enforce it. */
  statementTimeoutMs: number
  /** How long a transaction may take, 5000 by default. */
  requestTimeoutMs?: number
  logger: Logger
  /**
   * Whether pending migrations are applied, true by default. A database that this build does not know is refused either way, but for
   * `unchecked`, which takes any as it is.
   */
  migrate?: boolean | 'unchecked'
  /** Called with the SQL of each statement Prisma sends. */
  onQuery?: (sql: string) => void
}>
