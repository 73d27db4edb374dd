import { beforeAll, beforeEach, expect, test } from 'vitest'
import { removeEndedSessions } from '../src/domain/remove-ended-sessions.ts'
import { boot, type Harness } from './harness.ts'
import { aSession, refresh } from './session-client.ts'

let harness: Harness
let userId: string

beforeAll(async () => {
  harness = await boot()
})
beforeEach(async () => {
  await harness.reset()
  userId = (await harness.aUser({})).id
  await harness.app.database.prisma.session.deleteMany()
})

const remove = () =>
  removeEndedSessions({ db: harness.app.database.prisma, clock: harness.app.clock }, harness.app.authentication.sessionLifetime)
const kept = async () => {
  const { prisma } = harness.app.database
  return { sessions: await prisma.session.count(), tokens: await prisma.refreshToken.count() }
}
const aDay = { minutes: 24 * 60 }

test('sessions that were revoked go after a week, with their refresh tokens; those that stand stay with all of theirs', async () => {
  const ended = await aSession(harness, userId)
  const living = await aSession(harness, userId)
  await refresh(harness, living.refreshToken)
  await harness.run('mutation { signOut(input: { scope: LOCAL }) { errors { code } } }', { token: ended.accessToken })
  for (const _ of Array.from({ length: 6 })) harness.clock.advance(aDay)
  expect([await remove(), await kept()]).toEqual([0, { sessions: 2, tokens: 3 }])
  harness.clock.advance(aDay)

  expect([await remove(), await kept()]).toEqual([1, { sessions: 1, tokens: 2 }])
  expect((await refresh(harness, ended.refreshToken)).errors).toMatchObject([{ code: 'TOKEN_NOT_VALID' }])
})

test('sessions that were idle for too long go a week later', async () => {
  const { refreshToken } = await aSession(harness, userId)
  harness.clock.advance({ seconds: harness.app.authentication.sessionLifetime.idleSeconds + 1 })
  for (const _ of Array.from({ length: 6 })) harness.clock.advance(aDay)
  expect(await remove()).toBe(0)
  expect((await refresh(harness, refreshToken)).errors).toMatchObject([{ code: 'TOKEN_EXPIRED' }])
  harness.clock.advance(aDay)

  expect([await remove(), await kept()]).toEqual([1, { sessions: 0, tokens: 0 }])
})

test('as many as there are go at once, whatever the size of a batch', async () => {
  const now = harness.clock.now()
  const past = new Date(0)
  const row = { userId, createdAt: past, lastUsedAt: now, expiresAt: past, aal: 'aal1', amr: [] }
  const data = Array.from({ length: 2100 }, () => ({ ...row, id: crypto.randomUUID() }))
  await harness.app.database.prisma.session.createMany({ data })

  expect([await remove(), await kept()]).toEqual([2100, { sessions: 0, tokens: 0 }])
})
