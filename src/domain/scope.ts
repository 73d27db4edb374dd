import type { Database } from '../database/database.ts'
import type { Prisma, PrismaClient } from '../generated/prisma/client.ts'
import type { Clock } from '../ports/clock.ts'
import type { Principal } from './principal.ts'

/** Who acts and by what request: what the audit event says. */
export type Caller = Readonly<{
  principal: Principal
  ip: string | null
  userAgent: string | null
  requestId: string | null
}>

/** What a use-case works with outside a change: it may read, and open the door (change.ts). */
export type Scope = Readonly<{
  db: PrismaClient
  clock: Clock
  caller: Caller
  /** Runs a statement that stands by itself, faster than Prisma, which does it otherwise. Not inside of a change. */
  execute?: Database['execute']
  /** Told of each change that lost against another one and is tried again. */
  onRetry?: () => void
  /** Told after each commit that queued something to do. */
  onQueued?: () => void
}>

/** Either side of the door: enough to read with. */
export type ReadScope = Readonly<{ db: Prisma.TransactionClient; clock: Clock }>
