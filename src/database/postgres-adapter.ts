import { setTimeout as delay } from 'node:timers/promises'
import { PrismaPg } from '@prisma/adapter-pg'
import type { SqlDriverAdapter, SqlDriverAdapterFactory, SqlQuery, Transaction } from '@prisma/driver-adapter-utils'
import type { Pool, PoolClient, QueryConfig, QueryResult } from 'pg'
import { keepDriverErrors, sendsCopies, watchStatements, wrapAdapter } from './adapter.ts'
import type { Copies } from './copy-rows.ts'
import type { RunRead } from './database.ts'
import { isConnectionClosed, isConnectionLost, isStalePlan, isUnprepared } from './errors.ts'
import type { Pipeline } from './pipeline.ts'
import { sendCopies } from './postgres-copy.ts'
import type { StatementNames } from './statement-names.ts'

/**
 * Prisma's adapter for PostgreSQL, made to survive cut connections: what has changed nothing yet is sent again on a fresh
 * connection, and a connection in an unknown state does not go back to the pool.
 */
export function postgresAdapter(pool: Pool, names: StatementNames, copies: Copies): SqlDriverAdapterFactory {
  return wrapAdapter(new PrismaPg(pool, { statementNameGenerator: names.nameOf }), (adapter) =>
    withFreshConnections(adapter, names, copies),
  )
}

function withFreshConnections(adapter: SqlDriverAdapter, names: StatementNames, copies: Copies): SqlDriverAdapter {
  const renewIfStale = (error: unknown): void => {
    if (isStalePlan(error)) names.renew()
  }
  keepDriverErrors(adapter, renewIfStale)
  const queryRaw = adapter.queryRaw.bind(adapter)
  const executeRaw = adapter.executeRaw.bind(adapter)
  const startTransaction = adapter.startTransaction.bind(adapter)
  adapter.queryRaw = (query) => preparedAgain(() => (/^\s*SELECT\b/i.test(query.sql) ? again(() => queryRaw(query)) : queryRaw(query)))
  adapter.executeRaw = (query) => preparedAgain(() => executeRaw(query))
  adapter.startTransaction = async (isolationLevel) =>
    watchTransaction(await again(() => startTransaction(isolationLevel)), copies, renewIfStale)
  return adapter
}

type Send = (statement: QueryConfig) => Promise<QueryResult>

/** Runs statements on the pool's own driver, with the same care. */
export function createStatements(
  pool: Pool,
  pipeline: Pipeline,
  names: StatementNames,
): Readonly<{ read: RunRead; lookUp: RunRead; write: RunRead }> {
  const throughPool: Send = (statement) => pool.query(statement)
  const throughPipeline: Send = async (statement) => {
    const answer = pipeline.send(statement)
    if (answer === null) return throughPool(statement)
    try {
      return await answer
    } catch (error) {
      if (!isUnprepared(error)) throw error
      return throughPool(statement)
    }
  }
  const run = async (send: Send, text: string, values: readonly unknown[]) => {
    try {
      return (await send({ name: names.nameOf({ sql: text }), text, values: [...values] })).rows
    } catch (error) {
      if (isStalePlan(error)) names.renew()
      throw error
    }
  }
  return {
    read: (text, values) => preparedAgain(() => again(() => run(throughPool, text, values))),
    lookUp: (text, values) => preparedAgain(() => again(() => run(throughPipeline, text, values))),
    write: (text, values) => preparedAgain(() => run(throughPool, text, values)),
  }
}

/** A server that cuts one connection cuts them all, and the others of the pool are noticed a moment later. */
async function again<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (!isConnectionClosed(error) || attempt === 3) throw error
      await delay(10 * attempt)
    }
  }
}

/** A statement whose plan is stale has not run, whatever it is. */
async function preparedAgain<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (!isStalePlan(error)) throw error
    return work()
  }
}

/** A transaction with a stale plan fails, and its work may be done again (`isRetryable`). */
function watchTransaction(transaction: Transaction, copies: Copies, hear: (error: unknown) => void): Transaction {
  const { client } = transaction as unknown as { client: PoolClient }
  keepDriverErrors(transaction, hear)
  sendsCopies(transaction, copies, (rows) => sendCopies(client, rows))
  const outcome = watchStatements(transaction)
  const executeRaw = transaction.executeRaw.bind(transaction)
  transaction.executeRaw = async (query) => {
    if (isConnectionLost(outcome.failure)) throw outcome.failure
    if (query.sql !== 'COMMIT' || outcome.failure === null) return executeRaw(query)
    const { failure } = outcome
    await executeRaw(rollback)
    throw failure
  }
  const release = client.release
  client.release = () => release(isConnectionLost(outcome.failure))
  return transaction
}

const rollback: SqlQuery = { sql: 'ROLLBACK', args: [], argTypes: [] }
