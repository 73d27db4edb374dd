import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Connection, PoolClient } from 'pg'
import pg from 'pg'
import { type CopiedRows, type CopyBytes, copyStatement } from './copy-rows.ts'

/** What `pg` has for COPY, without types for it. */
type CopyConnection = Connection & Readonly<{ sendCopyFromChunk: (bytes: Buffer) => void; endCopyFrom: () => void }>

/** So much is copied and sent in a fraction of a millisecond. */
const pieceBytes = 131_072

/**
 * Sends rows on a connection, the tables one after the other; the server has those of the next one before it asks for them. `pg` refuses
 * COPY's rows on its own, and leaves it to others to answer.
 */
export async function sendCopies(client: PoolClient, all: readonly CopiedRows[]): Promise<void> {
  const left = [...all]
  let isOver = false
  let sent = Promise.resolve()
  const sendNext = async (connection: CopyConnection): Promise<void> => {
    const rows = left.shift()
    if (rows === undefined) return
    for (const piece of pieces(rows.bytes)) {
      // The server may have refused the rows before, and be asked something else by now.
      if (isOver) return
      connection.sendCopyFromChunk(piece)
      await nextTurn()
    }
    if (!isOver) connection.endCopyFrom()
  }
  const work = new Promise<void>((resolve, reject) => {
    const query = Object.assign(new pg.Query(all.map(copyStatement).join('; ')), {
      callback: (error: Error | null) => (error ? reject(error) : resolve()),
      /** The server is ready for the rows of a table. What comes after one that it refuses it drops. */
      handleCopyInResponse: (connection: CopyConnection) => {
        const isFirst = left.length === all.length
        sent = sent.then(() => sendNext(connection))
        if (isFirst) sent = sent.then(() => sendNext(connection))
        sent.catch(reject)
      },
    })
    client.query(query)
  })
  await work.finally(() => {
    isOver = true
  })
}

function* pieces(all: readonly CopyBytes[]): Generator<Buffer> {
  let [piece, length]: [CopyBytes[], number] = [[], 0]
  for (const bytes of all) {
    piece.push(bytes)
    length += bytes.length
    if (length < pieceBytes) continue
    yield Buffer.concat(piece, length)
    ;[piece, length] = [[], 0]
  }
  if (length > 0) yield Buffer.concat(piece, length)
}
