import type { Prisma } from '../../generated/prisma/client.ts'
import { MailRefusedError } from '../../ports/mailer.ts'
import type { OutboxParts } from '../outbox.ts'
import type { ClaimedMessage } from './claim-message.ts'
import { maxAttempts, retryDelayMs } from './retry-delay.ts'

/**
 * Does a message that was claimed, and writes how it went: done, to be tried again, or dead. Dead is what was refused for good, was
 * tried eight times, or would come too late; its secrets are erased, and a line in the log says so.
 */
export async function attemptMessage({ db, clock, logger, metrics, handlers }: OutboxParts, message: ClaimedMessage): Promise<void> {
  const { id, kind, attempts, expiresAt } = message
  const give = async (failure: string, nextAt: Date | null): Promise<void> => {
    const isDead = nextAt === null
    const change = isDead ? { deadAt: clock.now(), payload: withoutSecrets(message) } : { availableAt: nextAt }
    // Where the lease has ended meanwhile, the message is another attempt's.
    await db.outboxMessage.updateMany({
      where: { id, attempts, doneAt: null, deadAt: null },
      data: { ...change, failure, leasedUntil: null },
    })
    metrics.outboxAttempt(kind, isDead ? 'dead' : 'failed')
    const line = { outboxId: id, kind, attempts, failure }
    if (isDead) logger.error(line, 'a message of the outbox is given up')
    else logger.warn({ ...line, nextAt: nextAt.toISOString() }, 'a message of the outbox is tried again later')
  }
  if (expiresAt !== null && expiresAt <= clock.now()) return give('EXPIRED', null)
  try {
    await handlers[kind]?.(message)
  } catch (error) {
    return give(failureCode(error), error instanceof MailRefusedError ? null : nextAttempt(message, clock.now()))
  }
  // Whoever did it: it is done.
  await db.outboxMessage.updateMany({
    where: { id, doneAt: null },
    data: { doneAt: clock.now(), deadAt: null, failure: null, leasedUntil: null, payload: withoutSecrets(message) },
  })
  metrics.outboxAttempt(kind, 'done')
}

/** Null when there is to be none. */
function nextAttempt({ attempts, expiresAt }: ClaimedMessage, now: Date): Date | null {
  const nextAt = new Date(now.getTime() + retryDelayMs(attempts))
  return attempts >= maxAttempts || (expiresAt !== null && nextAt >= expiresAt) ? null : nextAt
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
