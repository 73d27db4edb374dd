import type { PrismaClient } from '../generated/prisma/client.ts'

/**
 * Does for the embedded database what autovacuum does for a server, by its thresholds (PostgreSQL 25.1.6): reclaims what is gone from
 * a table, and lets the planner know of what came in. Without it the files grow with each change, and a page of users costs a look at
 * every one of them. Table by table, so that whoever waits has a turn in between. Answers the tables that were due.
 */
export async function vacuum(db: PrismaClient, signal: AbortSignal): Promise<string[]> {
  const done: string[] = []
  for (const { table, isWorn } of await db.$queryRawUnsafe<{ table: string; isWorn: boolean }[]>(dueTables)) {
    if (signal.aborted) break
    await db.$executeRawUnsafe(`${isWorn ? 'vacuum (analyze)' : 'analyze'} ${table}`)
    done.push(table)
  }
  return done
}

const dueTables = `
  select "table", "isWorn" from (
    select
      format('%I.%I', schemaname, relname) as "table",
      n_dead_tup > 50 + 0.2 * known or n_ins_since_vacuum > 1000 + 0.2 * known as "isWorn",
      n_mod_since_analyze > 50 + 0.1 * known as "isChanged"
    from pg_stat_user_tables
    cross join lateral (select greatest(reltuples, 0) as known from pg_class where oid = relid) class
    where schemaname = 'roster'
  ) counted
  where "isWorn" or "isChanged"
  order by "table"`
