import pg from 'pg'

/** A connection on which statements are sent one behind the other, without waiting for the answers of those before. */
export type Pipeline = Readonly<{
  /** Null where it would not be answered soon: another connection has to be asked. */
  send: (statement: pg.QueryConfig) => Promise<pg.QueryResult> | null
  close: () => Promise<void>
}>

/** What has not been answered after so long keeps all behind it waiting. */
const standingMs = 100
const reopenMs = 1000
/** From so many statements on the way on, a further one is in no hurry. */
const busy = 2

/**
 * Opens the connection when it is first needed, and again, a second later at the soonest, when it is gone. Statements must be such that
 * each is answered in a moment: they are answered in their order. Of a short statement it takes longest to wake up the process that
 * reads it, and then the one that reads the answer: while some are on the way, what is asked for in one turn of the event loop leaves
 * in one piece.
 */
export function createPipeline(options: pg.ClientConfig): Pipeline {
  let client: pg.Client | null = null
  let opening: Promise<void> | null = null
  let [opensAt, movedAt, waiting] = [0, 0, 0]

  const open = async (): Promise<void> => {
    const opened = new pg.Client({ ...options, pipeline: true })
    const forget = (): void => {
      if (client === opened) client = null
    }
    opened.on('error', forget).on('end', forget)
    try {
      await opened.connect()
      client = opened
    } catch {
      // The other connection, which is asked meanwhile, tells what is wrong.
    }
    opening = null
    opensAt = Math.max(opensAt, performance.now() + reopenMs)
  }
  const follow = async (answer: Promise<pg.QueryResult>): Promise<pg.QueryResult> => {
    if (waiting++ === 0) movedAt = performance.now()
    try {
      return await answer
    } finally {
      waiting--
      movedAt = performance.now()
    }
  }
  return {
    send: (statement) => {
      const now = performance.now()
      if (client === null) {
        if (now >= opensAt) opening ??= open()
        return null
      }
      if (waiting > 0 && now - movedAt > standingMs) return null
      if (waiting >= busy) gather(client.connection.stream)
      return follow(client.query(statement))
    },
    close: async () => {
      opensAt = Number.POSITIVE_INFINITY
      await opening
      await client?.end()
    },
  }
}

/** For whoever has no connection to spare. */
export const noPipeline: Pipeline = { send: () => null, close: async () => {} }

/** Keeps what is written until the turn of the event loop is over. */
function gather(stream: pg.Connection['stream']): void {
  if (stream.writableCorked > 0) return
  stream.cork()
  setImmediate(() => stream.uncork())
}
