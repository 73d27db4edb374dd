import { beforeAll, expect, test } from 'vitest'
import { verifyPassword } from '../src/crypto/password-hash.ts'
import type { Database } from '../src/database/database.ts'
import { metadataProblems } from '../src/domain/metadata.ts'
import { foldText, normalizeEmail, normalizePhoneNumber, normalizeUsername } from '../src/domain/normalize.ts'
import { profileProblems } from '../src/domain/profile.ts'
import { seedUsers } from '../src/domain/seed.ts'
import { userStatus } from '../src/domain/user/user-status.ts'
import { emptyDatabase, testDatabase } from './database.ts'

const now = new Date('2026-06-01T12:00:00.000Z')
const clock = { now: () => now }
const include = {
  profile: true,
  profileSources: { orderBy: { attribute: 'asc' } },
  identities: { orderBy: { id: 'asc' } },
  passwordCredential: true,
} as const

let database: Database

beforeAll(async () => {
  database = await testDatabase()
  await emptyDatabase(database)
  await seedUsers(database.prisma, { count: 600, clock })
})

function seeded() {
  return database.prisma.user.findMany({ include, orderBy: { externalId: 'asc' } })
}

test('made-up people are as the rules want real ones', async () => {
  const users = await seeded()

  expect(users).toHaveLength(600)
  for (const user of users) {
    const { email, emailNormal, phoneNumber, username, usernameNormal, nameNormal, profile, identities } = user
    const { userId: _, updatedAt: __, ...attributes } = profile ?? { userId: '', updatedAt: now, name: null }
    expect(email === null ? null : normalizeEmail(email)).toEqual(email === null ? null : { email, normal: emailNormal })
    expect(username === null ? null : normalizeUsername(username)).toEqual(username === null ? null : { username, normal: usernameNormal })
    expect(phoneNumber === null ? null : normalizePhoneNumber(phoneNumber)).toBe(phoneNumber)
    expect(email ?? phoneNumber).not.toBeNull()
    expect(profileProblems(attributes as object, [])).toEqual([])
    expect(nameNormal).toBe(foldText(profile?.name ?? ''))
    expect([...metadataProblems(user.userMetadata, []), ...metadataProblems(user.appMetadata, [])]).toEqual([])
    expect(identities.length).toBeGreaterThan(0)
    expect(identities.length).toBeLessThan(4)
    expect(identities.some(({ provider, providerUserId }) => provider === 'password' && providerUserId === user.id)).toBe(
      user.passwordCredential !== null,
    )
    expect([user.createdAt, user.updatedAt, user.lastSignInAt ?? user.createdAt].every((time) => time <= now)).toBe(true)
  }
})

test('they are of every kind', async () => {
  const users = await seeded()

  expect(new Set(users.map((user) => userStatus(user, now)))).toEqual(new Set(['ACTIVE', 'INVITED', 'BLOCKED', 'DELETED']))
  expect(new Set(users.map(({ profile }) => profile?.locale)).size).toBeGreaterThan(8)
  expect(new Set(users.flatMap(({ identities }) => identities.map(({ provider }) => provider))).size).toBe(4)
  expect(new Set(users.flatMap(({ profileSources }) => profileSources.map(({ origin }) => origin)))).toEqual(new Set(['USER', 'IDENTITY']))
  for (const column of ['email', 'phoneNumber', 'username', 'lastSignInAt'] as const) {
    const without = users.filter((user) => user[column] === null).length
    expect(without, column).toBeGreaterThan(0)
    expect(without, column).toBeLessThan(600)
  }
})

test('nobody can sign in as one of them, nor get a message', async () => {
  const users = await seeded()
  const hashes = new Set(users.flatMap(({ passwordCredential }) => (passwordCredential ? [passwordCredential.hash] : [])))

  for (const hash of hashes) expect(await verifyPassword(hash, 'password')).toBe(false)
  for (const { email, phoneNumber } of users) {
    if (email !== null) expect(email).toMatch(/[@.]example(\.(com|org|net))?$/)
    if (phoneNumber !== null) expect(phoneNumber).toMatch(/^\+999/)
  }
})

test('seeding again adds others, tells how far it is, and leaves history alone', async () => {
  const progress: number[] = []

  await seedUsers(database.prisma, { count: 300, clock, onProgress: (done) => progress.push(done) })

  expect(progress.at(-1)).toBe(300)
  expect(progress).toEqual(progress.toSorted((one, other) => one - other))
  expect((await seeded()).map(({ externalId }) => externalId)).toEqual(
    Array.from({ length: 900 }, (_, index) => `demo-${String(index).padStart(9, '0')}`),
  )
  expect(await database.prisma.auditEvent.count()).toBe(0)
})

test('the same index is the same person in every database', async () => {
  const before = await seeded()
  await emptyDatabase(database)

  await seedUsers(database.prisma, { count: 50, startAt: 100, clock })

  expect(await seeded()).toEqual(before.slice(100, 150))
})

test('a user who was there before stands in nobody`s way', async () => {
  await emptyDatabase(database)
  await database.prisma.user.create({
    data: { id: '0190a5b2-0000-7000-0000-000000000001', externalId: 'demo-customer', profile: { create: {} } },
  })

  await seedUsers(database.prisma, { count: 3, clock })

  expect(await database.prisma.user.count()).toBe(4)
})
