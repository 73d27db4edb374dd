import type { Prisma, PrismaClient } from '../../generated/prisma/client.ts'
import type { Clock } from '../../ports/clock.ts'
import { describeError } from '../../ports/describe-error.ts'
import type { Logger } from '../../ports/logger.ts'
import { MailRefusedError } from '../../ports/mailer.ts'
import type { Metrics } from '../../ports/metrics.ts'
import type { ClaimedMessage } from './claim-message.ts'
import { maxAttempts, retryDelayMs } from './retry-delay.ts'

/** Does one message, outside of any transaction. @throws {MailRefusedError} when it is in vain; anything else when it may succeed later */
export type OutboxHandler = (message: ClaimedMessage) => Promise<void>

/** What an outbox works with; the handlers by kind of message. */
export type OutboxParts = Readonly<{
  db: PrismaClient
  clock: Clock
  logger: Logger
  metrics: Metrics
  handlers: Readonly<Record<string, OutboxHandler>>
}>

/**
 * Does a message that was claimed, and writes how it went: done, put off, or dead. Dead is what was refused for good, was tried
 * eight times, or would come too late. What is done or dead loses its secrets.
 */
export async function attemptMessage(parts: OutboxParts, message: ClaimedMessage): Promise<void> {
  const { clock, handlers } = parts
  if (message.expiresAt !== null && message.expiresAt <= clock.now()) return bury(parts, message, 'EXPIRED')
  try {
    await handlers[message.kind]?.(message)
  } catch (error) {
    const nextAt = error instanceof MailRefusedError ? null : nextAttempt(message, clock.now())
    return nextAt === null ? bury(parts, message, failureCode(error), error) : putOff(parts, message, { nextAt, error })
  }
  await finish(parts, message)
}

/** Null when there is to be none. */
function nextAttempt({ attempts, expiresAt }: ClaimedMessage, now: Date): Date | null {
  const nextAt = new Date(now.getTime() + retryDelayMs(attempts))
  return attempts >= maxAttempts || (expiresAt !== null && nextAt >= expiresAt) ? null : nextAt
}

/** Done is done, also when the lease has ended meanwhile. */
async function finish({ db, clock, metrics }: OutboxParts, message: ClaimedMessage): Promise<void> {
  await db.outboxMessage.updateMany({
    where: { id: message.id, doneAt: null },
    data: { doneAt: clock.now(), deadAt: null, failure: null, leasedUntil: null, payload: withoutSecrets(message) },
  })
  metrics.outboxAttempt(message.kind, 'done')
}

async function putOff(parts: OutboxParts, message: ClaimedMessage, { nextAt, error }: { nextAt: Date; error: unknown }): Promise<void> {
  const failure = failureCode(error)
  await release(parts, message, { failure, availableAt: nextAt })
  parts.metrics.outboxAttempt(message.kind, 'failed')
  const line = { ...facts(message), failure, nextAt: nextAt.toISOString(), error: describeError(error) }
  parts.logger.warn(line, 'a message of the outbox is tried again later')
}

async function bury(parts: OutboxParts, message: ClaimedMessage, failure: string, error?: unknown): Promise<void> {
  await release(parts, message, { failure, deadAt: parts.clock.now(), payload: withoutSecrets(message) })
  parts.metrics.outboxAttempt(message.kind, 'dead')
  const line = { ...facts(message), failure, ...(error === undefined ? {} : { error: describeError(error) }) }
  parts.logger.error(line, 'a message of the outbox is given up')
}

/** Where the lease has ended meanwhile, the message is another attempt's. */
async function release({ db }: OutboxParts, { id, attempts }: ClaimedMessage, data: Prisma.OutboxMessageUpdateInput): Promise<void> {
  await db.outboxMessage.updateMany({ where: { id, attempts, doneAt: null, deadAt: null }, data: { ...data, leasedUntil: null } })
}

function facts({ id, kind, attempts }: ClaimedMessage) {
  return { outboxId: id, kind, attempts }
}

function withoutSecrets({ payload }: ClaimedMessage): Prisma.InputJsonObject {
  const { sealed: _, ...rest } = payload
  return rest as Prisma.InputJsonObject
}

/** A code that holds nothing of what was sent: SMTP's reply, or the error's own. */
function failureCode(error: unknown): string {
  const { code, responseCode } = error as Readonly<{ code?: unknown; responseCode?: unknown }>
  if (typeof responseCode === 'number' && responseCode > 0) return String(responseCode)
  return typeof code === 'string' && /^[A-Z0-9_]{1,40}$/.test(code) ? code : 'UNKNOWN'
}
