import type { ChangeScope } from '../change.ts'
import { DomainError } from '../errors.ts'
import { lockUser, type UserRecord } from '../user/user-record.ts'
import type { Addressee } from './send-link.ts'

/** Locks the user of an address, whom an administrator names. @throws {DomainError} USER_NOT_FOUND at `input.email` */
export async function lockUserOfAddress(tx: ChangeScope, emailNormal: string): Promise<UserRecord & Addressee> {
  const user = await findUserOfAddress(tx, emailNormal)
  if (user === null) throw new DomainError('USER_NOT_FOUND', 'There is no such user.', ['input', 'email'], {})
  return user
}

/** The same; null when nobody has the address. */
export async function findUserOfAddress({ db }: ChangeScope, emailNormal: string): Promise<(UserRecord & Addressee) | null> {
  const found = await db.user.findUnique({ where: { emailNormal }, select: { id: true, deletedAt: true } })
  if (found === null || found.deletedAt !== null) return null
  const user = await lockUser(db, found.id)
  return { ...user, email: user.email ?? '', emailNormal: user.emailNormal ?? '' }
}
