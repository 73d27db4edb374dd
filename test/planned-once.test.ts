import { afterAll, beforeAll, expect } from 'vitest'
import type { Database } from '../src/database/database.ts'
import { createUserReads } from '../src/database/reads/user-reads.ts'
import { createAdminTokenLookup } from '../src/domain/authenticate/admin-token-lookup.ts'
import { createSessionLookup } from '../src/domain/authenticate/session-lookup.ts'
import { seedUsers } from '../src/domain/seed.ts'
import { emptyDatabase, openTestDatabase, postgresOnly } from './database.ts'

const nobody = '0190a5b2-0000-7000-8000-00000000ffff'
const clock = { now: () => new Date('2026-06-01T12:00:00Z') }
let database: Database

beforeAll(async () => {
  database = await openTestDatabase({ poolSize: 1 })
  await emptyDatabase(database)
  await seedUsers(database.prisma, { count: 1000, clock })
  await database.prisma.$executeRaw`
    insert into roster.sessions (id, user_id, created_at, last_used_at, expires_at, aal) select id, id, now(), now(), now(), 'aal1' from roster.users`
  await database.prisma.$executeRaw`
    insert into roster.admin_tokens (id, name, created_at) select id, 'one of many', now() from roster.users`
})
afterAll(() => database.close())

const looksUp: Readonly<Record<string, (database: Database) => () => Promise<unknown>>> = {
  sessions: (database) => {
    const find = createSessionLookup({ ...database, clock })
    return () => find(nobody, nobody)
  },
  admin_tokens: (database) => {
    const find = createAdminTokenLookup({ ...database, clock })
    return () => find(nobody)
  },
  profiles: ({ prisma, lookUp }) => {
    const users = createUserReads(prisma, lookUp)
    return () => users.findFirst({ where: { id: nobody }, select: { email: true, profile: { select: { name: true } } } })
  },
}

// PostgreSQL looks at the values of the first five executions.
postgresOnly.each(Object.entries(looksUp))(
  'what requests look up by %s is planned once for each connection, by indexes',
  async (table, prepare) => {
    const lookUp = prepare(database)
    for (let time = 0; time < 60; time++) await lookUp()
    const plans = await database.read<{ name: string; generic: string; custom: string }>(
      `select name, generic_plans as generic, custom_plans as custom from pg_prepared_statements where statement like $1`,
      [`%${table}%`],
    )
    expect(plans).toEqual([{ name: expect.any(String), generic: expect.any(String), custom: '5' }])
    expect(Number(plans[0]?.generic)).toBeGreaterThan(20)
    const plan = await database.read<{ 'QUERY PLAN': string }>(`explain execute ${plans[0]?.name}('{${nobody}}')`, [])
    expect(plan.map((row) => row['QUERY PLAN']).join('\n')).not.toContain('Seq Scan')
  },
)
