import type { Prisma } from '../../generated/prisma/client.ts'
import type { Changed, ChangeScope } from '../change.ts'
import { assertMetadataFits, type Metadata } from '../metadata.ts'
import { setPassword } from '../password.ts'
import { nameNormal, type ProfileInput, type ProfileOrigin, profileAttributes, profileColumns } from '../profile.ts'
import type { UserAttributes } from './user-attributes.ts'
import { readUser, userImage } from './user-record.ts'

/** A new user, checked. */
export type NewUser = Readonly<{
  id: string
  attributes: UserAttributes
  profile: ProfileInput
  /** Who the profile's attributes come from. */
  origin: ProfileOrigin
  userMetadata: Metadata
  appMetadata: Metadata
  /** The password's hash; null for a user who has none. */
  hash: string | null
  createdAt: Date
}>

/**
 * Writes the rows of a new user, inside the change that makes it.
 * @throws {DomainError} METADATA_TOO_LARGE
 */
export async function insertUser(tx: ChangeScope, user: NewUser): Promise<Omit<Changed<unknown>, 'result'>> {
  const { id, attributes, profile, userMetadata, appMetadata, hash, createdAt } = user
  assertMetadataFits(userMetadata, ['input', 'userMetadata'])
  assertMetadataFits(appMetadata, ['input', 'appMetadata'])
  await tx.db.user.create({
    data: {
      id,
      ...attributes,
      nameNormal: nameNormal(profile),
      userMetadata: userMetadata as Prisma.InputJsonObject,
      appMetadata: appMetadata as Prisma.InputJsonObject,
      createdAt,
      updatedAt: tx.now,
    },
    select: { id: true },
  })
  await insertProfile(tx, user)
  if (hash !== null) await setPassword(tx, id, hash)
  return { subjectId: id, userId: id, before: null, after: userImage(await readUser(tx.db, id)) }
}

async function insertProfile({ db, now }: ChangeScope, { id: userId, profile, origin }: NewUser): Promise<void> {
  const set = profileAttributes.filter((attribute) => profile[attribute] !== undefined && profile[attribute] !== null)
  const columns = profileColumns(profile, set) as Prisma.ProfileUncheckedCreateInput
  await db.profile.create({ data: { ...columns, userId, updatedAt: now }, select: { userId: true } })
  if (set.length > 0) await db.profileSource.createMany({ data: set.map((attribute) => ({ userId, attribute, origin, setAt: now })) })
}
