import type { Prisma } from '../../generated/prisma/client.ts'
import { keptUntil } from './kept-until.ts'
import { changeSigningKeys, type KeyScope, newSigningKey, readSigningKeys, type SigningKeyRecord } from './signing-key-record.ts'
import { signingKeyStandings } from './signing-key-state.ts'

/**
 * How long a key is published before it signs: an hour. What others have of `/.well-known/jwks.json` is up to five minutes old, and
 * some keep it for longer than they should.
 */
export const publishedBeforeUseMs = 3_600_000

const dayMs = 86_400_000

/**
 * Makes the key that signs next, an hour from now. When there is one already, it is answered and nothing is made; so of several
 * processes that do this at once one makes it.
 */
export async function rotateSigningKeys(scope: KeyScope): Promise<{ key: SigningKeyRecord; isNew: boolean }> {
  const now = scope.clock.now()
  const data = await newSigningKey(scope, new Date(now.getTime() + publishedBeforeUseMs))
  return changeSigningKeys(scope, async (db, keys) => {
    const next = nextOf(keys, now)
    return next === null ? { key: await db.signingKey.create({ data }), isNew: true } : { key: next, isNew: false }
  })
}

/**
 * What each process does again and again: makes the next key when the current one will have signed for so many days (0: never), and
 * deletes those that no standing token was signed with. Answers how many it made and deleted.
 */
export async function maintainSigningKeys(
  scope: KeyScope,
  { signingKeyDays }: Readonly<{ signingKeyDays: number }>,
): Promise<{ made: number; deleted: number }> {
  const now = scope.clock.now()
  const keys = await readSigningKeys(scope.db)
  const { isNew } = isRotationDue(keys, now, signingKeyDays) ? await rotateSigningKeys(scope) : { isNew: false }
  const ended = await endedKeys(scope.db, keys, now)
  const { count: deleted } =
    ended.length === 0 ? { count: 0 } : await changeSigningKeys(scope, async (db, keys) => deleteKeys(db, await endedKeys(db, keys, now)))
  return { made: isNew ? 1 : 0, deleted }
}

function isRotationDue(keys: readonly SigningKeyRecord[], now: Date, days: number): boolean {
  if (days === 0 || nextOf(keys, now) !== null) return false
  const current = signingKeyStandings(keys, now).find(({ state }) => state === 'current')
  return current !== undefined && current.key.activatesAt.getTime() + days * dayMs - publishedBeforeUseMs <= now.getTime()
}

function nextOf(keys: readonly SigningKeyRecord[], now: Date): SigningKeyRecord | null {
  return signingKeyStandings(keys, now).find(({ state }) => state === 'next')?.key ?? null
}

async function endedKeys(db: Prisma.TransactionClient, keys: readonly SigningKeyRecord[], now: Date): Promise<string[]> {
  const ended: string[] = []
  for (const standing of signingKeyStandings(keys, now)) {
    const until = standing.state === 'previous' ? await keptUntil(db, standing) : null
    if (until !== null && until <= now) ended.push(standing.key.id)
  }
  return ended
}

function deleteKeys(db: Prisma.TransactionClient, ids: readonly string[]): Promise<{ count: number }> {
  return db.signingKey.deleteMany({ where: { id: { in: [...ids] } } })
}
