/** Why the database cannot be opened, in one line that says what to do. */
export class DatabaseStartError extends Error {
  override readonly name = 'DatabaseStartError'
}

/** Another process holds the data directory. */
export class DirectoryInUseError extends DatabaseStartError {}

/** What PostgreSQL said when it refused a statement. `message` and `detail` may hold values that were sent. */
export type PostgresError = Readonly<{
  /** The SQLSTATE. */
  code: string
  message: string
  detail: string | null
  hint: string | null
  schema: string | null
  table: string | null
  column: string | null
  constraint: string | null
  /** The call stack inside the database: the functions, innermost first, one a line. */
  where: string | null
  /** The function in PostgreSQL's own source that raised the error. */
  routine: string | null
}>

/** The property under which an adapter's error keeps what the driver threw. Symbols are neither printed nor serialised. */
export const driverError: unique symbol = Symbol('driverError')

/** Finds PostgreSQL's error below what Prisma threw; null when the failure did not come from PostgreSQL. */
export function postgresError(error: unknown): PostgresError | null {
  for (const cause of causes(error)) {
    const { code, severity, message } = cause
    if (typeof code !== 'string' || !/^[0-9A-Z]{5}$/.test(code) || typeof severity !== 'string') continue
    const text = (name: string) => (typeof cause[name] === 'string' ? cause[name] : null)
    return {
      code,
      message: String(message),
      detail: text('detail'),
      hint: text('hint'),
      schema: text('schema'),
      table: text('table'),
      column: text('column'),
      constraint: text('constraint'),
      where: text('where'),
      routine: text('routine'),
    }
  }
  return null
}

/** Whether the transaction lost against another one and the same work may succeed when it is tried again. */
export function isRetryable(error: unknown): boolean {
  const code = postgresError(error)?.code
  return code === '40001' || code === '40P01' || isStalePlan(error)
}

/** Whether a prepared statement answers other types than when it was prepared: somebody has changed a column. Nothing was run. */
export function isStalePlan(error: unknown): boolean {
  const { code, routine } = postgresError(error) ?? {}
  return code === '0A000' && routine === 'RevalidateCachedQuery'
}

/** Whether the statement goes by a name that the connection does not know: where the one that should have prepared it failed. Nothing was run. */
export function isUnprepared(error: unknown): boolean {
  return postgresError(error)?.code === '26000'
}

/** Whether the server takes no more connections, of this role or of all (SQLSTATE 53300). Nothing was run. */
export function isServerFull(error: unknown): boolean {
  return postgresError(error)?.code === '53300'
}

/** Whether the database does not answer, or not in time; nothing is wrong with the request. */
export function isUnavailable(error: unknown): boolean {
  const code = postgresError(error)?.code
  if (code !== undefined) return unavailableStates.test(code)
  return isConnectionLost(error) || hasCode(error, unavailableCodes) || hasMessage(error, unavailableMessages)
}

/** Whether the connection must not be used again: it is gone, a statement still runs on it, or its server has become read-only. */
export function isConnectionLost(error: unknown): boolean {
  return isConnectionClosed(error) || hasMessage(error, /^Query read timeout/) || postgresError(error)?.code === '25006'
}

/** Whether the connection was cut, by the server or on the way. */
export function isConnectionClosed(error: unknown): boolean {
  const code = postgresError(error)?.code
  if (code !== undefined) return closedStates.test(code)
  return hasCode(error, closedCodes) || hasMessage(error, closedMessages)
}

/**
 * SQLSTATE classes: 08 connection, 53 resources, 57P01 to 57P05 shutdown and start, 57014 statement timeout, 55P03 lock timeout,
 * 25006 a read-only server, 25P03 and 25P04 a transaction that took too long, 58 system.
 */
const unavailableStates = /^(08|53|58|57P0[1-5]|57014|55P03|25006|25P0[34])/

const closedStates = /^(08|57P0[1-5]|25P0[34])/

/** Sockets that cannot be opened, and Prisma's codes: cannot reach, timed out, pool exhausted, no start or end in time, too many connections. */
const unavailableCodes = new Set(
  'ECONNREFUSED ETIMEDOUT EHOSTUNREACH ENETUNREACH ENOTFOUND EAI_AGAIN P1001 P1002 P1008 P2024 P2028 P2037'.split(' '),
)

const closedCodes = new Set(['ECONNRESET', 'ECONNABORTED', 'EPIPE', 'P1017'])

/** The drivers' own errors, which carry no code. */
const unavailableMessages =
  /^(timeout exceeded when trying to connect|timeout expired|Connection terminated due to connection timeout|Cannot use a pool after calling end|PGlite is clos)/

const closedMessages = /^(Connection terminated(?! due to connection timeout)|Client has encountered a connection error|Client was closed)/

function hasCode(error: unknown, codes: ReadonlySet<string>): boolean {
  return causes(error).some((cause) => codes.has(String(cause['code'])))
}

function hasMessage(error: unknown, messages: RegExp): boolean {
  return causes(error).some((cause) => messages.test(String(cause['message'])))
}

type Cause = Readonly<Record<string | symbol, unknown>>

/** The error and everything below it. */
function causes(error: unknown): Cause[] {
  const found: Cause[] = []
  const add = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || found.includes(value as Cause)) return
    const cause = value as Cause
    found.push(cause)
    add((cause['meta'] as Cause | undefined)?.['driverAdapterError'])
    add(cause[driverError])
    add(cause['cause'])
  }
  add(error)
  return found
}
