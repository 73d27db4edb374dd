import { keptUntil } from './kept-until.ts'
import { type KeyScope, readSigningKeys } from './signing-key-record.ts'
import { type SigningKeyState, signingKeyStandings } from './signing-key-state.ts'

/** A key as its operator sees it. */
export type ListedSigningKey = Readonly<{
  /** The `kid`. */
  id: string
  state: SigningKeyState
  algorithm: string
  createdAt: Date
  signsFrom: Date
  /** When the key after it takes over; null when there is none. */
  signsUntil: Date | null
  /** When it is deleted, as far as tokens that stand now say; null while it signs, and before. */
  verifiesUntil: Date | null
}>

/** All keys, the one that begins to sign last first, without their private halves. */
export async function listSigningKeys({ db, clock }: Pick<KeyScope, 'db' | 'clock'>): Promise<ListedSigningKey[]> {
  const listed: ListedSigningKey[] = []
  for (const standing of signingKeyStandings(await readSigningKeys(db), clock.now())) {
    const { id, algorithm, createdAt, activatesAt } = standing.key
    const verifiesUntil = await keptUntil(db, standing)
    listed.push({ id, state: standing.state, algorithm, createdAt, signsFrom: activatesAt, signsUntil: standing.signsUntil, verifiesUntil })
  }
  return listed
}
