import { hashOpaqueToken } from '../crypto/opaque-token.ts'
import type { ReadScope } from './scope.ts'

/** Writes down that this token renews the session, once. The token itself is not kept. */
export async function keepRefreshToken({ db, clock }: ReadScope, sessionId: string, refreshToken: string): Promise<void> {
  const data = { tokenHash: Uint8Array.from(hashOpaqueToken(refreshToken)), sessionId, createdAt: clock.now() }
  await db.refreshToken.create({ data, select: { sessionId: true } })
}
