import { randomUUID } from 'node:crypto'
import type { Prisma } from '../generated/prisma/client.ts'

/** Rows as COPY reads them, or a piece of one. What waits to be sent as bytes is no work for the garbage collector. */
export type CopyBytes = Buffer<ArrayBuffer>

/** Rows of a table in `roster`. */
export type CopiedRows = Readonly<{ table: string; columns: readonly string[]; bytes: readonly CopyBytes[] }>

/** Inserts rows by COPY, inside a transaction: of each table in its order. Columns that are not named get their defaults. */
export type CopyRows = (db: Prisma.TransactionClient, rows: readonly CopiedRows[]) => Promise<void>

/** What an adapter is to send in place of a statement of Prisma's. */
export type Copies = Readonly<{
  copyRows: CopyRows
  /** The rows that a statement stands for; undefined where it is like any other. */
  rowsOf: (query: Readonly<{ sql: string; args: readonly unknown[] }>) => readonly CopiedRows[] | undefined
}>

/**
 * Hands rows past Prisma, which has no words for COPY and remembers the parameters of its last hundred statements, however large: it is
 * given a statement that stands for them, and the adapter sends the rows in its place. So they belong to the transaction like all else.
 */
export function createCopies(): Copies {
  const waiting = new Map<unknown, readonly CopiedRows[]>()
  return {
    copyRows: async (db, all) => {
      const rows = all.filter(({ bytes }) => bytes.length > 0)
      if (rows.length === 0) return
      const key = randomUUID()
      waiting.set(key, rows)
      try {
        await db.$executeRawUnsafe(rows.map(copyStatement).join('; '), key)
      } finally {
        waiting.delete(key)
      }
    },
    rowsOf: ({ sql, args }) => (sql.startsWith('copy ') ? waiting.get(args[0]) : undefined),
  }
}

/** COPY of rows that follow on the connection. */
export function copyStatement({ table, columns }: CopiedRows): string {
  return `copy roster.${table} (${columns.join(', ')}) from stdin`
}

/** Values in COPY's text format: null, texts, numbers, booleans and times as they are, and all else as JSON. A newline ends a row. */
export function copyText(values: readonly unknown[], end: '\n' | '\t' = '\n'): string {
  let [text, before] = ['', '']
  for (const value of values) {
    text += before + copyValue(value)
    before = '\t'
  }
  return text + end
}

const special = /[\\\t\n\r]/
const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' }

function copyValue(value: unknown): string {
  if (value == null) return '\\N'
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (value instanceof Date) return value.toISOString()
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return special.test(text) ? text.replaceAll(/[\\\t\n\r]/g, (character) => escapes[character] ?? character) : text
}
