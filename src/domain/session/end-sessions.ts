import type { Prisma } from '../../generated/prisma/client.ts'
import type { ChangeScope } from '../change.ts'
import type { Image } from '../difference.ts'

/** The sessions that were ended, and what history says of it: by their ids, when each was revoked. */
export type EndedSessions = Readonly<{ ended: readonly { id: string; expiresAt: Date; lastUsedAt: Date }[]; before: Image; after: Image }>

/**
 * Ends those of a user's sessions that were not revoked before, also the ones that have run out: no longer lifetime brings them back.
 * The user is locked by the caller. Without any, both images are alike, and the change leaves no event.
 */
export async function endSessionsWhere(
  { db, now }: Pick<ChangeScope, 'db' | 'now'>,
  userId: string,
  where: Prisma.SessionWhereInput,
): Promise<EndedSessions> {
  const ended = await db.session.updateManyAndReturn({
    where: { AND: [where, { userId, revokedAt: null }] },
    data: { revokedAt: now },
    select: { id: true, expiresAt: true, lastUsedAt: true },
  })
  const image = (revokedAt: string | null) => ({ sessions: Object.fromEntries(ended.map(({ id }) => [id, { revokedAt }])) })
  return { ended, before: image(null), after: image(now.toISOString()) }
}
