import type { Snapshot } from '../../database/snapshot.ts'
import { Prisma } from '../../generated/prisma/client.ts'
import { profileAttributes } from '../profile.ts'
import type { RosterRecord } from '../transfer/roster-record.ts'
import { compileUserFilter, type UserFilter } from '../user-filter.ts'
import { type StoredRecord, toRecord } from './stored-record.ts'

/** Which users, and what may be said of them. */
export type RecordsWanted = Readonly<{ filter: UserFilter; now: Date; withPasswordHashes: boolean; withAppMetadata: boolean }>

type Reader = Pick<Snapshot, 'query'>

/** Users a statement: enough that making its plan is little of the work. */
const pageSize = 500

/** How many users there are to read. */
export async function countRecords({ query }: Reader, { filter, now }: RecordsWanted): Promise<number> {
  const meets = compileUserFilter(filter, { now })
  const [row] = await query<{ count: number }>(Prisma.sql`select count(*)::integer as count from roster.users u where ${meets}`)
  return row?.count ?? 0
}

/** A user as the database writes it, to be read by `parseRecord` when its turn has come: a page of objects would live too long. */
export type RecordText = string & { readonly __recordText: never }

/** Reads what `readRecords` has found. */
export function parseRecord(text: RecordText): RosterRecord {
  return toRecord(JSON.parse(text) as StoredRecord)
}

/**
 * Reads users in the order of their ids, page by page: in memory are two of them, however many there are. The database reads the next one
 * while one is looked at.
 */
export async function* readRecords({ query }: Reader, wanted: RecordsWanted): AsyncGenerator<readonly RecordText[]> {
  const meets = compileUserFilter(wanted.filter, { now: wanted.now })
  const read = (after: string) => query<Row>(page(meets, after, wanted))
  let rows = await read('00000000-0000-0000-0000-000000000000')
  while (rows.length > 0) {
    const next = rows.length < pageSize ? Promise.resolve([]) : read(rows.at(-1)?.id ?? '')
    // Whoever looks at this page may end before the next one is there.
    next.catch(() => {})
    yield rows.map(({ record }) => record)
    rows = await next
  }
}

type Row = Readonly<{ id: string; record: RecordText }>

/**
 * One JSON text a user, a `StoredRecord`, so that nothing has to be converted on the way. What belongs to users is found by the ids of the
 * page, whatever the planner knows of the tables. Providers' names are compared by their bytes: the same in any locale.
 */
function page(meets: Prisma.Sql, after: string, { withPasswordHashes, withAppMetadata }: RecordsWanted): Prisma.Sql {
  const ofPage = Prisma.sql`user_id = any(array(select id from u))`
  const attributes = profileAttributes.map((name) => Prisma.raw(`profile.${name.replace(/[A-Z]/g, '_$&').toLowerCase()}`))
  return Prisma.sql`
    with u as materialized (select * from roster.users u where u.id > ${after}::uuid and ${meets} order by u.id limit ${pageSize}::integer),
    profiles as materialized (select * from roster.profiles where ${ofPage}),
    credentials as materialized (select * from roster.password_credentials where ${ofPage} and ${withPasswordHashes}::boolean),
    sources as materialized (
      select user_id, json_agg(json_build_array(attribute || others, origin, identity_id, set_at)) as list
      from roster.profile_sources where ${ofPage} group by user_id
    ), identities as materialized (
      select user_id, json_agg(
        json_build_array(id, provider, provider_user_id, email, email_verified, claims, created_at, last_sign_in_at)
        order by provider collate "C", provider_user_id collate "C"
      ) as list
      from roster.identities where ${ofPage} group by user_id
    )
    select u.id::text as id, json_build_array(
      u.id, u.email, u.email_verified, u.phone_number, u.phone_number_verified, u.username, u.external_id,
      json_build_array(${Prisma.join(attributes)}), sources.list, profile.updated_at,
      u.user_metadata, ${withAppMetadata ? Prisma.sql`u.app_metadata` : Prisma.sql`null`}, identities.list,
      ${withPasswordHashes ? Prisma.sql`json_build_array(credential.hash, credential.updated_at)` : Prisma.sql`null`},
      case when u.blocked_at is not null then json_build_array(u.blocked_at, u.blocked_until, u.block_reason) end,
      u.invited_at, u.created_at, u.updated_at, u.deleted_at, u.anonymized_at,
      u.last_sign_in_at, u.last_sign_in_ip, u.sign_in_count, u.version
    )::text as record
    from u left join profiles profile on profile.user_id = u.id left join credentials credential on credential.user_id = u.id
      left join sources on sources.user_id = u.id left join identities on identities.user_id = u.id
    order by u.id`
}
