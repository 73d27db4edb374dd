import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { createIssuerUser } from '../src/domain/authenticate/issuer-user.ts'
import { newId } from '../src/domain/id.ts'
import type { TrustedIssuer } from '../src/trusted-issuers.ts'
import { blocked, refusal, revoked } from './callers.ts'
import { startIssuer } from './trusted-issuer.ts'

const issuer = await startIssuer()
const { acme, clock, aToken, callersOf } = issuer

beforeEach(issuer.reset)
afterAll(issuer.close)

describe('who calls', () => {
  test('is the user with the identity of that provider and sub', async () => {
    const { authenticate, aUser, db } = await callersOf({})
    const userId = await aUser()
    await db.identity.create({ data: { id: newId(), userId, provider: 'acme', providerUserId: 'acme|1' } })

    expect(await authenticate(await aToken())).toEqual({
      kind: 'user',
      userId,
      sessionId: null,
      tokenId: null,
      aal: null,
      scopes: new Set(['read:users']),
    })
  })

  test('is nobody’s user by e-mail address, id, or the same sub elsewhere (C4 49, C7 83)', async () => {
    const { authenticate, aUser, db } = await callersOf({})
    const userId = await aUser({ email: 'ann@example.com', emailNormal: 'ann@example.com', emailVerified: true, externalId: 'acme|1' })
    await db.identity.create({ data: { id: newId(), userId, provider: 'other', providerUserId: 'acme|1' } })

    const claims = { email: 'ann@example.com', email_verified: true }
    expect(await authenticate(await aToken(claims))).toMatchObject({ kind: 'application', userId: null, tokenId: null })
    expect(await authenticate(await aToken({ ...claims, sub: userId }))).toMatchObject({ kind: 'application', userId: null })
  })

  test('without a user holds the scopes that both the claim and the configuration name', async () => {
    const scopesOf = async (issuer: Partial<TrustedIssuer>, payload: object) => [
      ...(await (await callersOf(issuer)).authenticate(await aToken(payload))).scopes,
    ]

    expect(await scopesOf({}, { scope: 'read:users admin delete:users openid' })).toEqual(['read:users'])
    expect(await scopesOf({ scopeClaim: 'permissions' }, { permissions: ['update:users', 'admin', 1, null] })).toEqual(['update:users'])
    expect(await scopesOf({ scopeClaim: 'https://acme.example/roles' }, { 'https://acme.example/roles': 'update:users' })).toEqual([
      'update:users',
    ])
    for (const scope of [undefined, null, 1, {}, '', 'read:users,update:users', 'READ:USERS', { 'read:users': true }, [['read:users']]])
      expect(await scopesOf({}, { scope })).toEqual([])
    for (const scopeClaim of [null, '__proto__', 'constructor', 'permissions']) expect(await scopesOf({ scopeClaim }, {})).toEqual([])
    expect(await scopesOf({ scopes: [] }, { scope: 'read:users admin' })).toEqual([])
  })

  test('who is blocked or deleted is refused at the next request', async () => {
    const callers = await callersOf({ createUsers: true })
    const userId = await callers.aUser()
    await callers.db.identity.create({ data: { id: newId(), userId, provider: 'acme', providerUserId: 'acme|1' } })
    const token = await aToken()
    expect(await refusal(callers, token)).toBe('accepted')

    await callers.db.user.update({ where: { id: userId }, data: { blockedAt: clock.now() } })
    expect(await refusal(callers, token)).toBe(blocked)

    await callers.db.user.update({ where: { id: userId }, data: { deletedAt: clock.now() } })
    expect(await refusal(callers, token)).toBe(revoked)
    expect(await callers.db.user.count()).toBe(1)
  })
})

