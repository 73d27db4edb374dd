import type { PrismaClient } from '../generated/prisma/client.ts'
import type { Clock } from '../ports/clock.ts'
import { analyzeUsers } from './analyze-users.ts'
import { seededExternalId, seededPerson } from './seed/person.ts'

/** Users a statement: large enough for PostgreSQL to be busy, small enough for the parameters, which Prisma holds on to for a while. */
const batchSize = 250

/** How many users to make, and who wants to know how far it is. */
export type SeedOptions = Readonly<{
  count: number
  /** The index of the first person; absent: after those who were seeded before. */
  startAt?: number
  /** Called after each batch with the number of users made so far. */
  onProgress?: (done: number) => void
  clock: Clock
}>

/**
 * Fills a development database with made-up people: users with identities, profiles and their sources, and metadata. The same
 * index is the same person everywhere, with the external id `demo-<index>`. Nobody can sign in as one of them.
 *
 * It goes beside the door: many rows a statement, and no audit events. Each batch is there as a whole or not at all.
 */
export async function seedUsers(db: PrismaClient, { count, startAt, onProgress, clock }: SeedOptions): Promise<void> {
  const first = startAt ?? (await nextIndex(db))
  for (let done = 0; done < count; ) {
    const size = Math.min(batchSize, count - done)
    const now = clock.now()
    await insertPeople(
      db,
      Array.from({ length: size }, (_, position) => seededPerson(first + done + position, now)),
    )
    done += size
    onProgress?.(done)
  }
  await analyzeUsers(db, count)
}

async function nextIndex(db: PrismaClient): Promise<number> {
  const pattern = `${seededExternalId}_________`
  const [row] = await db.$queryRaw<{ last: string | null }[]>`
    select max(external_id) as last from roster.users where external_id like ${pattern}`
  return row?.last ? Number(row.last.slice(seededExternalId.length)) + 1 : 0
}

/** One statement, so that a batch needs no transaction. Foreign keys are looked at when all of it is done. */
async function insertPeople(db: PrismaClient, people: readonly ReturnType<typeof seededPerson>[]): Promise<void> {
  const [users, profiles] = [json(people.map(({ user }) => user)), json(people.map(({ profile }) => profile))]
  const [identities, sources] = [json(people.flatMap((person) => person.identities)), json(people.flatMap((person) => person.sources))]
  const credentials = json(people.flatMap((person) => person.credentials))
  await db.$executeRaw`
    with inserted_users as (
      insert into roster.users select * from jsonb_populate_recordset(null::roster.users, ${users}::jsonb)
    ), inserted_profiles as (
      insert into roster.profiles select * from jsonb_populate_recordset(null::roster.profiles, ${profiles}::jsonb)
    ), inserted_identities as (
      insert into roster.identities select * from jsonb_populate_recordset(null::roster.identities, ${identities}::jsonb)
    ), inserted_credentials as (
      insert into roster.password_credentials
      select * from jsonb_populate_recordset(null::roster.password_credentials, ${credentials}::jsonb)
    )
    insert into roster.profile_sources select * from jsonb_populate_recordset(null::roster.profile_sources, ${sources}::jsonb)`
}

function json(rows: readonly object[]): string {
  return JSON.stringify(rows)
}
