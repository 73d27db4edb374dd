import { beforeAll, describe, expect, test } from 'vitest'
import type { Database } from '../src/database/database.ts'
import { createUserReads, type UserReads } from '../src/database/reads/user-reads.ts'
import { seedUsers } from '../src/domain/seed.ts'
import { Prisma } from '../src/generated/prisma/client.ts'
import { emptyDatabase, statements, testDatabase } from './database.ts'

const now = new Date('2026-06-01T12:00:00.123Z')
let database: Database
let users: UserReads
let people: { id: string; emailNormal: string | null }[]

beforeAll(async () => {
  database = await testDatabase()
  users = createUserReads(database.prisma, database.read)
  await emptyDatabase(database)
  await seedUsers(database.prisma, { count: 40, clock: { now: () => now } })
  people = await database.prisma.user.findMany({ select: { id: true, emailNormal: true }, orderBy: { id: 'asc' } })
  const [first] = people
  await database.prisma.user.update({
    where: { id: first?.id ?? '' },
    data: {
      blockedAt: now,
      lastSignInAt: new Date('0099-12-31T23:59:59.999Z'),
      userMetadata: { zürich: [1.5, null, { a: '\u{1F600}"\\' }] },
    },
  })
})

const all = <Names extends object>(names: Names) => Object.fromEntries(Object.keys(names).map((name) => [name, true]))
const scalars = all(Prisma.UserScalarFieldEnum)
const identity = all(Prisma.IdentityScalarFieldEnum)

const selections: Readonly<Record<string, Prisma.UserSelect>> = {
  'every column': scalars,
  'one column': { id: true },
  'the profile': { id: true, profile: { select: all(Prisma.ProfileScalarFieldEnum) } },
  'whether there is a password': { passwordCredential: { select: { userId: true } } },
  'identities in order': { email: true, identities: { select: identity, orderBy: { id: 'asc' } } },
  'the users of identities': {
    identities: { orderBy: { id: 'desc' }, select: { id: true, user: { select: { ...scalars, profile: { select: { name: true } } } } } },
  },
  'records beside records': {
    profile: { select: { name: true, user: { select: { createdAt: true, profile: { select: { locale: true, updatedAt: true } } } } } },
  },
  'lists of records beside it': {
    profile: {
      select: { user: { select: { profileSources: { select: all(Prisma.ProfileSourceScalarFieldEnum), orderBy: { attribute: 'asc' } } } } },
    },
  },
  'members that are not wanted': { id: true, email: false, username: undefined as never },
  'a page of a relation': { id: true, identities: { select: { id: true }, orderBy: { id: 'asc' }, take: 1 } },
  'a part of a relation': { id: true, identities: { select: { id: true }, where: { provider: 'google-oauth2' }, orderBy: { id: 'asc' } } },
  counts: { id: true, _count: { select: { identities: true } } },
}

describe('what is read of users is what Prisma answers', () => {
  test.each(Object.entries(selections))('%s', async (_, select) => {
    for (const { id, emailNormal } of people.slice(0, 5)) {
      for (const where of [{ id }, { id: id.toUpperCase() }, { AND: [{ emailNormal }, { deletedAt: null }] }, { id, version: 7 }])
        expect(await users.findFirst({ select, where })).toEqual(await database.prisma.user.findFirst({ select, where }))
    }
  })

  test('whom nobody knows is null', async () => {
    expect(await users.findFirst({ select: { id: true }, where: { id: '0190a5b2-0000-7000-0000-00000000ffff' } })).toBeNull()
  })

  test('what is no id is refused as Prisma refuses it', async () => {
    await expect(users.findFirst({ select: { id: true }, where: { id: 'nobody' } })).rejects.toThrow()
  })
})

test('those who ask for one user each in the same turn share a statement, and each is answered his own', async () => {
  const select = { id: true, profile: { select: { name: true } } }
  statements.length = 0
  const found = await Promise.all(people.map(({ id }) => users.findFirst({ select, where: { id } })))

  expect(statements).toHaveLength(1)
  expect(found.map((user) => user?.id)).toEqual(people.map(({ id }) => id))
})

test('a text that no database takes is refused to whoever asks for it, and to nobody else', async () => {
  const emailNormal = people.find((person) => person.emailNormal !== null)?.emailNormal ?? ''
  const select = { emailNormal: true }
  const [bad, good] = await Promise.allSettled(
    [`${emailNormal}\0`, emailNormal].map((key) => users.findFirst({ select, where: { emailNormal: key } })),
  )

  expect(bad?.status).toBe('rejected')
  expect(good).toEqual({ status: 'fulfilled', value: { emailNormal } })
})
