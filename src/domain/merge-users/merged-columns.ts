import type { Prisma } from '../../generated/prisma/client.ts'
import { assertMetadataFits, type Metadata } from '../metadata.ts'
import type { UserRow } from '../user/user-record.ts'
import { isBlocked } from '../user/user-status.ts'

/** How two bags of metadata become one; see the GraphQL enum of the same name. */
export type MetadataMerge = 'KEEP_TARGET' | 'PREFER_TARGET' | 'PREFER_SOURCE'

/** By bag. */
export type MetadataMerges = Readonly<{ userMetadata: MetadataMerge; appMetadata: MetadataMerge }>

/**
 * The columns of the user who stays: its own names, those of the other where it has none, both's metadata and sign-ins.
 * @throws {DomainError} METADATA_TOO_LARGE
 */
export function mergedColumns(target: UserRow, source: UserRow, merges: MetadataMerges, now: Date): Prisma.UserUncheckedUpdateInput {
  const latest = (source.lastSignInAt ?? 0) > (target.lastSignInAt ?? 0) ? source : target
  return {
    ...missingNames(target, source),
    ...(outlasts(source, target, now) ? blockOf(source) : {}),
    userMetadata: mergedBag('userMetadata', target, source, merges),
    appMetadata: mergedBag('appMetadata', target, source, merges),
    signInCount: target.signInCount + source.signInCount,
    lastSignInAt: latest.lastSignInAt,
    lastSignInIp: latest.lastSignInIp,
    version: { increment: 1 },
    updatedAt: now,
  }
}

function missingNames(target: UserRow, source: UserRow): Prisma.UserUncheckedUpdateInput {
  const { email, emailNormal, emailVerified, phoneNumber, phoneNumberVerified, username, usernameNormal, externalId } = source
  return {
    ...(target.emailNormal === null ? { email, emailNormal, emailVerified } : {}),
    ...(target.phoneNumber === null ? { phoneNumber, phoneNumberVerified } : {}),
    ...(target.usernameNormal === null ? { username, usernameNormal } : {}),
    ...(target.externalId === null ? { externalId } : {}),
  }
}

/** Whether a block of one user stands, and longer than one of the other: being merged lifts none. */
export function outlasts(user: UserRow, other: UserRow, now: Date): boolean {
  return isBlocked(user, now) && (!isBlocked(other, now) || blockEnd(user) > blockEnd(other))
}

function blockEnd({ blockedUntil }: UserRow): number {
  return blockedUntil?.getTime() ?? Number.POSITIVE_INFINITY
}

function blockOf({ blockedAt, blockedUntil, blockReason }: UserRow): Prisma.UserUncheckedUpdateInput {
  return { blockedAt, blockedUntil, blockReason }
}

function mergedBag(bag: keyof MetadataMerges, target: UserRow, source: UserRow, merges: MetadataMerges): Prisma.InputJsonObject {
  const [kept, brought] = [target[bag] as Metadata, source[bag] as Metadata]
  const merged = { KEEP_TARGET: kept, PREFER_TARGET: { ...brought, ...kept }, PREFER_SOURCE: { ...kept, ...brought } }[merges[bag]]
  assertMetadataFits(merged, ['input', bag])
  return merged as Prisma.InputJsonObject
}
