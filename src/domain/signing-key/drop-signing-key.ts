import { changeSigningKeys, type KeyScope, newSigningKey, type SigningKeyRecord } from './signing-key-record.ts'
import { type SigningKeyState, signingKeyStandings } from './signing-key-state.ts'

/** What was dropped, and the key that signs from now on when it was the one that did. */
export type DroppedSigningKey = Readonly<{ state: SigningKeyState; successor: SigningKeyRecord | null }>

/**
 * Deletes a key at once, because somebody else may have it: no token it signed is accepted any more, by any process as soon as it has
 * read the table again. Where it was the current one, the next one signs from now on, or a new one. Null: there is no such key.
 */
export async function dropSigningKey(scope: KeyScope, id: string): Promise<DroppedSigningKey | null> {
  const now = scope.clock.now()
  const data = await newSigningKey(scope, now)
  return changeSigningKeys(scope, async (db, keys) => {
    const standings = signingKeyStandings(keys, now)
    const dropped = standings.find(({ key }) => key.id === id)
    if (dropped === undefined) return null
    await db.signingKey.delete({ where: { id }, select: { id: true } })
    if (dropped.state !== 'current') return { state: dropped.state, successor: null }
    const next = standings.findLast(({ state }) => state === 'next')
    const successor =
      next === undefined
        ? await db.signingKey.create({ data })
        : await db.signingKey.update({ where: { id: next.key.id }, data: { activatesAt: now } })
    return { state: 'current', successor }
  })
}
