import type { Identity, Prisma } from '../../generated/prisma/client.ts'
import type { ChangeScope } from '../change.ts'
import { newId } from '../id.ts'
import { type ProfileInput, profileAttributes, writeProfile } from '../profile.ts'
import type { UserRecord } from '../user/user-record.ts'
import type { ProviderConnection } from './provider-connection.ts'
import type { ProviderPerson } from './provider-person.ts'

/**
 * Writes down what the provider says now: the user's identity, and of the profile what the connection's `profileSync` lets it. The user
 * is locked by the caller. `signsIn`: false for a user who links an account and is signed in by another way.
 */
export async function keepIdentity(
  tx: ChangeScope,
  { id: userId, profile }: Pick<UserRecord, 'id' | 'profile'>,
  connection: ProviderConnection,
  person: ProviderPerson,
  { signsIn = true }: Readonly<{ signsIn?: boolean }> = {},
): Promise<Identity> {
  const key = { provider: connection.key, providerUserId: person.subject }
  const said = {
    email: person.email,
    emailVerified: person.emailVerified,
    claims: person.claims as Prisma.InputJsonObject,
    ...(signsIn ? { lastSignInAt: tx.now } : {}),
  }
  const identity = await tx.db.identity.upsert({
    where: { provider_providerUserId: key },
    create: { id: newId(), userId, ...key, ...said, createdAt: tx.now },
    update: said,
  })
  await writeProfile(tx, userId, profile, attributesToWrite(connection, person, profile), 'IDENTITY', identity.id)
  return identity
}

/** What people have edited is overwritten by ON_EACH_SIGN_IN alone; what the provider does not say stays in any case. */
function attributesToWrite({ profileSync }: ProviderConnection, { profile }: ProviderPerson, before: UserRecord['profile']): ProfileInput {
  if (profileSync === 'NEVER') return {}
  if (profileSync === 'ON_EACH_SIGN_IN') return profile
  const unset = profileAttributes.filter((attribute) => (before?.[attribute] ?? null) === null)
  return Object.fromEntries(unset.map((attribute) => [attribute, profile[attribute]]))
}
