import type { Prisma, Profile } from '../generated/prisma/client.ts'
import type { ReadScope } from './scope.ts'

/** A user as OpenID Connect claims, without those that are not set. */
export type UserInfo = Readonly<Record<string, unknown> & { sub: string }>

type Options = Readonly<{
  /** What the claim is called that carries `userMetadata`; null: none does. */
  userMetadataClaim: string | null
}>

const include = { profile: true } satisfies Prisma.UserInclude

/** Reads a user as the standard claims of OpenID Connect Core 5.1. `appMetadata` is never among them. Null when there is no such user. */
export async function readUserInfo(
  { db }: Pick<ReadScope, 'db'>,
  userId: string,
  { userMetadataClaim }: Options,
): Promise<UserInfo | null> {
  const user = await db.user.findUnique({ where: { id: userId }, relationLoadStrategy: 'join', include })
  if (user === null) return null
  const { id: sub, profile, email, emailVerified, phoneNumber, phoneNumberVerified, username, userMetadata } = user
  const claims = {
    ...(profile === null ? {} : profileClaims(profile)),
    preferred_username: profile?.preferredUsername ?? username,
    ...(email === null ? {} : { email, email_verified: emailVerified }),
    ...(phoneNumber === null ? {} : { phone_number: phoneNumber, phone_number_verified: phoneNumberVerified }),
    updated_at: Math.floor(Math.max(user.updatedAt.getTime(), profile?.updatedAt.getTime() ?? 0) / 1000),
  }
  const set = Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== null))
  return { ...set, sub, ...(userMetadataClaim === null ? {} : { [userMetadataClaim]: userMetadata }) }
}

function profileClaims(profile: Profile): Record<string, unknown> {
  const { name, nickname, picture, website, gender, birthdate, zoneinfo, locale, address } = profile
  const names = { name, given_name: profile.givenName, family_name: profile.familyName, middle_name: profile.middleName, nickname }
  return { ...names, picture, website, gender, birthdate, zoneinfo, locale, address }
}
