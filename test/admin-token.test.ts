import { beforeEach, describe, expect, test } from 'vitest'
import { type CreateAdminTokenInput, createAdminToken, listAdminTokens, revokeAdminToken } from '../src/domain/admin-token.ts'
import { changesOf, type KeptChanges } from '../src/domain/difference.ts'
import { DomainErrors, type RequestError } from '../src/domain/errors.ts'
import { anonymous, type PermissionScope, permissionScopes, system } from '../src/domain/principal.ts'
import { callersOn, expired, movableClock, refusal, revoked } from './callers.ts'
import { emptyDatabase, statements, testDatabase } from './database.ts'

const database = await testDatabase()

beforeEach(() => emptyDatabase(database))

const days = 86_400

describe('creating', () => {
  test('answers a token that calls with its scopes and without a user', async () => {
    const { authenticate, anAdminToken } = await callersOn(database)
    const { token, adminToken } = await anAdminToken(['update:users', 'read:users'])

    expect(await authenticate(token)).toEqual({
      ...anonymous,
      kind: 'application',
      tokenId: adminToken.id,
      scopes: new Set(['read:users', 'update:users']),
    })
  })

  test('keeps no token, and audits who may what', async () => {
    const { db, anAdminToken } = await callersOn(database)
    const { token, adminToken } = await anAdminToken(['admin'])
    const [event] = await db.auditEvent.findMany()

    expect(event).toMatchObject({ type: 'adminToken.created', subjectId: adminToken.id, actorKind: 'SYSTEM' })
    expect(changesOf(event?.changes as KeptChanges)).toContainEqual({ path: '/scopes', before: null, after: ['admin'] })
    expect(JSON.stringify([event, await db.adminToken.findMany()])).not.toContain(token.split('.')[2])
  })

  test('without an end makes one of 90 days; no token lives for ever (C4 48)', async () => {
    const { clock, anAdminToken } = await callersOn(database)
    const { adminToken } = await anAdminToken(['read:users'])

    expect(adminToken.expiresAt).toEqual(new Date(clock.now().getTime() + 90 * days * 1000))
  })

  test('one with more scopes than its maker holds is FORBIDDEN, and names them', async () => {
    const { scopeOf, db } = await callersOn(database)
    const maker = scopeOf({ ...anonymous, kind: 'application', scopes: new Set<PermissionScope>(['update:admin_tokens', 'read:users']) })
    const create = (scopes: PermissionScope[]) => createAdminToken(maker, { name: 'ci', scopes })
    const refused = async (scopes: PermissionScope[]) => {
      const { code, extensions } = await create(scopes).then(
        () => ({ code: 'none', extensions: {} }),
        (error: RequestError) => error,
      )
      return { code, ...extensions }
    }

    expect(await refused(['read:users', 'read:logs'])).toEqual({ code: 'FORBIDDEN', requiredScopes: ['read:logs'], field: 'input.scopes' })
    expect(await refused(['admin'])).toEqual({ code: 'FORBIDDEN', requiredScopes: ['admin'], field: 'input.scopes' })
    expect(await db.adminToken.count()).toBe(0)
    await expect(create(['read:users'])).resolves.toBeDefined()
  })

  test('everything that is wrong comes back together, with its path', async () => {
    const { scopeOf } = await callersOn(database)
    const paths = async (input: Partial<CreateAdminTokenInput>) => {
      const error = await createAdminToken(scopeOf(system), { name: 'ci', scopes: ['admin'], ...input }).catch((error: unknown) => error)
      return error instanceof DomainErrors ? error.errors.map(({ code, path }) => `${code} ${path.join('.')}`) : error
    }

    expect(await paths({ name: ' ', scopes: ['admin', 'root', ''], expiresInSeconds: 0 })).toEqual([
      'INVALID_INPUT input.name',
      'INVALID_INPUT input.scopes.1',
      'INVALID_INPUT input.scopes.2',
      'INVALID_INPUT input.expiresIn',
    ])
    for (const scopes of [[], Array.from({ length: 100 }, () => 'admin')])
      expect(await paths({ scopes })).toEqual(['INVALID_INPUT input.scopes'])
    for (const name of ['', 'x'.repeat(101), 'a\0b', 'a\ud800']) expect(await paths({ name })).toEqual(['INVALID_INPUT input.name'])
    for (const expiresInSeconds of [-1, 59, 400 * days + 1, Number.NaN, Number.POSITIVE_INFINITY, 90.5])
      expect(await paths({ expiresInSeconds })).toEqual(['INVALID_INPUT input.expiresIn'])
  })

  test('a token may live for 400 days', async () => {
    const callers = await callersOn(database)
    const { token } = await callers.anAdminToken([...permissionScopes], 400 * days)
    expect(await refusal(callers, token)).toBe('accepted')

    callers.clock.advance(400 * days)

    expect(await refusal(callers, token)).toBe(expired)
  })
})

