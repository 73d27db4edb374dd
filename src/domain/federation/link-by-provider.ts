import type { AuthenticationScope } from '../authentication.ts'
import { type Changed, type ChangeScope, change } from '../change.ts'
import { DomainError } from '../errors.ts'
import { identitiesImage } from '../identity/identity-image.ts'
import { hasScope } from '../principal.ts'
import { proveFresh } from '../user/prove-fresh.ts'
import { type SelfProof, useProof } from '../user/prove-self.ts'
import { lockUser, readUser, userImage } from '../user/user-record.ts'
import type { Arrival } from './arrive-by-provider.ts'
import { keepIdentity } from './keep-identity.ts'
import { holdProviderConnection } from './provider-connection.ts'

/** Whose the account at the provider shall be, who it is there, and what is used up by it, such as a token. */
export type Linking = Readonly<{ userId: string; proof: SelfProof; arrival: Arrival; use: (tx: ChangeScope) => Promise<void> }>

type Linked = Readonly<{ userId: string; identityId: string }>

/**
 * Links an account at a provider to a user, once the provider has vouched for it: the user's own in a session that was started a moment
 * ago, or with `proof`; anybody's with `update:users`. The profile gets what the connection's `profileSync` lets it; the address of the
 * user stays. Writes `identity.linked`, unless nothing changed.
 *
 * @throws {DomainError} USER_NOT_FOUND; CONNECTION_NOT_FOUND; IDENTITY_TAKEN when another user has it; REAUTHENTICATION_REQUIRED
 * @throws {RequestError} RATE_LIMITED
 */
export async function linkByProvider(scope: AuthenticationScope, { userId, proof, arrival, use }: Linking): Promise<Linked> {
  const isOthers = hasScope(scope.caller.principal, 'update:users')
  const proven = isOthers ? null : await proveFresh(scope, userId, proof)
  return change(scope, 'identity.linked', async (tx) => {
    const connection = await holdProviderConnection(tx, arrival.connection.id)
    const user = await lockUser(tx.db, userId, { path: ['input', 'userId'] })
    if (proven !== null) await useProof(tx, proven, user.emailNormal)
    await use(tx)
    return link(tx, user, { connection, person: arrival.person })
  })
}

async function link(
  tx: ChangeScope,
  user: Awaited<ReturnType<typeof lockUser>>,
  { connection, person }: Arrival,
): Promise<Changed<Linked>> {
  const { db, now } = tx
  const key = { provider: connection.key, providerUserId: person.subject }
  const before = await db.identity.findUnique({ where: { provider_providerUserId: key } })
  if (before !== null && before.userId !== user.id) throw identityTaken()
  const after = await keepIdentity(tx, user, connection, person, { signsIn: false })
  await db.user.update({ where: { id: user.id }, data: { version: { increment: 1 }, updatedAt: now }, select: { id: true } })
  const images = {
    before: { ...userImage(user), ...identitiesImage(before === null ? [] : [before]) },
    after: { ...userImage(await readUser(db, user.id)), ...identitiesImage([after]) },
  }
  return { result: { userId: user.id, identityId: after.id }, subjectId: user.id, userId: user.id, connection: connection.key, ...images }
}

function identityTaken(): DomainError<'IDENTITY_TAKEN'> {
  return new DomainError('IDENTITY_TAKEN', 'Another user has this account at the provider.', ['input'], {})
}
