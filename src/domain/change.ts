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
  let hasQueued = false
  const onQueue = () => {
    hasQueued = true
  }
  try {
    const result = await retrying(scope, () => scope.db.$transaction((db) => changeOnce(scope, db, type, work, onQueue)))
    if (hasQueued) scope.onQueued?.()
    return result
  } catch (error) {
    if (error instanceof Unchanged) return error.result as Result
    throw await translate(scope, error, deletes)
  }
}

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

async function changeOnce<Result>(
  scope: Scope,
  db: Prisma.TransactionClient,
  type: ChangeType,
  work: (scope: ChangeScope) => Promise<Changed<Result>>,
  onQueue: () => void,
): Promise<Result> {
  const now = scope.clock.now()
  const queue: ChangeScope['queue'] = async (kind, payload, { id = newId(), expiresInMinutes } = {}) => {
    onQueue()
    const expiresAt = expiresInMinutes === undefined ? null : new Date(now.getTime() + expiresInMinutes * 60_000)
    await db.outboxMessage.create({ data: { id, kind, payload, createdAt: now, availableAt: now, expiresAt }, select: { id: true } })
  }
  const { result, before, after, also, ...event } = await work({ db, clock: scope.clock, caller: scope.caller, now, queue })
  const changes = difference(before, after)
  if (changes.length === 0 && before !== null && after !== null) throw new Unchanged(result)
  if (also) await record(db, scope.caller, { ...also, success: true, at: now, changes: difference(also.before, also.after) })
  await record(db, scope.caller, { type, success: true, ...event, at: now, changes })
  return result
}

/** A change that one statement makes, of a record that history shows nothing of but that it happened. */
export type OneStatement = Pick<Event, 'at' | 'subjectId' | 'userId' | 'actorUserId' | 'connection'> &
  Readonly<{
    /** The parts of it, each `name as (...)`. */
    steps: readonly Prisma.Sql[]
    /** The name of the part that has a row when the change is made. The others have to depend on it: without a row nothing is changed. */
    done: Prisma.Sql
  }>

/**
 * The door for a change that one statement can make: it writes its event too, so that one round trip takes the place of a
 * transaction's four.
 * @returns whether the change was made
 * @throws {DomainError} what the database refused, by name
 * @throws {RequestError} SERVICE_UNAVAILABLE when the database does not answer
 */
export async function changeByOneStatement(scope: Scope, type: ChangeType, { steps, done, ...event }: OneStatement): Promise<boolean> {
  const whole = { type, success: true, changes: [], ...event }
  try {
    return (await retrying(scope, () => record(scope.db, scope.caller, whole, { steps, done }))) > 0
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
    await record(scope.db, scope.caller, event)
  } catch (error) {
    throw await translate(scope, error, null)
  }
}

type Event = Pick<Changed<unknown>, 'subjectId' | 'userId' | 'actorUserId' | 'connection'> &
  Readonly<{ type: ChangeType; at: Date; success: boolean; changes: readonly Change[] }>

type Steps = Pick<OneStatement, 'steps' | 'done'>

/** @returns how many events were written: one, or none where the steps were not done */
function record(db: Prisma.TransactionClient, caller: Caller, event: Event, { steps, done }: Partial<Steps> = {}): Promise<number> {
  const { principal, ip, userAgent, requestId } = caller
  const { type, at, subjectId, userId = null, actorUserId = null, connection = null, success, changes } = event
  const kind = actorUserId === null ? actorKind(caller) : 'USER'
  const actorId = actorUserId ?? principal.userId ?? principal.tokenId
  return db.$executeRaw`
    ${steps ? Prisma.sql`with ${Prisma.join(steps)}` : Prisma.empty}
    insert into roster.audit_events (
      id, type, at, subject_id, user_id, actor_kind, actor_id, ip, user_agent, request_id, connection, success, changes
    ) select
      ${newId()}::uuid, ${type}, ${at}, ${subjectId}::uuid, ${userId}::uuid, ${kind}, ${actorId}, ${ip}, ${userAgent}, ${requestId},
      ${connection}, ${success}, ${JSON.stringify(changes)}::jsonb
    ${done ? Prisma.sql`from ${done}` : Prisma.empty}`
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
