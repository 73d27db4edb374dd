import type { App } from '../app.ts'

/** What reading adds to an operation's complexity: nothing on PostgreSQL, which cuts short what takes too long, as PGlite cannot. */
export function readingPrice({ database }: Pick<App, 'database'>, price: number): number {
  return database.engine === 'pglite' ? Math.ceil(price) : 0
}
