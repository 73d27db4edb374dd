import type { VerificationKey } from './signing-keys.ts'

/** A token whose signature and claims held: by which key, and between which times it may be believed again. */
export type VerifiedToken<Claims> = Readonly<{ claims: Claims; key: VerificationKey; issuedAtMs: number; expiresAtMs: number }>

/** Tokens that were verified, by their exact text. Whoever asks still has to find that the key is one of ours. */
export type VerifiedTokens<Claims> = Readonly<{
  /** Null for a token that has not been verified, has been forgotten, or does not hold at this time. */
  get: (token: string, now: Date) => VerifiedToken<Claims> | null
  set: (token: string, verified: VerifiedToken<Claims>) => void
}>

/** A token weighs about a kilobyte. Beyond, the longest kept are forgotten, and verified again. */
const maxKept = 5000

/** A signature takes longer to verify than all else that is done to find out who calls, and a client sends its token many times. */
export function createVerifiedTokens<Claims>(): VerifiedTokens<Claims> {
  const kept = new Map<string, VerifiedToken<Claims>>()
  const get = (token: string, now: Date): VerifiedToken<Claims> | null => {
    const verified = kept.get(token)
    if (verified === undefined) return null
    if (verified.issuedAtMs <= now.getTime() && now.getTime() < verified.expiresAtMs) return verified
    kept.delete(token)
    return null
  }
  const set = (token: string, verified: VerifiedToken<Claims>): void => {
    kept.set(token, verified)
    const [oldest] = kept.keys()
    if (kept.size > maxKept && oldest !== undefined) kept.delete(oldest)
  }
  return Object.freeze({ get, set })
}
