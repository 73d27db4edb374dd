import { randomInt } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { CopiedRows, CopyRows } from '../database/copy-rows.ts'
import { isRetryable, isUnavailable } from '../database/errors.ts'
import { explainRefusal } from '../database/refusal.ts'
import type { Prisma } from '../generated/prisma/client.ts'
import {
  type AuditedEvent,
  type EventOfMany,
  eventRows,
  type Images,
  type Steps,
  type Subject,
  type WrittenEvent,
  writingEvent,
} from './change/record-event.ts'
import type { ChangeType } from './change-type.ts'
import { keptChanges } from './difference.ts'
import { serviceUnavailable } from './errors.ts'
import { newId } from './id.ts'
import type { Caller, Scope } from './scope.ts'

/** What a use-case works with inside a change: everything it reads and writes goes through `db`. */
export type ChangeScope = Readonly<{
  db: Prisma.TransactionClient
  clock: Scope['clock']
  caller: Caller
  /** The time of the change, the same in every row it writes. */
  now: Date
  /** Queues what must happen afterwards, in the same commit. */
  queue: (kind: string, payload: Prisma.InputJsonObject, options?: QueueOptions) => Promise<void>
}>

/** `id` is the message's, for a payload that is sealed for it; absent: a new one. `expiresInMinutes`: of no use afterwards. */
export type QueueOptions = Readonly<{ id?: string; expiresInMinutes?: number }>

/** What happened to one of several by the same change: an event of its own. */
type Happened = Subject & Images & Readonly<{ type: ChangeType }>

/** What a use-case did: its result, and the record before and after. */
export type Changed<Result> = Subject &
  Images &
  Pick<AuditedEvent, 'actorUserId' | 'connection'> &
  Readonly<{
    result: Result
    /** What it turned out to be, where that shows only on the way; otherwise what it was begun as. */
    type?: ChangeType
    /** False for what Roster did because somebody failed at something. */
    success?: boolean
    also?: Happened
  }>

/** Enough to open the door for many. */
export type BulkScope = Scope & Readonly<{ copyRows: CopyRows }>

/** What a use-case works with inside a change of many: it may insert any number of rows at once. */
export type ManyScope = ChangeScope & Readonly<{ copy: (rows: readonly CopiedRows[]) => Promise<void> }>

/** What was done to many at once. */
export type ManyChanged<Result> = Readonly<{ result: Result; events: readonly EventOfMany[] }>

const attempts = 4

/**
 * The one door for change: one transaction, one audit event with the field-by-field difference, one place where the
 * database's refusals become typed errors. Work that changed nothing is rolled back and leaves no event. A deadlock or a
 * serialization failure is tried again, three times at most. `deletes` is the id of a user that the change removes, so that
 * what holds it can be counted.
 *
 * @throws {DomainError} what the database refused, by name
 * @throws {RequestError} SERVICE_UNAVAILABLE when the database does not answer
 */
export async function change<Result>(
  scope: Scope,
  type: ChangeType,
  work: (scope: ChangeScope) => Promise<Changed<Result>>,
  { deletes = null }: { deletes?: string | null } = {},
): Promise<Result> {
  return open(scope, deletes, async (tx) => {
    const { result, before, after, also, ...event } = await work(tx)
    const { db, caller, now: at } = tx
    const changes = keptChanges(before, after)
    if (before !== null && after !== null && changes.length === 0) throw new Unchanged(result)
    if (also) await db.$executeRaw(writingEvent(caller, { success: true, at, ...also, changes: keptChanges(also.before, also.after) }))
    await db.$executeRaw(writingEvent(caller, { type, success: true, ...event, at, changes }))
    return result
  })
}

/**
 * The door for many at once: one transaction, and an audit event for each of them. All of it happens or nothing does. A trial is rolled
 * back, and answers what would have happened.
 *
 * @throws {DomainError} what the database refused, by name, without saying whose
 * @throws {RequestError} SERVICE_UNAVAILABLE when the database does not answer
 */
