import type { Identity } from '../../generated/prisma/client.ts'
import type { ChangeScope } from '../change.ts'
import { DomainError } from '../errors.ts'
import { normalizeEmail } from '../normalize.ts'
import { lockUser, type UserRecord } from '../user/user-record.ts'
import type { ProviderConnection } from './provider-connection.ts'
import type { ProviderPerson } from './provider-person.ts'

/** Who arrives: a user, locked, whom the identity is of; or one without it, who is to get it; or nobody who is known. */
export type Arriving = Readonly<{ user: UserRecord | null; identity: Identity | null }>

/**
 * Finds the user by the connection and the provider's `sub`. By e-mail address only where the connection links by it, the provider vouches
 * for it, and either Roster does too, or nobody has ever shown that the account is his: it has no identity but a password.
 *
 * @throws {DomainError} IDENTITY_TAKEN or USER_NOT_FOUND when the identity or the user changed hands meanwhile: look again
 */
export async function findArriving(tx: ChangeScope, connection: ProviderConnection, person: ProviderPerson): Promise<Arriving> {
  const provider_providerUserId = { provider: connection.key, providerUserId: person.subject }
  const known = await tx.db.identity.findUnique({ where: { provider_providerUserId }, select: { userId: true } })
  if (known === null) return { user: await findByEmail(tx, connection, person), identity: null }
  const user = await lockUser(tx.db, known.userId, { deleted: true })
  const identity = await tx.db.identity.findUnique({ where: { provider_providerUserId } })
  if (identity?.userId !== user.id) throw new DomainError('IDENTITY_TAKEN', 'The identity is another user’s by now.', [], {})
  return { user, identity }
}

async function findByEmail(
  { db }: ChangeScope,
  { linkByVerifiedEmail }: ProviderConnection,
  { email, emailVerified }: ProviderPerson,
): Promise<UserRecord | null> {
  const emailNormal = email === null || !emailVerified || !linkByVerifiedEmail ? null : (normalizeEmail(email)?.normal ?? null)
  if (emailNormal === null) return null
  const holder = await db.user.findUnique({ where: { emailNormal }, select: { id: true } })
  if (holder === null) return null
  const user = await lockUser(db, holder.id, { deleted: true })
  if (user.emailNormal !== emailNormal) return null
  const others = user.emailVerified ? 0 : await db.identity.count({ where: { userId: user.id, provider: { not: 'password' } } })
  return others === 0 ? user : null
}
