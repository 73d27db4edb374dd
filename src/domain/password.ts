import { hashPassword, isPasswordHash } from '../crypto/password-hash.ts'
import type { ChangeScope } from './change.ts'
import { DomainError, invalidInput } from './errors.ts'
import { newId } from './id.ts'

/** Code points: NIST SP 800-63B-4 §3.1.1.2 wants 8 where there is a second factor, and recommends 15 where there is none. */
export const passwordMinLength = 8
/** Bytes of UTF-8. Long pass phrases fit; a megabyte of hashing does not. */
export const passwordMaxBytes = 1024

/** What is wrong with a new password; null when it may be used. */
export function passwordProblem(password: string, path: readonly string[]): DomainError | null {
  const reasons = [
    ...([...password].length < passwordMinLength ? ['TOO_SHORT'] : []),
    ...(Buffer.byteLength(password) > passwordMaxBytes ? ['TOO_LONG'] : []),
  ]
  if (!password.isWellFormed()) return invalidInput(path, 'A password must not hold a lone surrogate.')
  if (reasons.length === 0) return null
  const message = `A password has at least ${passwordMinLength} characters and at most ${passwordMaxBytes} bytes.`
  return new DomainError('WEAK_PASSWORD', message, path, { reasons })
}

/** What is wrong with a hash that is brought along; null when it may be kept. */
export function passwordHashProblem(hash: string, path: readonly string[]): DomainError | null {
  return isPasswordHash(hash) ? null : invalidInput(path, 'A password hash is an argon2 PHC string or a bcrypt string.')
}

/** The hash to keep of a new password, or the one that is brought along. Slow: call it before the transaction. */
export async function credentialHash(input: { password?: string | null; passwordHash?: string | null }): Promise<string | null> {
  if (typeof input.password === 'string') return hashPassword(input.password)
  return input.passwordHash ?? null
}

/** Gives the user this password, and the identity that stands for signing in with it. */
export async function setPassword({ db, now }: ChangeScope, userId: string, hash: string): Promise<void> {
  const credential = { hash, updatedAt: now }
  await db.passwordCredential.upsert({ where: { userId }, create: { userId, ...credential }, update: credential, select: { userId: true } })
  const key = { provider: 'password', providerUserId: userId }
  await db.identity.upsert({
    where: { provider_providerUserId: key },
    create: { id: newId(), userId, ...key, createdAt: now },
    update: {},
    select: { id: true },
  })
}

/** Takes the user's password away. */
export async function removePassword({ db }: ChangeScope, userId: string): Promise<void> {
  await db.passwordCredential.deleteMany({ where: { userId } })
  await db.identity.deleteMany({ where: { userId, provider: 'password' } })
}
