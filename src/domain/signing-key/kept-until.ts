import { maxAdminTokenSeconds, maxUserTokenSeconds } from '../../crypto/access-token.ts'
import type { Prisma } from '../../generated/prisma/client.ts'
import type { SigningKeyStanding } from './signing-key-state.ts'

/** How far the clocks of two processes may differ, and how long a token is accepted after its end. */
const toleranceMs = 60_000

/**
 * Until when a key verifies: until no token that it signed stands any more. Users' tokens live for an hour at the most; admin tokens
 * as long as they say, unless they are revoked. Null while the key signs, and before.
 */
export async function keptUntil(db: Prisma.TransactionClient, { key, state, signsUntil }: SigningKeyStanding): Promise<Date | null> {
  if (state !== 'previous' || signsUntil === null) return null
  const signedFrom = new Date(key.activatesAt.getTime() - toleranceMs)
  const signedUntil = new Date(signsUntil.getTime() + toleranceMs)
  const last = await db.adminToken.findFirst({
    where: { revokedAt: null, createdAt: { gte: signedFrom, lte: signedUntil } },
    orderBy: { expiresAt: { sort: 'desc', nulls: 'first' } },
    select: { createdAt: true, expiresAt: true },
  })
  const usersUntilMs = signedUntil.getTime() + maxUserTokenSeconds * 1000
  const adminsUntilMs = last === null ? 0 : (last.expiresAt?.getTime() ?? last.createdAt.getTime() + maxAdminTokenSeconds * 1000)
  return new Date(Math.max(usersUntilMs, adminsUntilMs) + toleranceMs)
}
