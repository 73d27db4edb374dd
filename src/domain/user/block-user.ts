import { change } from '../change.ts'
import { durationSeconds } from '../duration.ts'
import { invalidInput } from '../errors.ts'
import { isStorableText } from '../normalize.ts'
import type { Scope } from '../scope.ts'
import { endSessions } from '../session.ts'
import { lockUser, readUser, userImage } from './user-record.ts'

/** Whom to block, and how long: until a time, for an ISO 8601 duration, or until lifted. */
export type BlockUserInput = Readonly<{ id: string; until?: Date | null; duration?: string | null; reason?: string | null }>

const reasonMaxLength = 1000
/** PostgreSQL's timestamps reach further; no block has to. */
const latestEnd = Date.UTC(9999, 11, 31)

/**
 * Blocks a user and ends all its sessions. A block that stands is replaced. Writes `user.blocked`.
 * @throws {DomainError} USER_NOT_FOUND, or INVALID_INPUT for an end that is past or said twice
 */
export async function blockUser(scope: Scope, input: BlockUserInput): Promise<{ userId: string }> {
  const blockedUntil = blockEnd(input, scope.clock.now())
  const blockReason = parseReason(input.reason ?? null)
  return change(scope, 'user.blocked', async (tx) => {
    const before = await lockUser(tx.db, input.id)
    const { id } = before
    const data = { blockedAt: tx.now, blockedUntil, blockReason, version: { increment: 1 }, updatedAt: tx.now }
    await tx.db.user.update({ where: { id }, data, select: { id: true } })
    await endSessions(tx, id)
    return { result: { userId: id }, subjectId: id, userId: id, before: userImage(before), after: userImage(await readUser(tx.db, id)) }
  })
}

/**
 * Lifts a block. A user that is not blocked stays as it is. Writes `user.unblocked`.
 * @throws {DomainError} USER_NOT_FOUND
 */
export async function unblockUser(scope: Scope, input: { id: string }): Promise<{ userId: string }> {
  return change(scope, 'user.unblocked', async (tx) => {
    const before = await lockUser(tx.db, input.id)
    const { id } = before
    const data = { blockedAt: null, blockedUntil: null, blockReason: null, version: { increment: 1 }, updatedAt: tx.now }
    await tx.db.user.update({ where: { id }, data, select: { id: true } })
    return { result: { userId: id }, subjectId: id, userId: id, before: userImage(before), after: userImage(await readUser(tx.db, id)) }
  })
}

function blockEnd({ until, duration }: BlockUserInput, now: Date): Date | null {
  if (until && duration) throw invalidInput(['input', 'duration'], 'Send `until` or `duration`, not both.')
  if (!until && !duration) return null
  const path = until ? ['input', 'until'] : ['input', 'duration']
  const time = until ?? new Date(now.getTime() + durationSeconds(duration ?? '', now) * 1000)
  if (!(time > now) || time.getTime() > latestEnd) throw invalidInput(path, 'A block ends in the future, before the year 9999.')
  return time
}

function parseReason(reason: string | null): string | null {
  if (reason === null) return null
  if (!isStorableText(reason) || reason.length > reasonMaxLength)
    throw invalidInput(['input', 'reason'], `A reason has ${reasonMaxLength} characters at most.`)
  return reason
}