export async function changeMany<Result>(
  scope: BulkScope,
  work: (scope: ManyScope) => Promise<ManyChanged<Result>>,
  { trial = false }: { trial?: boolean } = {},
): Promise<Result> {
  return open(scope, null, async (tx) => {
    const copy: ManyScope['copy'] = (rows) => scope.copyRows(tx.db, rows)
    const { result, events } = await work({ ...tx, copy })
    await copy([eventRows(tx.caller, tx.now, events)])
    if (trial) throw new Unchanged(result)
    return result
  })
}

/** A change that one statement makes. Where `done` has no row, nothing is changed. */
export type OneStatement = Pick<WrittenEvent, 'at' | 'subjectId' | 'userId' | 'actorUserId' | 'connection'> & Steps

/**
 * The door for a change that one statement can make: it writes its event too, so that one round trip takes the place of a
 * transaction's four.
 * @returns what the statement returns, or null where the change was not made
 * @throws {DomainError} what the database refused, by name
 * @throws {RequestError} SERVICE_UNAVAILABLE when the database does not answer
 */
export async function changeByOneStatement<Returned extends Record<string, unknown>>(
  scope: Scope,
  type: ChangeType,
  { steps, done, difference, returning, ...event }: OneStatement,
): Promise<Returned | null> {
  const whole = { type, success: true, changes: [], ...event }
  try {
    const statement = writingEvent(scope.caller, whole, { steps, done, difference, returning })
    const [row] = await retrying(scope, () => scope.execute?.<Returned>(statement) ?? scope.db.$queryRaw<Returned[]>(statement))
    return row ?? null
  } catch (error) {
    throw await translate(scope, error, null)
  }
}

/**
 * Writes down that a user, or somebody in his name, failed at something; null where nobody knows whose name it was. Call it outside of
 * a change: nothing was changed.
 */
export async function recordFailure(
  scope: Scope,
  type: ChangeType,
  userId: string | null,
  connection: string | null = null,
): Promise<void> {
  const event = { type, at: scope.clock.now(), subjectId: userId, userId, connection, success: false, changes: [] }
  try {
    await scope.db.$executeRaw(writingEvent(scope.caller, event))
  } catch (error) {
    throw await translate(scope, error, null)
  }
}

/** Whoever works on what was queued is told after the commit. */
async function open<Result>(scope: Scope, deletes: string | null, work: (tx: ChangeScope) => Promise<Result>): Promise<Result> {
  let hasQueued = false
  const onQueue = () => {
    hasQueued = true
  }
  try {
    const result = await retrying(scope, () => scope.db.$transaction((db) => work(changeScope(scope, db, onQueue))))
    if (hasQueued) scope.onQueued?.()
    return result
  } catch (error) {
    if (error instanceof Unchanged) return error.result as Result
    throw await translate(scope, error, deletes)
  }
}

/** Tries again what lost against another change. */
async function retrying<Result>(scope: Scope, work: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (!isRetryable(error) || attempt === attempts) throw error
      scope.onRetry?.()
      await delay(randomInt(5, 20) * attempt)
    }
  }
}

function changeScope(scope: Scope, db: Prisma.TransactionClient, onQueue: () => void): ChangeScope {
  const now = scope.clock.now()
  const queue: ChangeScope['queue'] = async (kind, payload, { id = newId(), expiresInMinutes } = {}) => {
    onQueue()
    const expiresAt = expiresInMinutes === undefined ? null : new Date(now.getTime() + expiresInMinutes * 60_000)
    await db.outboxMessage.create({ data: { id, kind, payload, createdAt: now, availableAt: now, expiresAt }, select: { id: true } })
  }
  return { db, clock: scope.clock, caller: scope.caller, now, queue }
}

/** Rolls the transaction back without a failure. */
class Unchanged extends Error {
  readonly result: unknown

  constructor(result: unknown) {
    super('nothing changed')
    this.result = result
  }
}

async function translate(scope: Scope, error: unknown, deletes: string | null): Promise<unknown> {
  if (isUnavailable(error) || isRetryable(error)) return serviceUnavailable(error)
  return (await explainRefusal(error, scope.db, deletes)) ?? error
}
