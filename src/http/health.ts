import { setTimeout as delay } from 'node:timers/promises'
import type { Database } from '../database/database.ts'
import { json, type Route } from './exchange.ts'

/** How long an answer of the database stands for the next probes. */
const pingStandsMs = 1000
/** Probes give up after a second. */
const pingPatienceMs = 900

/** Says that the process runs. It touches nothing, so that a database that is down restarts nobody. */
export const live: Route = () => json(200, { status: 'ok' })

/** Says whether requests should be sent here: the database answers, and the process is not draining. Why not is in the logs. */
export function createReady(database: Database, isDraining: () => boolean): Route {
  let latest: Readonly<{ at: number; answered: Promise<boolean> }> | null = null
  return async () => {
    if (isDraining()) return json(503, { status: 'unavailable' })
    if (latest === null || performance.now() - latest.at > pingStandsMs) latest = { at: performance.now(), answered: ping(database) }
    return (await latest.answered) ? json(200, { status: 'ok' }) : json(503, { status: 'unavailable' })
  }
}

function ping(database: Database): Promise<boolean> {
  const answered = database.ping().then(
    () => true,
    () => false,
  )
  return Promise.race([answered, delay(pingPatienceMs, false, { ref: false })])
}
