import type { SigningKeyRecord } from './signing-key-record.ts'

/** `next` is published and does not sign yet, `current` signs, `previous` does not sign any more and verifies what it has signed. */
export type SigningKeyState = 'next' | 'current' | 'previous'

/** A key, and what it does at a time. */
export type SigningKeyStanding = Readonly<{
  key: SigningKeyRecord
  state: SigningKeyState
  /** When the key after it begins to sign, or began to; null when there is none. */
  signsUntil: Date | null
}>

/** What each of the keys does at this time, the one that begins to sign last first. One is always current. */
export function signingKeyStandings(keys: readonly SigningKeyRecord[], now: Date): SigningKeyStanding[] {
  // When the clocks of two processes differ, the first key may seem to begin in the future.
  const active = keys.findIndex(({ activatesAt }) => activatesAt <= now)
  const current = active === -1 ? keys.length - 1 : active
  return keys.map((key, index) => ({
    key,
    state: index < current ? 'next' : index === current ? 'current' : 'previous',
    signsUntil: keys[index - 1]?.activatesAt ?? null,
  }))
}

/** The key that signs at this time. */
export function currentSigningKey(keys: readonly SigningKeyRecord[], now: Date): SigningKeyRecord {
  const current = signingKeyStandings(keys, now).find(({ state }) => state === 'current')
  if (current === undefined) throw new Error('There is no signing key.')
  return current.key
}
