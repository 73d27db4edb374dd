import type { PrismaClient } from '../../generated/prisma/client.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'

/** Notes when admin tokens are used. */
export type LastUsed = Readonly<{
  /** Writes `lastUsedAt`, at most once a minute for each token, without the caller waiting for it. */
  note: (tokenId: string) => void
  /** Resolves when everything noted until now is written, or has failed. */
  settled: () => Promise<void>
}>

const intervalMs = 60_000
/** How many tokens are remembered; beyond, the longest unused are forgotten, and may be written again within their minute. */
const maxRemembered = 10_000

/** What it remembers is this process's own; the statement itself holds the minute against the other processes. */
export function createLastUsed({ db, clock, logger }: Readonly<{ db: PrismaClient; clock: Clock; logger: Logger }>): LastUsed {
  const notedAtMs = new Map<string, number>()
  const writes = new Set<Promise<void>>()
  const write = async (id: string, now: Date): Promise<void> => {
    const isDue = [{ lastUsedAt: null }, { lastUsedAt: { lte: new Date(now.getTime() - intervalMs) } }]
    try {
      await db.adminToken.updateMany({ where: { id, OR: isDue }, data: { lastUsedAt: now } })
    } catch {
      logger.warn({ tokenId: id }, 'the last use of an admin token could not be noted')
    }
  }
  return Object.freeze({
    note: (tokenId: string) => {
      const now = clock.now()
      if (now.getTime() < (notedAtMs.get(tokenId) ?? Number.NEGATIVE_INFINITY) + intervalMs) return
      notedAtMs.delete(tokenId)
      notedAtMs.set(tokenId, now.getTime())
      const [oldest] = notedAtMs.keys()
      if (notedAtMs.size > maxRemembered && oldest !== undefined) notedAtMs.delete(oldest)
      const writing = write(tokenId, now).finally(() => writes.delete(writing))
      writes.add(writing)
    },
    settled: async () => {
      await Promise.all(writes)
    },
  })
}
