import { randomInt } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { isRetryable, isUnavailable } from '../database/errors.ts'
import { explainRefusal } from '../database/refusal.ts'
import { Prisma } from '../generated/prisma/client.ts'
import type { ChangeType } from './change-type.ts'
import { type Change, difference, type Image } from './difference.ts'
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

/** What a use-case did: its result, and the record before and after, without secrets. */
export type Changed<Result> = Readonly<{
  result: Result
  /** What it turned out to be, where that shows only on the way; otherwise what it was begun as. */
  type?: ChangeType
  /** The id of what was changed; it stays in history when the row is gone. Null when it was about nobody who is known. */
  subjectId: string | null
  /** The user that was changed, when there still is one. */
  userId?: string | null
  /** The user who acts by this very change, without a token yet: who signs in, or brings a link back. */
  actorUserId?: string | null
  /** The key of the connection that was used. */
  connection?: string | null
  /** False for what Roster did because somebody failed at something. */
  success?: boolean
  before: Image | null
  after: Image | null
  /** What happened to another one by the same change: an event of its own. */
  also?: Pick<Changed<unknown>, 'subjectId' | 'userId' | 'before' | 'after'> & Readonly<{ type: ChangeType }>
  /** Inserts that nothing else of the change depends on: they are sent together with the event, in one statement. */
  rows?: readonly Prisma.Sql[]
}>

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
  return open(scope, deletes, (db, onQueue) => changeOnce(scope, db, type, work, onQueue))
}

/** What happened to one of many, by one change: an event of its own. `changes` is what `changesText` answers. */
export type ManyChanged<Result> = Readonly<{
  result: Result
  events: readonly Readonly<{ type: ChangeType; subjectId: string; userId: string; changes: string }>[]
}>

/** The field-by-field difference as it is kept: made before the transaction, it keeps nobody waiting. */
export function changesText(before: Image | null, after: Image | null): string {
  return JSON.stringify(difference(before, after))
}

/**
 * The door for many at once: one transaction, and an audit event for each of them. All of it happens or nothing does. A trial is rolled
 * back, and answers what would have happened.
 *
 * @throws {DomainError} what the database refused, by name, without saying whose
 * @throws {RequestError} SERVICE_UNAVAILABLE when the database does not answer
 */
export async function changeMany<Result>(
  scope: Scope,
  work: (scope: ChangeScope) => Promise<ManyChanged<Result>>,
  { trial = false }: { trial?: boolean } = {},
): Promise<Result> {
  return open(scope, null, async (db, onQueue) => {
    const tx = changeScope(scope, db, onQueue)
    const { result, events } = await work(tx)
    if (events.length > 0) await recordMany(db, scope.caller, tx.now, events)
    if (trial) throw new Unchanged(result)
    return result
  })
}

/** Tries again what lost against another change. Whoever works on what was queued is told after the commit. */
async function open<Result>(
  scope: Scope,
  deletes: string | null,
  work: (db: Prisma.TransactionClient, onQueue: () => void) => Promise<Result>,
): Promise<Result> {
  let hasQueued = false
  const onQueue = () => {
    hasQueued = true
  }
  for (let attempt = 1; ; attempt++) {
    try {
      const result = await scope.db.$transaction((db) => work(db, onQueue))
      if (hasQueued) scope.onQueued?.()
      return result
    } catch (error) {
      if (error instanceof Unchanged) return error.result as Result
      if (!isRetryable(error) || attempt === attempts) throw await translate(scope, error, deletes)
      scope.onRetry?.()
      await delay(randomInt(5, 20) * attempt)
    }
  }
}

async function changeOnce<Result>(
  scope: Scope,
  db: Prisma.TransactionClient,
  type: ChangeType,
  work: (scope: ChangeScope) => Promise<Changed<Result>>,
  onQueue: () => void,
): Promise<Result> {
  const tx = changeScope(scope, db, onQueue)
  const { now } = tx
  const { result, before, after, also, rows, ...event } = await work(tx)
  const changes = difference(before, after)
  if (changes.length === 0 && before !== null && after !== null) throw new Unchanged(result)
  if (also) await record(db, scope.caller, { ...also, success: true, at: now, changes: difference(also.before, also.after) })
  await record(db, scope.caller, { type, success: true, ...event, at: now, changes }, rows)
  return result
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
    await record(scope.db, scope.caller, event)
  } catch (error) {
    throw await translate(scope, error, null)
  }
}

type Event = Pick<Changed<unknown>, 'subjectId' | 'userId' | 'actorUserId' | 'connection'> &
  Readonly<{ type: ChangeType; at: Date; success: boolean; changes: readonly Change[] }>

async function record(db: Prisma.TransactionClient, caller: Caller, event: Event, rows: readonly Prisma.Sql[] = []): Promise<void> {
  const { principal, ip, userAgent, requestId } = caller
  const { type, at, subjectId, userId = null, actorUserId = null, connection = null, success, changes } = event
  const kind = actorUserId === null ? actorKind(caller) : 'USER'
  const actorId = actorUserId ?? principal.userId ?? principal.tokenId
  await db.$executeRaw`
    ${rows.length === 0 ? Prisma.empty : Prisma.sql`with ${Prisma.join(rows.map((row, index) => Prisma.sql`${Prisma.raw(`row${index}`)} as (${row})`))}`}
    insert into roster.audit_events (
      id, type, at, subject_id, user_id, actor_kind, actor_id, ip, user_agent, request_id, connection, success, changes
    ) values (
      ${newId()}::uuid, ${type}, ${at}, ${subjectId}::uuid, ${userId}::uuid, ${kind}, ${actorId}, ${ip}, ${userAgent}, ${requestId},
      ${connection}, ${success}, ${JSON.stringify(changes)}::jsonb
    )`
}

/** The same for many, in one statement: of columns, which PostgreSQL reads in half the time that it takes to read them as JSON. */
async function recordMany(db: Prisma.TransactionClient, caller: Caller, at: Date, events: ManyChanged<unknown>['events']): Promise<void> {
  const { principal, ip, userAgent, requestId } = caller
  await db.$executeRaw`
    insert into roster.audit_events (
      id, type, at, subject_id, user_id, actor_kind, actor_id, ip, user_agent, request_id, success, changes
    )
    select id, type, ${at}, subject_id, user_id, ${actorKind(caller)}, ${principal.userId ?? principal.tokenId}, ${ip}, ${userAgent},
      ${requestId}, true, changes::jsonb
    from unnest(
      ${events.map(() => newId())}::uuid[], ${events.map(({ type }) => type)}::text[],
      ${events.map(({ subjectId }) => subjectId)}::uuid[], ${events.map(({ userId }) => userId)}::uuid[],
      ${events.map(({ changes }) => changes)}::text[]
    ) as row (id, type, subject_id, user_id, changes)`
}

/** A caller without a request is Roster itself: the command line, a job. */
function actorKind({ principal, requestId }: Caller): 'USER' | 'ADMIN' | 'SYSTEM' | 'ANONYMOUS' {
  if (principal.kind === 'user') return 'USER'
  if (principal.kind === 'anonymous') return 'ANONYMOUS'
  return requestId === null ? 'SYSTEM' : 'ADMIN'
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
