import type { Prisma, PrismaClient } from '../../generated/prisma/client.ts'

/** A message that this process has now, until its lease ends. */
export type ClaimedMessage = Readonly<{
  id: string
  kind: string
  payload: Prisma.JsonObject
  createdAt: Date
  expiresAt: Date | null
  /** This one included. */
  attempts: number
}>

/** Longer than any attempt takes, and how long a message waits when its worker is killed. */
export const leaseSeconds = 30

/**
 * Takes the message that is due longest, for this process alone; null when there is none. What others are about to take is passed
 * over. The lease is counted by the database's clock, which all processes share.
 */
export async function claimMessage(
  db: PrismaClient,
  { kinds, now }: Readonly<{ kinds: readonly string[]; now: Date }>,
): Promise<ClaimedMessage | null> {
  const [message = null] = await db.$queryRaw<ClaimedMessage[]>`
    UPDATE roster.outbox SET attempts = attempts + 1, leased_until = now() + make_interval(secs => ${leaseSeconds})
    WHERE id = (
      SELECT id FROM roster.outbox
      WHERE done_at IS NULL AND dead_at IS NULL AND available_at <= ${now} AND kind = ANY(${kinds})
        AND (leased_until IS NULL OR leased_until < now())
      ORDER BY available_at LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING id, kind, payload, created_at AS "createdAt", expires_at AS "expiresAt", attempts`
  return message
}
