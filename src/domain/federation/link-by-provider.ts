import type { AuthenticationScope } from '../authentication.ts'
import { type Changed, type ChangeScope, change } from '../change.ts'
import { DomainError } from '../errors.ts'
import { identitiesImage } from '../identity/identity-image.ts'
import { normalizeEmail } from '../normalize.ts'
import { hasScope } from '../principal.ts'
import { proveFresh } from '../user/prove-fresh.ts'
import { type SelfProof, useProof } from '../user/prove-self.ts'
import { lockUser, readUser, type UserRecord, userImage } from '../user/user-record.ts'
import type { Arrival } from './arrive-by-provider.ts'
import { keepIdentity } from './keep-identity.ts'
import { holdProviderConnection } from './provider-connection.ts'
import type { ProviderPerson } from './provider-person.ts'

/** Whose the account at the provider shall be, who it is there, and what is used up by it, such as a token. */
export type Linking = Readonly<{ userId: string; proof: SelfProof; arrival: Arrival; use: (tx: ChangeScope) => Promise<void> }>

type Linked = Readonly<{ userId: string; identityId: string }>

/**
 * Links an account at a provider to a user, once the provider has vouched for it: the user's own in a session that was started a moment
 * ago, or with `proof`; anybody's with `update:users`. The profile gets what the connection's `profileSync` lets it; the address of the
 * user stays. Writes `identity.linked`, unless nothing changed.
 *
 * A user whose address nobody has verified links none but an account with that address, which verifies it: whoever signed up with an
 * address that was not his would have a way in that stays when its owner comes.
 *
 * @throws {DomainError} USER_NOT_FOUND; CONNECTION_NOT_FOUND; IDENTITY_TAKEN when another user has it; EMAIL_NOT_VERIFIED;
 * REAUTHENTICATION_REQUIRED
 * @throws {RequestError} RATE_LIMITED
 */
export async function linkByProvider(scope: AuthenticationScope, { userId, proof, arrival, use }: Linking): Promise<Linked> {
  const isOthers = hasScope(scope.caller.principal, 'update:users')
  const proven = isOthers ? null : await proveFresh(scope, userId, proof)
  return change(scope, 'identity.linked', async (tx) => {
    const connection = await holdProviderConnection(tx, arrival.connection.id)
    const user = await lockUser(tx.db, userId, { path: ['input', 'userId'] })
    if (proven !== null) await useProof(tx, proven, user.emailNormal)
    const verifies = proven !== null && assertAddress(user, arrival.person)
    await use(tx)
    return link(tx, user, { connection, person: arrival.person }, verifies)
  })
}

async function link(tx: ChangeScope, user: UserRecord, { connection, person }: Arrival, verifies: boolean): Promise<Changed<Linked>> {
  const { db, now } = tx
  const key = { provider: connection.key, providerUserId: person.subject }
  const before = await db.identity.findUnique({ where: { provider_providerUserId: key } })
  if (before !== null && before.userId !== user.id) throw identityTaken()
  const after = await keepIdentity(tx, user, connection, person, { signsIn: false })
  const data = { ...(verifies ? { emailVerified: true } : {}), version: { increment: 1 }, updatedAt: now }
  await db.user.update({ where: { id: user.id }, data, select: { id: true } })
  const images = {
    before: { ...userImage(user), ...identitiesImage(before === null ? [] : [before]) },
    after: { ...userImage(await readUser(db, user.id)), ...identitiesImage([after]) },
  }
  return { result: { userId: user.id, identityId: after.id }, subjectId: user.id, userId: user.id, connection: connection.key, ...images }
}

/** @returns whether the provider verifies an address that nobody has verified yet */
function assertAddress({ emailNormal, emailVerified }: UserRecord, person: ProviderPerson): boolean {
  if (emailNormal === null || emailVerified) return false
  const vouched = person.email !== null && person.emailVerified ? normalizeEmail(person.email)?.normal : undefined
  if (vouched === emailNormal) return true
  throw new DomainError('EMAIL_NOT_VERIFIED', 'Verify the e-mail address of the user first.', ['input'], {})
}

function identityTaken(): DomainError<'IDENTITY_TAKEN'> {
  return new DomainError('IDENTITY_TAKEN', 'Another user has this account at the provider.', ['input'], {})
}
