import type { PGlite, Transaction as PgliteTransaction } from '@electric-sql/pglite'
import type { SqlDriverAdapterFactory, Transaction } from '@prisma/driver-adapter-utils'
import { PrismaPGlite } from 'pglite-prisma-adapter'
import { keepDriverErrors, sendsCopies, watchStatements, wrapAdapter } from './adapter.ts'
import { type CopiedRows, type Copies, copyStatement } from './copy-rows.ts'

/** Prisma's adapter for PGlite, with transactions that report what fails at COMMIT: the adapter's own take it for success. */
export function pgliteAdapter(pglite: PGlite, copies: Copies): SqlDriverAdapterFactory {
  return wrapAdapter(new PrismaPGlite(pglite), (adapter) => {
    keepDriverErrors(adapter)
    adapter.startTransaction = () => startTransaction(pglite, copies)
    return adapter
  })
}

/** Transactions on the one connection follow each other, so that every isolation level is the same. */
function startTransaction(pglite: PGlite, copies: Copies): Promise<Transaction> {
  return new Promise((started, failed) => {
    const ended = pglite.transaction(
      (transaction) =>
        new Promise<void>((commit, abort) => {
          const rollback = () => transaction.rollback().then(commit, abort)
          toPrisma(transaction, copies, { commit, rollback, ended: () => ended }).then(started, abort)
        }),
    )
    ended.catch(failed)
  })
}

type Ending = Readonly<{ commit: () => void; rollback: () => Promise<void>; ended: () => Promise<void> }>

async function toPrisma(transaction: PgliteTransaction, copies: Copies, ending: Ending): Promise<Transaction> {
  const queryable = keepDriverErrors(await new PrismaPGlite(transaction as unknown as PGlite).connect())
  const { onError } = queryable as unknown as { onError: (error: unknown) => never }
  sendsCopies(queryable, copies, (rows) => sendCopies(transaction, rows))
  const outcome = watchStatements(queryable)
  const rollback = async () => {
    await ending.rollback()
    await ending.ended()
  }
  const commit = async () => {
    const { failure } = outcome
    if (failure !== null) {
      await rollback()
      throw failure
    }
    ending.commit()
    await ending.ended().catch(onError)
  }
  return Object.assign(queryable, { options: { usePhantomQuery: true }, commit, rollback })
}

/** PGlite reads the rows of a COPY from a file that it makes of a blob. */
async function sendCopies(transaction: PgliteTransaction, all: readonly CopiedRows[]): Promise<void> {
  for (const rows of all)
    await transaction.query(copyStatement(rows).replace(/stdin$/, "'/dev/blob'"), [], { blob: new Blob([...rows.bytes]) })
}
