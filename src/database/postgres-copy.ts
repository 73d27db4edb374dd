import type { Connection, PoolClient } from 'pg'
import pg from 'pg'
import { type CopiedRows, copyStatement } from './copy-rows.ts'

/** What `pg` has for COPY, without types for it. */
type CopyConnection = Connection & Readonly<{ sendCopyFromChunk: (bytes: Buffer) => void; endCopyFrom: () => void }>

/** Sends rows on a connection, the tables one after the other; the server has those of the next one before it asks for them. `pg` refuses COPY's rows on its own, and leaves it to others to answer. */
export function sendCopies(client: PoolClient, all: readonly CopiedRows[]): Promise<void> {
  const left = [...all]
  const sendNext = (connection: CopyConnection): void => {
    const rows = left.shift()
    if (rows === undefined) return
    connection.sendCopyFromChunk(Buffer.concat(rows.bytes))
    connection.endCopyFrom()
  }
  return new Promise((resolve, reject) => {
    const query = Object.assign(new pg.Query(all.map(copyStatement).join('; ')), {
      callback: (error: Error | null) => (error ? reject(error) : resolve()),
      /** The server is ready for the rows of a table. What comes after one that it refuses it drops. */
      handleCopyInResponse: (connection: CopyConnection) => {
        if (left.length === all.length) sendNext(connection)
        sendNext(connection)
      },
    })
    client.query(query)
  })
}
