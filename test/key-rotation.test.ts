import { beforeEach, expect, test } from 'vitest'
import { maxUserTokenSeconds } from '../src/crypto/access-token.ts'
import type { Database } from '../src/database/database.ts'
import { revokeAdminToken } from '../src/domain/admin-token.ts'
import { system } from '../src/domain/principal.ts'
import { dropSigningKey } from '../src/domain/signing-key/drop-signing-key.ts'
import { listSigningKeys } from '../src/domain/signing-key/list-signing-keys.ts'
import { maintainSigningKeys, publishedBeforeUseMs, rotateSigningKeys } from '../src/domain/signing-key/rotate-signing-keys.ts'
import { loadSigningKeys } from '../src/domain/signing-key.ts'
import type { PrismaClient } from '../src/generated/prisma/client.ts'
import { jwksResponse } from '../src/http/jwks.ts'
import { type Callers, callersOn, movableClock, notUnderstood, refusal, secrets } from './callers.ts'
import { emptyDatabase, openTestDatabase, postgresOnly, testDatabase } from './database.ts'

const database = await testDatabase()
const db = database.prisma
const day = 86_400
const leadSeconds = publishedBeforeUseMs / 1000
let callers: Callers
let clock: ReturnType<typeof movableClock>
const scope = () => ({ db, clock, secrets })
const maintain = (signingKeyDays = 90) => maintainSigningKeys(scope(), { signingKeyDays })
const states = async () => (await listSigningKeys(scope())).map(({ state }) => state)
const published = () => JSON.parse(jwksResponse(callers.signingKeys).body).keys.map(({ kid }: { kid: string }) => kid)
const signsWith = async () => (await callers.signingKeys.current(clock.now())).id

beforeEach(async () => {
  await emptyDatabase(database)
  clock = movableClock()
  callers = await callersOn(database, [], clock)
})

/** Rotates, and lets the new key begin to sign. Answers the old one. */
async function rotated(): Promise<string> {
  const old = await signsWith()
  await rotateSigningKeys(scope())
  await callers.signingKeys.refresh()
  clock.advance(leadSeconds)
  return old
}

test('C4.53: a new key is published for longer than JWKS may be kept before it signs; the old one goes on verifying', async () => {
  const old = await signsWith()
  const { accessToken } = await callers.signIn(await callers.aUser())
  const { key } = await rotateSigningKeys(scope())
  await callers.signingKeys.refresh()
  const maxAge = Number(/max-age=(\d+)/.exec(jwksResponse(callers.signingKeys).headers['cache-control'] ?? '')?.[1])

  expect(published()).toEqual([key.id, old])
  clock.advance(2 * maxAge)
  expect(await signsWith()).toBe(old)
  clock.advance(leadSeconds - 2 * maxAge - 1)
  expect(await signsWith()).toBe(old)
  clock.advance(1)
  expect(await signsWith()).toBe(key.id)
  expect(published()).toEqual([key.id, old])
  clock.advance(-leadSeconds)
  expect(await refusal(callers.authenticator, accessToken)).toBe('accepted')
})

test('while there is a next key, no other is made', async () => {
  const first = await rotateSigningKeys(scope())
  const second = await rotateSigningKeys(scope())

  expect([first.isNew, second.isNew]).toEqual([true, false])
  expect(second.key.id).toBe(first.key.id)
  expect(await states()).toEqual(['next', 'current'])
})

test('C4.53: the old key leaves JWKS and the table when no token of a user that it signed can stand any more, and not before', async () => {
  const old = await rotated()

  clock.advance(maxUserTokenSeconds)
  await maintain()
  await callers.signingKeys.refresh()
  expect(published()).toContain(old)
  clock.advance(121)
  expect(await maintain()).toEqual({ made: 0, deleted: 1 })
  await callers.signingKeys.refresh()
  expect(published()).toEqual([await signsWith()])
  expect(await states()).toEqual(['current'])
})

test('an admin token keeps the key that signed it until it expires', async () => {
  const { token } = await callers.anAdminToken(['read:users'], 30 * day)
  await rotated()

  clock.advance(30 * day - leadSeconds - 1)
  expect(await maintain()).toEqual({ made: 0, deleted: 0 })
  await callers.signingKeys.refresh()
  expect(await refusal(callers.authenticator, token)).toBe('accepted')
  clock.advance(121)
  expect(await maintain()).toEqual({ made: 0, deleted: 1 })
})

test('an admin token that is revoked, or signed by a later key, keeps no old key', async () => {
  const { adminToken } = await callers.anAdminToken(['read:users'], 300 * day)
  await rotated()
  await revokeAdminToken(callers.scopeOf(system), adminToken.id)
  clock.advance(leadSeconds)
  await callers.anAdminToken(['read:users'], 300 * day)

  clock.advance(121)
  expect(await maintain()).toEqual({ made: 0, deleted: 1 })
})

