import { afterAll, beforeAll, expect } from 'vitest'
import type { Database } from '../src/database/database.ts'
import { createUserReads } from '../src/database/reads/user-reads.ts'
import { createAdminTokenLookup } from '../src/domain/authenticate/admin-token-lookup.ts'
import { createSessionLookup } from '../src/domain/authenticate/session-lookup.ts'
import { openTestDatabase, postgresOnly } from './database.ts'

const nobody = '0190a5b2-0000-7000-8000-00000000ffff'
const clock = { now: () => new Date('2026-06-01T12:00:00Z') }
let database: Database

beforeAll(async () => {
  database = await openTestDatabase({ poolSize: 1 })
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
  profiles: ({ prisma, read }) => {
    const users = createUserReads(prisma, read)
    return () => users.findFirst({ where: { id: nobody }, select: { email: true, profile: { select: { name: true } } } })
  },
}

// PostgreSQL looks at the values of the first five executions.
postgresOnly.each(Object.entries(looksUp))('what requests look up by %s is planned once for each connection', async (table, prepare) => {
  const lookUp = prepare(database)
  for (let time = 0; time < 60; time++) await lookUp()
  const plans = await database.read<{ generic: string; custom: string }>(
    `select generic_plans as generic, custom_plans as custom from pg_prepared_statements where statement like $1`,
    [`%${table}%`],
  )
  expect(plans).toEqual([{ generic: expect.anything(), custom: '5' }])
  expect(Number(plans[0]?.generic)).toBeGreaterThan(20)
})
