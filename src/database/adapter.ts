import type { SqlDriverAdapter, SqlDriverAdapterFactory, SqlQueryable } from '@prisma/driver-adapter-utils'
import type { CopiedRows, Copies } from './copy-rows.ts'
import { driverError } from './errors.ts'

/** Changes the connection that an adapter makes. */
export function wrapAdapter(
  factory: SqlDriverAdapterFactory,
  wrap: (adapter: SqlDriverAdapter) => SqlDriverAdapter,
): SqlDriverAdapterFactory {
  const { provider, adapterName } = factory
  return { provider, adapterName, connect: async () => wrap(await factory.connect()) }
}

/** What both adapters call with each error of their driver; it throws the adapter's own. */
type Converting = { onError: (error: unknown) => never }

/**
 * Keeps what the driver threw beside what the adapter makes of it, which leaves out the table, the constraint and the call
 * stack inside the database. `hear` is told of each.
 */
export function keepDriverErrors<Queryable extends SqlQueryable>(
  queryable: Queryable,
  hear: (error: unknown) => void = () => {},
): Queryable {
  const converting = queryable as unknown as Converting
  const convert = converting.onError.bind(queryable)
  converting.onError = (error) => {
    hear(error)
    try {
      return convert(error)
    } catch (converted) {
      if (converted !== error) Object.defineProperty(converted, driverError, { value: error })
      throw converted
    }
  }
  return queryable
}

/** Sends rows in place of the statement that stands for them. */
export function sendsCopies(
  transaction: SqlQueryable,
  { rowsOf }: Pick<Copies, 'rowsOf'>,
  send: (rows: readonly CopiedRows[]) => Promise<void>,
): void {
  const executeRaw = transaction.executeRaw.bind(transaction)
  transaction.executeRaw = async (query) => {
    const rows = rowsOf(query)
    if (rows === undefined) return executeRaw(query)
    await send(rows).catch((error) => (transaction as unknown as Converting).onError(error))
    return 0
  }
}

/** What became of a transaction's statements. */
export type Outcome = { failure: unknown }

/**
 * Notes the failure that a transaction is stuck in. After a failed statement PostgreSQL refuses every other until a rollback,
 * and answers COMMIT by rolling back without an error: a caller who swallowed the failure would take that for success.
 */
export function watchStatements(transaction: SqlQueryable): Outcome {
  const outcome: Outcome = { failure: null }
  const watch = <Query, Result>(send: (query: Query) => Promise<Result>) => {
    return async (query: Query): Promise<Result> => {
      try {
        const result = await send(query)
        outcome.failure = null
        return result
      } catch (error) {
        outcome.failure = error
        throw error
      }
    }
  }
  transaction.queryRaw = watch(transaction.queryRaw.bind(transaction))
  transaction.executeRaw = watch(transaction.executeRaw.bind(transaction))
  return outcome
}
