import { wholeRecord } from '../../database/reads/json-select.ts'
import { Prisma, type User } from '../../generated/prisma/client.ts'
import { changeByOneStatement } from '../change.ts'
import { type Metadata, type MetadataMode, metadataMaxBytes, patchedMetadata } from '../metadata.ts'
import { isUuid } from '../normalize.ts'
import type { Scope } from '../scope.ts'
import { columnDifference } from './column-difference.ts'

/** A change of metadata and nothing else. What is absent is left alone, null clears. */
export type MetadataPatch = Readonly<{
  userMetadata?: Metadata | null | undefined
  appMetadata?: Metadata | null | undefined
  metadataMode?: MetadataMode | null | undefined
  expectedVersion?: number | null | undefined
}>

/** Whether a change of a user is one of metadata alone, as most are. */
export function isMetadataPatch(input: MetadataPatch & Readonly<{ id?: string | null }>): boolean {
  const { id: _, userMetadata, appMetadata, metadataMode, expectedVersion, ...rest } = input
  return (userMetadata !== undefined || appMetadata !== undefined) && Object.values(rest).every((value) => value === undefined)
}

const time = (column: string): Prisma.Sql => Prisma.raw(`to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`)

/** What `userImage` makes of the row, without metadata: a trigger of the host may change more than was asked for. */
const image = Prisma.sql`jsonb_build_object(
  'email', email, 'emailVerified', email_verified, 'phoneNumber', phone_number, 'phoneNumberVerified', phone_number_verified,
  'username', username, 'externalId', external_id, 'deletedAt', ${time('deleted_at')}, 'block', case when blocked_at is not null then
    jsonb_build_object('at', ${time('blocked_at')}, 'until', ${time('blocked_until')}, 'reason', block_reason) end
)`

/** The row that the statement has changed. */
const record = wholeRecord('User', 'u')

/**
 * Changes the metadata of a user by one statement: `user.updated`. It has been checked by itself.
 * @returns the user as it has become; null when it was not done: there is no such user, or it has another version, or nothing would
 * change, or it may not fit. Nothing was changed then, and a change of more steps tells why.
 */
export async function patchMetadata(scope: Scope, userId: string, patch: MetadataPatch): Promise<User | null> {
  if (!isUuid(userId)) return null
  const now = scope.clock.now()
  const { userMetadata, appMetadata, metadataMode, expectedVersion } = patch
  const become = (column: Prisma.Sql, value: Metadata | null | undefined): Prisma.Sql => {
    if (value === undefined) return column
    return value === null ? Prisma.sql`'{}'::jsonb` : patchedMetadata(column, value, metadataMode ?? 'MERGE')
  }
  const version = expectedVersion == null ? Prisma.empty : Prisma.sql`and version = ${expectedVersion}::integer`
  const done = await changeByOneStatement<{ record: unknown }>(scope, 'user.updated', {
    ...{ at: now, subjectId: userId, userId },
    steps: [
      // Whoever waits for the row goes on from what it has become.
      Prisma.sql`before as (
        select id, user_metadata, app_metadata, ${image} as image, ${become(Prisma.sql`user_metadata`, userMetadata)} as user_bag,
          ${become(Prisma.sql`app_metadata`, appMetadata)} as app_bag
        from roster.users where id = ${userId}::uuid and deleted_at is null ${version} for update
      )`,
      // PostgreSQL's text of a bag is never shorter than the compact one that is measured: what fits by this, fits.
      Prisma.sql`after as (
        update roster.users u set user_metadata = user_bag, app_metadata = app_bag, version = version + 1, updated_at = ${now}
        from before where u.id = before.id and greatest(octet_length(user_bag::text), octet_length(app_bag::text)) <= ${metadataMaxBytes}::integer
          and (user_bag, app_bag) is distinct from (before.user_metadata, before.app_metadata)
        returning u.user_metadata, u.app_metadata, ${image} as image, ${Prisma.raw(record.sql)} as record
      )`,
    ],
    done: Prisma.sql`before, after`,
    difference: Prisma.join(
      [
        columnDifference('image', '', []),
        columnDifference('user_metadata', '/userMetadata', Object.keys(userMetadata ?? {})),
        columnDifference('app_metadata', '/appMetadata', Object.keys(appMetadata ?? {})),
      ],
      ' || ',
    ),
    returning: Prisma.sql`(select record from after) as record`,
  })
  return done && (record.revive(done.record) as User)
}
