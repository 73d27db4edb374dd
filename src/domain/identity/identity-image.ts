import type { Identity } from '../../generated/prisma/client.ts'
import type { Image, Json } from '../difference.ts'

/** A user's identities as history sees them, by their ids. */
export function identitiesImage(identities: readonly Identity[]): Image {
  return { identities: Object.fromEntries(identities.map((identity) => [identity.id, identityImage(identity)])) }
}

function identityImage({ provider, providerUserId, email, emailVerified, claims }: Identity): Image {
  return { provider, providerUserId, email, emailVerified, claims: claims as Json }
}