describe('an unknown subject of an issuer that creates users', () => {
  const creating = { createUsers: true }
  const ann = { email: 'Ann@Example.com', email_verified: true }

  test('becomes a user with an identity, once', async () => {
    const { authenticate, db } = await callersOf(creating)
    const first = await authenticate(await aToken(ann))
    const second = await authenticate(await aToken(ann))

    expect(second).toEqual(first)
    expect(first).toMatchObject({ kind: 'user', sessionId: null, scopes: new Set(['read:users']) })
    expect(await db.user.findMany({ include: { identities: true, profile: true } })).toMatchObject([
      {
        id: first.userId,
        email: 'Ann@Example.com',
        emailNormal: 'ann@example.com',
        emailVerified: true,
        profile: { userId: first.userId },
        identities: [{ provider: 'acme', providerUserId: 'acme|1', email: 'Ann@Example.com', emailVerified: true }],
      },
    ])
  })

  test('is audited as the work of Roster', async () => {
    const { authenticate, db } = await callersOf(creating)
    const { userId } = await authenticate(await aToken(ann))

    expect(await db.auditEvent.findMany()).toMatchObject([{ type: 'user.created', userId, actorKind: 'SYSTEM', actorId: null }])
  })

  test('writes no metadata, whatever the token claims', async () => {
    const { authenticate, db } = await callersOf(creating)
    const claims = {
      app_metadata: { role: 'admin' },
      appMetadata: { role: 'admin' },
      user_metadata: { a: 1 },
      roles: ['admin'],
      blocked: false,
    }
    await authenticate(await aToken({ ...ann, ...claims }))

    expect(await db.user.findMany()).toMatchObject([{ appMetadata: {}, userMetadata: {} }])
  })

  test.each([
    ['not verified', { email: 'ann@example.com' }],
    ['verified only as text', { email: 'ann@example.com', email_verified: 'true' }],
  ])('keeps an address that is %s on the identity only', async (_what, claims) => {
    const { authenticate, db } = await callersOf(creating)
    await authenticate(await aToken(claims))

    expect(await db.user.findMany({ include: { identities: true } })).toMatchObject([
      { email: null, emailNormal: null, emailVerified: false, identities: [{ email: 'ann@example.com', emailVerified: false }] },
    ])
  })

  test.each(['no address', 'a\0@example.com', `${'x'.repeat(300)}@example.com`, 1, { a: 1 }, ''])(
    'keeps no address of %j',
    async (email) => {
      const { authenticate, db } = await callersOf(creating)
      await authenticate(await aToken({ email, email_verified: true }))

      expect(await db.user.findMany({ include: { identities: true } })).toMatchObject([
        { email: null, identities: [{ email: null, emailVerified: false }] },
      ])
    },
  )

  test('does not take the address of somebody else, nor the account', async () => {
    const { authenticate, aUser, db } = await callersOf(creating)
    const taken = await aUser({ email: 'ann@example.com', emailNormal: 'ann@example.com', deletedAt: clock.now() })
    const { userId } = await authenticate(await aToken(ann))

    expect(userId).not.toBe(taken)
    expect(await db.user.findUnique({ where: { id: userId ?? '' } })).toMatchObject({ email: null, emailVerified: false })
    expect(await db.identity.findMany()).toMatchObject([{ userId, email: 'Ann@Example.com', emailVerified: true }])
  })

  test('becomes one user when it calls twenty times at once', async () => {
    const { authenticate, db } = await callersOf(creating)
    const token = await aToken(ann)
    const callers = await Promise.all(Array.from({ length: 20 }, () => authenticate(token)))

    expect(new Set(callers.map(({ userId }) => userId)).size).toBe(1)
    expect([await db.user.count(), await db.identity.count(), await db.auditEvent.count()]).toEqual([1, 1, 1])
  })

  test('is answered the user that another request has made in between', async () => {
    const { db } = await callersOf(creating)
    const caller = { issuer: acme, subject: 'acme|1', email: 'ann@example.com', emailVerified: true, scopes: [] }
    const users = await Promise.all(Array.from({ length: 10 }, () => createIssuerUser({ db, clock }, caller)))

    expect(new Set(users.map(({ userId }) => userId)).size).toBe(1)
    expect([await db.user.count(), await db.identity.count(), await db.auditEvent.count()]).toEqual([1, 1, 1])
  })

  test('becomes ten users when ten subjects with one address call at once, and one has the address', async () => {
    const { authenticate, db } = await callersOf(creating)
    const tokens = await Promise.all(Array.from({ length: 10 }, (_, index) => aToken({ ...ann, sub: `acme|${index}` })))
    const callers = await Promise.all(tokens.map(authenticate))

    expect(new Set(callers.map(({ userId }) => userId)).size).toBe(10)
    expect(await db.user.count({ where: { emailNormal: 'ann@example.com' } })).toBe(1)
  })

  test('is not let in when a trigger of the host refuses the user, and nothing is half-written', async () => {
    const callers = await callersOf(creating)
    await callers.db
      .$executeRaw`create function public.refuse_user() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$`
    await callers.db.$executeRaw`create trigger refuse_user after insert on roster.users for each row execute function public.refuse_user()`
    try {
      expect(await refusal(callers, await aToken(ann))).toBe('FORBIDDEN The user could not be created.')
      expect([await callers.db.user.count(), await callers.db.identity.count()]).toEqual([0, 0])
    } finally {
      await callers.db.$executeRaw`drop trigger refuse_user on roster.users`
      await callers.db.$executeRaw`drop function public.refuse_user()`
    }
  })
})
