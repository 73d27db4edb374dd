import type { Prisma } from '../../generated/prisma/client.ts'
import type { Changed, ChangeScope } from '../change.ts'
import { newId } from '../id.ts'
import { assertMetadataFits, type Metadata } from '../metadata.ts'
import { setPassword } from '../password.ts'
import { nameNormal, type ProfileInput, type ProfileOrigin, profileAttributes, profileColumns } from '../profile.ts'
import type { UserAttributes } from './user-attributes.ts'
import { readUser, userImage } from './user-record.ts'

/** A new user, checked. */
export type NewUser = Readonly<{
  /** Made when absent. */
  id?: string
  attributes: UserAttributes
  profile?: ProfileInput
  /** Who the profile's attributes come from: an administrator unless said otherwise. */
  origin?: ProfileOrigin
  userMetadata?: Metadata
  appMetadata?: Metadata
  /** The password's hash; null for a user who has none. */
  hash?: string | null
  /** When the person was invited, as long as that is not accepted. */
  invitedAt?: Date | null
  /** Now when absent. */
  createdAt?: Date
}>

/**
 * Writes the rows of a new user, inside the change that makes it.
 * @throws {DomainError} METADATA_TOO_LARGE
 */
export async function insertUser(tx: ChangeScope, user: NewUser): Promise<Changed<{ userId: string }>> {
  const { attributes, profile = {}, origin = 'ADMIN', userMetadata = {}, appMetadata = {}, hash = null } = user
  const { id = newId(), createdAt = tx.now, invitedAt = null } = user
  assertMetadataFits(userMetadata, ['input', 'userMetadata'])
  assertMetadataFits(appMetadata, ['input', 'appMetadata'])
  await tx.db.user.create({
    data: {
      id,
      ...attributes,
      nameNormal: nameNormal(profile),
      userMetadata: userMetadata as Prisma.InputJsonObject,
      appMetadata: appMetadata as Prisma.InputJsonObject,
      invitedAt,
      createdAt,
      updatedAt: tx.now,
    },
    select: { id: true },
  })
  await insertProfile(tx, id, profile, origin)
  if (hash !== null) await setPassword(tx, id, hash)
  return { result: { userId: id }, subjectId: id, userId: id, before: null, after: userImage(await readUser(tx.db, id)) }
}

async function insertProfile({ db, now }: ChangeScope, userId: string, profile: ProfileInput, origin: ProfileOrigin): Promise<void> {
  const set = profileAttributes.filter((attribute) => profile[attribute] !== undefined && profile[attribute] !== null)
  const columns = profileColumns(profile, set) as Prisma.ProfileUncheckedCreateInput
  await db.profile.create({ data: { ...columns, userId, updatedAt: now }, select: { userId: true } })
  const [attribute, ...others] = set
  if (attribute !== undefined)
    await db.profileSource.create({ data: { userId, attribute, others, origin, setAt: now }, select: { userId: true } })
}