describe('revoking', () => {
  test('refuses the token at its next request, and is audited', async () => {
    const callers = await callersOn(database)
    const { token, adminToken } = await callers.anAdminToken(['read:users'])
    expect(await refusal(callers, token)).toBe('accepted')

    await revokeAdminToken(callers.scopeOf(system), adminToken.id)

    expect(await refusal(callers, token)).toBe(revoked)
    const event = await callers.db.auditEvent.findFirst({ where: { type: 'adminToken.revoked' } })
    expect(event).toMatchObject({ subjectId: adminToken.id, changes: [{ path: '/revokedAt', before: null }] })
  })

  test('twice is the same as once', async () => {
    const { scopeOf, anAdminToken, clock, db } = await callersOn(database)
    const { adminToken } = await anAdminToken(['read:users'])
    const first = await revokeAdminToken(scopeOf(system), adminToken.id)
    clock.advance(60)

    expect(await revokeAdminToken(scopeOf(system), adminToken.id)).toEqual(first)
    expect(await db.auditEvent.count({ where: { type: 'adminToken.revoked' } })).toBe(1)
  })

  test.each(['01a1fb18-1025-7486-946d-e7a214674391', '', 'x', "' or true; --", '\0'])('%j is not found', async (id) => {
    const { scopeOf } = await callersOn(database)

    await expect(revokeAdminToken(scopeOf(system), id)).rejects.toMatchObject({ code: 'ADMIN_TOKEN_NOT_FOUND', path: ['input', 'id'] })
  })
})

test('a token may do what the database says of it, not what it says itself (C5 65)', async () => {
  const { authenticate, anAdminToken, db } = await callersOn(database)
  const { token, adminToken } = await anAdminToken(['admin'])

  await db.adminToken.update({ where: { id: adminToken.id }, data: { scopes: ['read:users', 'a scope of the past'] } })

  expect((await authenticate(token)).scopes).toEqual(new Set(['read:users']))
})

test('an end that was brought forward in the database holds', async () => {
  const callers = await callersOn(database)
  const { token, adminToken } = await callers.anAdminToken(['read:users'])

  await callers.db.adminToken.update({ where: { id: adminToken.id }, data: { expiresAt: callers.clock.now() } })

  expect(await refusal(callers, token)).toBe(expired)
})

test('its last use is noted, at most once a minute', async () => {
  const { authenticate, authenticator, anAdminToken, db, clock } = await callersOn(database)
  const { token, adminToken } = await anAdminToken(['read:users'])
  const lastUsedAt = async () => {
    await authenticator.settled()
    return (await db.adminToken.findUniqueOrThrow({ where: { id: adminToken.id } })).lastUsedAt
  }
  expect(await lastUsedAt()).toBeNull()

  const first = clock.now()
  await authenticate(token)
  expect(await lastUsedAt()).toEqual(first)

  clock.advance(59)
  await authenticate(token)
  expect(await lastUsedAt()).toEqual(first)

  clock.advance(1)
  await authenticate(token)
  expect(await lastUsedAt()).toEqual(clock.now())
})

test('a hundred requests at once write its last use once on each of two processes', async () => {
  const [here, there] = [await callersOn(database), await callersOn(database)]
  const { token, adminToken } = await here.anAdminToken(['read:users'])

  statements.length = 0
  await Promise.all(Array.from({ length: 50 }, () => Promise.all([here.authenticate(token), there.authenticate(token)])))
  await Promise.all([here.authenticator.settled(), there.authenticator.settled()])

  expect(statements.filter((sql) => sql.startsWith('UPDATE'))).toHaveLength(2)
  expect((await here.db.adminToken.findUniqueOrThrow({ where: { id: adminToken.id } })).lastUsedAt).toEqual(here.clock.now())
})

test('a use on one process within a minute of another one changes nothing', async () => {
  const clock = movableClock()
  const [here, there] = [await callersOn(database, [], clock), await callersOn(database, [], clock)]
  const { token, adminToken } = await here.anAdminToken(['read:users'])
  const first = clock.now()
  await here.authenticate(token)
  await here.authenticator.settled()

  clock.advance(30)
  await there.authenticate(token)
  await there.authenticator.settled()

  expect((await here.db.adminToken.findUniqueOrThrow({ where: { id: adminToken.id } })).lastUsedAt).toEqual(first)
})

test('the list has those that have ended too, newest first', async () => {
  const { anAdminToken, scopeOf } = await callersOn(database)
  const [first, second] = [await anAdminToken(['read:users']), await anAdminToken(['admin'])]
  await revokeAdminToken(scopeOf(system), first.adminToken.id)

  expect((await listAdminTokens(scopeOf(system))).map(({ id }) => id)).toEqual([second.adminToken.id, first.adminToken.id])
})
