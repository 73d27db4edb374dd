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

/** What else of the row history shows: a trigger of the host may change more than was asked for. */
const columns = [
  ...['email', 'email_verified', 'phone_number', 'phone_number_verified', 'username', 'external_id'],
  ...['deleted_at', 'blocked_at', 'blocked_until', 'block_reason'],
]
const columnsOf = (row: string): string => columns.map((column) => `${row}.${column}`).join(', ')
const ofRow = Prisma.raw(columnsOf('u'))

/** What `userImage` makes of the row, without metadata. */
function image(row: 'before' | 'after'): string {
  const time = (column: string): string => `to_char(${row}.${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`
  return `jsonb_build_object(
    'email', ${row}.email, 'emailVerified', ${row}.email_verified, 'phoneNumber', ${row}.phone_number,
    'phoneNumberVerified', ${row}.phone_number_verified, 'username', ${row}.username, 'externalId', ${row}.external_id,
    'deletedAt', ${time('deleted_at')}, 'block', case when ${row}.blocked_at is not null then
      jsonb_build_object('at', ${time('blocked_at')}, 'until', ${time('blocked_until')}, 'reason', ${row}.block_reason) end
  )`
}

/** Images are made where something differs only. */
const restDifference = Prisma.raw(`case when (${columnsOf('before')}) is distinct from (${columnsOf('after')})
  then roster.json_changes(${image('before')}, ${image('after')}, '') else '[]'::jsonb end`)

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
        select id, user_metadata, app_metadata, ${ofRow},
          ${become(Prisma.sql`user_metadata`, userMetadata)} as user_bag, ${become(Prisma.sql`app_metadata`, appMetadata)} as app_bag
        from roster.users u where id = ${userId}::uuid and deleted_at is null ${version} for update
      )`,
      // PostgreSQL's text of a bag is never shorter than the compact one that is measured: what fits by this, fits.
      Prisma.sql`after as (
        update roster.users u set user_metadata = user_bag, app_metadata = app_bag, version = version + 1, updated_at = ${now}
        from before where u.id = before.id and greatest(octet_length(user_bag::text), octet_length(app_bag::text)) <= ${metadataMaxBytes}::integer
          and (user_bag, app_bag) is distinct from (before.user_metadata, before.app_metadata)
        returning u.user_metadata, u.app_metadata, ${ofRow}, ${Prisma.raw(record.sql)} as record
      )`,
    ],
    done: Prisma.sql`before, after`,
    difference: Prisma.join(
      [
        restDifference,
        columnDifference('user_metadata', '/userMetadata', Object.keys(userMetadata ?? {})),
        columnDifference('app_metadata', '/appMetadata', Object.keys(appMetadata ?? {})),
      ],
      ' || ',
    ),
    returning: Prisma.sql`(select record from after) as record`,
  })
  return done && (record.revive(done.record) as User)
}
