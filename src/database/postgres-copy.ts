import type { Connection, PoolClient } from 'pg'
import pg from 'pg'
import { type CopiedRows, copyStatement } from './copy-rows.ts'

/** What `pg` has for COPY, without types for it. */
type CopyConnection = Connection & Readonly<{ sendCopyFromChunk: (bytes: Buffer) => void; endCopyFrom: () => void }>

/** Sends rows on a connection, the tables one after the other. `pg` refuses COPY's rows on its own, and leaves it to others to answer. */
export function sendCopies(client: PoolClient, all: readonly CopiedRows[]): Promise<void> {
  const left = [...all]
  return new Promise((resolve, reject) => {
    const query = Object.assign(new pg.Query(all.map(copyStatement).join('; ')), {
      callback: (error: Error | null) => (error ? reject(error) : resolve()),
      /** The server is ready for the rows of the next one. */
      handleCopyInResponse: (connection: CopyConnection) => {
        const rows = left.shift()
        if (rows) connection.sendCopyFromChunk(Buffer.concat(rows.bytes))
        connection.endCopyFrom()
      },
    })
    client.query(query)
  })
}