test('the list says until when each key signs and verifies', async () => {
  const { adminToken } = await callers.anAdminToken(['read:users'], 30 * day)
  const old = await rotated()
  const [current, previous] = await listSigningKeys(scope())

  expect(current).toMatchObject({ state: 'current', signsFrom: clock.now(), signsUntil: null, verifiesUntil: null })
  expect(previous).toMatchObject({ id: old, state: 'previous', signsUntil: clock.now() })
  expect(previous?.verifiesUntil?.getTime()).toBe((adminToken.expiresAt?.getTime() ?? 0) + 60_000)
  expect(JSON.stringify([current, previous])).not.toContain('v1.')
})

test('SIGNING_KEY_DAYS makes the next key so that it begins to sign on the day, and once', async () => {
  clock.advance(90 * day - leadSeconds - 1)
  expect(await maintain()).toEqual({ made: 0, deleted: 0 })
  clock.advance(1)
  expect(await maintain()).toEqual({ made: 1, deleted: 0 })
  expect(await maintain()).toEqual({ made: 0, deleted: 0 })
  const [next] = await listSigningKeys(scope())
  expect(next?.signsFrom).toEqual(new Date(Date.parse('2026-11-20T12:00:00Z') + 90 * day * 1000))
})

test('SIGNING_KEY_DAYS=0 makes none, and still deletes what has ended', async () => {
  clock.advance(4000 * day)
  expect(await maintain(0)).toEqual({ made: 0, deleted: 0 })
  await rotated()
  clock.advance(day)
  expect(await maintain(0)).toEqual({ made: 0, deleted: 1 })
})

postgresOnly('of three processes that find a rotation due at once, one makes the key, in each of twenty rounds', async () => {
  const others = await Promise.all([openTestDatabase(), openTestDatabase()])
  const clients: PrismaClient[] = [db, ...others.map(({ prisma }) => prisma)]
  clock.advance(90 * day)
  for (let round = 0; round < 20; round++) {
    const results = await Promise.all(clients.map((client) => maintainSigningKeys({ ...scope(), db: client }, { signingKeyDays: 90 })))
    expect(results.reduce((sum, { made }) => sum + made, 0)).toBe(1)
    expect(await states()).toEqual(['next', 'current'])
    await db.signingKey.deleteMany({ where: { activatesAt: { gt: clock.now() } } })
  }
  await Promise.all(others.map(({ close }) => close()))
})

test('C4.53: a dropped current key is refused as soon as the table was read, and a new one signs at once', async () => {
  const old = await signsWith()
  const userId = await callers.aUser()
  const { accessToken } = await callers.signIn(userId)
  const { token } = await callers.anAdminToken(['read:users'])
  const dropped = await dropSigningKey(scope(), old)
  await callers.signingKeys.refresh()

  expect(dropped).toMatchObject({ state: 'current', successor: { id: await signsWith(), activatesAt: clock.now() } })
  expect(await refusal(callers.authenticator, accessToken)).toBe(notUnderstood)
  expect(await refusal(callers.authenticator, token)).toBe(notUnderstood)
  expect(await refusal(callers.authenticator, (await callers.signIn(userId)).accessToken)).toBe('accepted')
  expect(published()).toEqual([await signsWith()])
})

test('where a next key is published already, it takes over from the dropped one', async () => {
  const { key } = await rotateSigningKeys(scope())
  const dropped = await dropSigningKey(scope(), await signsWith())
  await callers.signingKeys.refresh()

  expect(dropped?.successor?.id).toBe(key.id)
  expect(await signsWith()).toBe(key.id)
  expect(await states()).toEqual(['current'])
})

test('dropping a key that does not sign changes nothing but that', async () => {
  const current = await signsWith()
  const { key } = await rotateSigningKeys(scope())

  expect(await dropSigningKey(scope(), key.id)).toEqual({ state: 'next', successor: null })
  expect(await dropSigningKey(scope(), key.id)).toBe(null)
  await callers.signingKeys.refresh()
  expect(published()).toEqual([current])
})

test('where the table cannot be read, no key is believed until it was', async () => {
  let isDown = false
  const lookUp: Database['lookUp'] = (text, values) => (isDown ? Promise.reject(new Error('down')) : database.lookUp(text, values))
  const keys = await loadSigningKeys({ ...scope(), database: { ...database, lookUp } })
  const { id } = await keys.current(clock.now())
  isDown = true
  await expect(keys.refresh()).rejects.toThrow('down')
  await expect(keys.find(id)).rejects.toThrow('down')
  isDown = false
  await dropSigningKey(scope(), id)

  expect(await keys.find(id)).toBe(null)
})
