import type { App } from './app.ts'
import type { Principal } from './domain/principal.ts'
import type { Caller, Scope } from './domain/scope.ts'
import { bearerToken } from './http/bearer.ts'
import type { Ending } from './ports/ending.ts'

/** What each request carries through the graph. */
export type Context = Readonly<{
  app: App
  principal: Principal
  caller: Caller
  scope: Scope
  /** The users whose credentials this operation has brought and had accepted: they read their own records in its answer. */
  proven: Set<string>
  /** How many counts of whole lists the operation asks for. */
  counts: number
  /** Comes when nobody waits for the answer any more: nothing is begun then. */
  ending: Ending
  /** For a subscription: aborts when nobody listens any more. Null for everything else. */
  unsubscribed: AbortSignal | null
}>

/** What of a request says who calls. */
export type RequestOrigin = Readonly<{
  authorization: string | null
  ip: string | null
  userAgent: string | null
  requestId: string | null
}>

/**
 * Finds out who calls.
 * @throws {RequestError} UNAUTHENTICATED for a token that does not hold; SERVICE_UNAVAILABLE when that cannot be found out
 */
export async function createContext(
  app: App,
  { authorization, ip, userAgent, requestId }: RequestOrigin,
  counts: number,
  ending: Ending,
): Promise<Context> {
  const principal = await app.authenticate(bearerToken(authorization))
  const caller: Caller = { principal, ip, userAgent, requestId }
  const { database, clock, metrics, outbox } = app
  const scope = { db: database.prisma, execute: database.execute, clock, caller, onRetry: metrics.databaseRetry, onQueued: outbox.wake }
  return { app, principal, caller, scope, counts, proven: new Set(), ending, unsubscribed: null }
}
