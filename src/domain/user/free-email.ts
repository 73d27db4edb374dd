import type { ChangeScope } from '../change.ts'
import { normalizeEmail } from '../normalize.ts'
import type { UserAttributes } from './user-attributes.ts'

/** The address that a new user gets from who vouches for him: only one that is verified there, and that nobody has, not even a deleted user. */
export async function freeEmail(
  { db }: ChangeScope,
  { email, emailVerified }: Readonly<{ email: string | null; emailVerified: boolean }>,
): Promise<UserAttributes> {
  const normalized = email === null || !emailVerified ? null : normalizeEmail(email)
  if (normalized === null) return {}
  const holder = await db.user.findUnique({ where: { emailNormal: normalized.normal }, select: { id: true } })
  return holder === null ? { email: normalized.email, emailNormal: normalized.normal, emailVerified: true } : {}
}
