import { isPasswordHash } from '../crypto/password-hash.ts'
import type { ChangeScope } from './change.ts'
import { type DomainError, invalidInput } from './errors.ts'
import { newId } from './id.ts'
import type { Passwords } from './password/passwords.ts'

/** What is wrong with a hash that is brought along; null when it may be kept. */
export function passwordHashProblem(hash: string, path: readonly string[]): DomainError | null {
  return isPasswordHash(hash)
    ? null
    : invalidInput(path, 'A password hash is an argon2 PHC string, a bcrypt string, or another one of docs/old-passwords.md.')
}

/** The hash to keep of a new password, or the one that is brought along. Slow: call it before the transaction. */
export async function credentialHash(
  passwords: Passwords,
  input: { password?: string | null; passwordHash?: string | null },
): Promise<string | null> {
  if (typeof input.password === 'string') return passwords.hash(input.password)
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
