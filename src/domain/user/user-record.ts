import type { Prisma } from '../../generated/prisma/client.ts'
import type { Image, Json } from '../difference.ts'
import { DomainError } from '../errors.ts'
import { isUuid } from '../normalize.ts'
import { profileImage } from '../profile.ts'

const include = { profile: true, passwordCredential: { select: { updatedAt: true } } } satisfies Prisma.UserInclude

/** A user's row with what a change of it looks at. */
export type UserRecord = Prisma.UserGetPayload<{ include: typeof include }>

/** Where an input names the user. */
export const idPath = ['input', 'id'] as const

/**
 * Reads a user and keeps others from changing it until the transaction ends.
 * @throws {DomainError} USER_NOT_FOUND when there is none, or it is deleted and `deleted` is not wanted; `path` is where the input names it
 */
export async function lockUser(
  db: Prisma.TransactionClient,
  id: string,
  { deleted = false, path = idPath }: { deleted?: boolean; path?: readonly string[] } = {},
): Promise<UserRecord> {
  if (!isUuid(id)) throw userNotFound(path)
  await db.$queryRaw`select 1 from roster.users where id = ${id}::uuid for update`
  const record = await db.user.findUnique({ where: { id }, include })
  if (record === null || (record.deletedAt !== null && !deleted)) throw userNotFound(path)
  return record
}

/** Reads a user again that the same transaction has changed. */
export function readUser(db: Prisma.TransactionClient, id: string): Promise<UserRecord> {
  return db.user.findUniqueOrThrow({ where: { id }, include })
}

/** There is no such user, or none that this change can be made to. */
export function userNotFound(path: readonly string[] = idPath): DomainError<'USER_NOT_FOUND'> {
  return new DomainError('USER_NOT_FOUND', 'There is no such user.', path, {})
}

/** The user as history sees it: by the graph's names, without secrets. */
export function userImage(record: UserRecord): Image {
  return {
    email: record.email,
    emailVerified: record.emailVerified,
    phoneNumber: record.phoneNumber,
    phoneNumberVerified: record.phoneNumberVerified,
    username: record.username,
    externalId: record.externalId,
    block: record.blockedAt && { at: time(record.blockedAt), until: time(record.blockedUntil), reason: record.blockReason },
    deletedAt: time(record.deletedAt),
    passwordChangedAt: time(record.passwordCredential?.updatedAt ?? null),
    profile: record.profile && profileImage(record.profile),
    userMetadata: record.userMetadata as Json,
    appMetadata: record.appMetadata as Json,
  }
}

function time(date: Date | null): string | null {
  return date?.toISOString() ?? null
}
