import { Prisma, type User } from '../../generated/prisma/client.ts'
import type { Image, Json } from '../difference.ts'
import { DomainError } from '../errors.ts'
import { isUuid } from '../normalize.ts'
import { profileImage } from '../profile.ts'

const include = { profile: true, passwordCredential: { select: { updatedAt: true } } } satisfies Prisma.UserInclude

/** A user's row with what a change of it looks at. */
export type UserRecord = Prisma.UserGetPayload<{ include: typeof include }>

/** The row alone, for a change of nothing else. */
export type UserRow = User

/** The columns of `roster.users`, by the names that a `UserRow` has. */
export const userColumns = Prisma.join(
  Object.values(Prisma.UserScalarFieldEnum).map((name) => {
    const column = name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    return Prisma.raw(`"${column}" as "${name}"`)
  }),
)

/** Where an input names the user. */
export const idPath = ['input', 'id'] as const

/**
 * Reads a user and keeps others from changing it until the transaction ends.
 * @throws {DomainError} USER_NOT_FOUND when there is none, or it is deleted and `deleted` is not wanted; `path` is where the input names it
 */
export async function lockUser(db: Prisma.TransactionClient, id: string, options: LockOptions = {}): Promise<UserRecord> {
  const row = await lockRow(db, id, options)
  return readUser(db, row.id)
}

/** `deleted`: a user who is deleted may be changed too; `path`: where the input names the user. */
type LockOptions = Readonly<{ deleted?: boolean; path?: readonly string[] }>

/**
 * The same for the row alone, in one statement: others who wait for the row wait for each. A profile or a password is not read with
 * it, for a statement that has waited sees other tables as they were before.
 * @throws {DomainError} USER_NOT_FOUND
 */
export async function lockRow(
  db: Prisma.TransactionClient,
  id: string,
  { deleted = false, path = idPath }: LockOptions = {},
): Promise<UserRow> {
  if (!isUuid(id)) throw userNotFound(path)
  const [row] = await db.$queryRaw<UserRow[]>`select ${userColumns} from roster.users where id = ${id}::uuid for update`
  if (row === undefined || (row.deletedAt !== null && !deleted)) throw userNotFound(path)
  return row
}

/** Reads a user again that the same transaction has changed. */
export function readUser(db: Prisma.TransactionClient, id: string): Promise<UserRecord> {
  return db.user.findUniqueOrThrow({ where: { id }, include })
}

/** There is no such user, or none that this change can be made to. */
export function userNotFound(path: readonly string[] = idPath): DomainError<'USER_NOT_FOUND'> {
  return new DomainError('USER_NOT_FOUND', 'There is no such user.', path, {})
}

/** The user as history sees it: by the graph's names, without secrets. What is not the row's is left out where the row is all there is. */
export function userImage(record: UserRecord | UserRow): Image {
  return {
    email: record.email,
    emailVerified: record.emailVerified,
    phoneNumber: record.phoneNumber,
    phoneNumberVerified: record.phoneNumberVerified,
    username: record.username,
    externalId: record.externalId,
    block: record.blockedAt && { at: time(record.blockedAt), until: time(record.blockedUntil), reason: record.blockReason },
    deletedAt: time(record.deletedAt),
    ...('profile' in record ? partsImage(record) : {}),
    userMetadata: record.userMetadata as Json,
    appMetadata: record.appMetadata as Json,
  }
}

function partsImage({ passwordCredential, profile }: UserRecord): Image {
  return { passwordChangedAt: time(passwordCredential?.updatedAt ?? null), profile: profile && profileImage(profile) }
}

function time(date: Date | null): string | null {
  return date?.toISOString() ?? null
}
