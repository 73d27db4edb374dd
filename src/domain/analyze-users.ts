import type { PrismaClient } from '../generated/prisma/client.ts'

/** Those of a list one after the other, and the lists beside each other: the first takes as long as all of the second. */
const tables = [['users'], ['profiles', 'profile_sources', 'identities', 'password_credentials', 'audit_events']]

/** Of fewer new users it does not matter how they are found. */
const leastUsers = 1000

/**
 * Lets the planner know of users who came in bulk, where they are a tenth or more of all: until it knows, a page of users costs a look at
 * every one of them. Autovacuum, or what does its work in the embedded database, gets to it within a minute or so; what fails is left to
 * that: a table that is analyzed already is skipped, and so is one that takes longer than a statement may.
 */
export async function analyzeUsers(db: PrismaClient, newUsers: number): Promise<void> {
  if (newUsers < leastUsers) return
  try {
    // -1 where nothing is known.
    const [known] = await db.$queryRaw<{ users: number }[]>`
      select reltuples::float8 as users from pg_class where oid = 'roster.users'::regclass`
    if (10 * newUsers < (known?.users ?? 0)) return
    await Promise.all(
      tables.map(async (list) => {
        for (const table of list) await db.$executeRawUnsafe(`analyze (skip_locked) roster.${table}`)
      }),
    )
  } catch {
    // The users are in, whatever is known of them.
  }
}
