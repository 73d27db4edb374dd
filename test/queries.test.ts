import { beforeAll, expect, test } from 'vitest'
import { seedUsers } from '../src/domain/seed.ts'
import { statements } from './database.ts'
import { boot, expectData } from './harness.ts'

const { app, run, adminToken, signIn, reset } = await boot()

const fields = `id email status profile { name sources { attribute identity { provider } } } identities { provider user { id } }
  sessions(first: 5) { nodes { id } totalCount }`

let admin: string
let user: string

beforeAll(async () => {
  await reset()
  await seedUsers(app.database.prisma, { count: 120, clock: app.clock })
  const people = await app.database.prisma.user.findMany({ where: { deletedAt: null, blockedAt: null }, select: { id: true } })
  for (const { id } of people) user = await signIn(id)
  admin = await adminToken('read:users', 'read:sessions')
  // The first use of a token in a minute is noted, beside the request.
  await run('{ serverInfo { version } }', { token: admin })
})

/** How many statements an answer takes, with the one that looks up what its token stands on. */
async function statementsOf(query: string, token: string): Promise<number> {
  await expectAnswer(query, token)
  statements.length = 0
  await expectAnswer(query, token)
  return statements.length
}

async function expectAnswer(query: string, token: string): Promise<void> {
  expectData(await run(query, { token }))
}

test('a user with all that belongs to it is read in few statements', async () => {
  expect(await statementsOf(`{ me { ${fields} } }`, user)).toBeLessThanOrEqual(6)
})

test('a page takes as many statements for a hundred users as for ten', async () => {
  const page = (size: number) => statementsOf(`{ users(first: ${size}) { nodes { ${fields} } } }`, admin)
  const ofTen = await page(10)

  expect(ofTen).toBeLessThanOrEqual(6)
  expect(await page(100)).toBe(ofTen)
})
