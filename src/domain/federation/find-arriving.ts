import type { Identity } from '../../generated/prisma/client.ts'
import type { ChangeScope } from '../change.ts'
import { DomainError } from '../errors.ts'
import { normalizeEmail } from '../normalize.ts'
import type { UserAttributes } from '../user/user-attributes.ts'
import { lockUser, type UserRecord } from '../user/user-record.ts'
import type { ProviderConnection } from './provider-connection.ts'
import type { ProviderPerson } from './provider-person.ts'

/**
 * Who arrives: a user, locked, whom the identity is of; or one without it, who is to get it; or nobody who is known. `address` is what
 * somebody new gets of his own: one that the provider vouches for and nobody has.
 */
export type Arriving = Readonly<{ user: UserRecord | null; identity: Identity | null; address: UserAttributes }>

/**
 * Finds the user by the connection and the provider's `sub`. By e-mail address only where the connection links by it, the provider vouches
 * for it, and either Roster does too, or nobody has ever shown that the account is his: it has no identity but a password.
 *
 * @throws {DomainError} IDENTITY_TAKEN, EMAIL_TAKEN or USER_NOT_FOUND when it changed hands meanwhile: look again
 */
export async function findArriving(tx: ChangeScope, connection: ProviderConnection, person: ProviderPerson): Promise<Arriving> {
  const provider_providerUserId = { provider: connection.key, providerUserId: person.subject }
  const known = await tx.db.identity.findUnique({ where: { provider_providerUserId }, select: { userId: true } })
  if (known === null) return { ...(await findByEmail(tx, connection, person)), identity: null }
  const user = await lockUser(tx.db, known.userId, { deleted: true })
  const identity = await tx.db.identity.findUnique({ where: { provider_providerUserId } })
  if (identity?.userId !== user.id) throw new DomainError('IDENTITY_TAKEN', 'The identity is another user’s by now.', [], {})
  return { user, identity, address: {} }
}

/** The holder is looked for once: whoever takes a free address in between is met by the constraint. */
async function findByEmail(
  { db }: ChangeScope,
  { linkByVerifiedEmail }: ProviderConnection,
  { email, emailVerified }: ProviderPerson,
): Promise<Omit<Arriving, 'identity'>> {
  const nobody = { user: null, address: {} }
  const forms = email === null || !emailVerified ? null : normalizeEmail(email)
  if (forms === null) return nobody
  const holder = await db.user.findUnique({ where: { emailNormal: forms.normal }, select: { id: true } })
  if (holder === null) return { user: null, address: { email: forms.email, emailNormal: forms.normal, emailVerified: true } }
  if (!linkByVerifiedEmail) return nobody
  const user = await lockUser(db, holder.id, { deleted: true })
  if (user.emailNormal !== forms.normal) throw new DomainError('EMAIL_TAKEN', 'The user has another address by now.', [], {})
  return (await isLinkable(db, user)) ? { user, address: {} } : nobody
}

async function isLinkable(db: ChangeScope['db'], { id: userId, emailVerified }: UserRecord): Promise<boolean> {
  return emailVerified || (await db.identity.count({ where: { userId, provider: { not: 'password' } } })) === 0
}
