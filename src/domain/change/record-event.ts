import { type CopiedRows, type CopyBytes, copyText } from '../../database/copy-rows.ts'
import { Prisma } from '../../generated/prisma/client.ts'
import type { ChangeType } from '../change-type.ts'
import { type Image, type KeptChanges, keptChanges } from '../difference.ts'
import { newId } from '../id.ts'
import type { Caller } from '../scope.ts'

/** Whom something happened to. */
export type Subject = Readonly<{
  /** The id of what was changed; it stays in history when the row is gone. Null when it was about nobody who is known. */
  subjectId: string | null
  /** The user that was changed, when there still is one. */
  userId?: string | null
}>

/** The record before and after, without secrets. */
export type Images = Readonly<{ before: Image | null; after: Image | null }>

/** What happened, as history keeps it. */
export type AuditedEvent = Subject &
  Readonly<{
    type: ChangeType
    at: Date
    /** The user who acts by this very change, without a token yet: who signs in, or brings a link back. */
    actorUserId?: string | null
    /** The key of the connection that was used. */
    connection?: string | null
    success: boolean
    changes: KeptChanges
  }>

type Who = Pick<AuditedEvent, 'subjectId' | 'userId' | 'actorUserId' | 'connection'>

/** The event as a statement writes it: whom it is about may be what SQL finds. */
export type WrittenEvent = Omit<AuditedEvent, keyof Who> & { readonly [Name in keyof Who]: Who[Name] | Prisma.Sql }

/**
 * The parts of a statement, each `name as (...)`, the name of the one that has a row when the event is to be written, and what SQL finds
 * to have changed; without it, history shows nothing but that it happened. `returning` is what the statement returns; without it, the
 * event's id.
 */
export type Steps = Readonly<{
  steps: readonly Prisma.Sql[]
  done: Prisma.Sql
  difference?: Prisma.Sql | undefined
  returning?: Prisma.Sql | undefined
}>

/** The statement that writes an event, after the steps. It writes one, or none where the steps are not done. */
export function writingEvent(caller: Caller, event: WrittenEvent, { steps, done, difference, returning }: Partial<Steps> = {}): Prisma.Sql {
  const { principal, ip, userAgent, requestId } = caller
  const { type, at, subjectId, userId = null, actorUserId = null, connection = null, success, changes } = event
  const kind = actorUserId === null ? actorKind(caller) : 'USER'
  const actorId = actorUserId ?? principal.userId ?? principal.tokenId
  return Prisma.sql`
    ${steps ? Prisma.sql`with ${Prisma.join(steps)}` : Prisma.empty}
    insert into roster.audit_events (
      id, type, at, subject_id, user_id, actor_kind, actor_id, ip, user_agent, request_id, connection, success, changes
    ) select
      ${newId()}::uuid, ${type}, ${at}, ${subjectId}::uuid, ${userId}::uuid, ${kind}, ${actorId}, ${ip}, ${userAgent}, ${requestId},
      ${connection}, ${success}, ${difference ?? Prisma.sql`${JSON.stringify(changes)}::jsonb`}
    ${done ? Prisma.sql`from ${done} returning ${returning ?? Prisma.sql`id`}` : Prisma.empty}`
}

/** What happened to one of many; `start` is the start of its row: what `eventStart` answers. */
export type EventOfMany = Readonly<{ type: ChangeType; start: CopyBytes }>

/** The rows of events, to be copied. */
export function eventRows(caller: Caller, at: Date, events: readonly EventOfMany[]): CopiedRows {
  const { principal, ip, userAgent, requestId } = caller
  const [kind, actorId] = [actorKind(caller), principal.userId ?? principal.tokenId]
  const endOf = (type: ChangeType) => Buffer.from(copyText([type, at, kind, actorId, ip, userAgent, requestId, true]))
  const ends: Partial<Record<ChangeType, CopyBytes>> = {}
  const bytes = events.flatMap(({ type, start }) => {
    ends[type] ??= endOf(type)
    return [start, ends[type]]
  })
  return { table: 'audit_events', columns: eventColumns, bytes }
}

/** What the row of an event about a user has of its own. Made before a transaction, it keeps nobody waiting. */
export function eventStart(userId: string, before: Image | null, after: Image | null): CopyBytes {
  return Buffer.from(copyText([newId(), userId, userId, keptChanges(before, after)], '\t'))
}

/** The first four are what the event brings along. */
const eventColumns = 'id subject_id user_id changes type at actor_kind actor_id ip user_agent request_id success'.split(' ')

/** A caller without a request is Roster itself: the command line, a job. */
function actorKind({ principal, requestId }: Caller): 'USER' | 'ADMIN' | 'SYSTEM' | 'ANONYMOUS' {
  if (principal.kind === 'user') return 'USER'
  if (principal.kind === 'anonymous') return 'ANONYMOUS'
  return requestId === null ? 'SYSTEM' : 'ADMIN'
}
