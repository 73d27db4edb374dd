import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type CryptoKey, exportJWK, exportSPKI, generateKeyPair, type JWK, SignJWT } from 'jose'
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createIssuerUser } from '../src/domain/authenticate/issuer-user.ts'
import { newId } from '../src/domain/id.ts'
import type { TrustedIssuer } from '../src/trusted-issuers.ts'
import { blocked, callersOn, expired, movableClock, notUnderstood, refusal, revoked, settings } from './callers.ts'
import { emptyDatabase, testDatabase } from './database.ts'
import { base64url, forge } from './forge.ts'

const unavailable = 'SERVICE_UNAVAILABLE The service is not available now. Try again later.'
const clock = movableClock()
const seconds = clock.now().getTime() / 1000
const database = await testDatabase()

/** Another party's key set on loopback, which answers as a test wants it to. */
type Answer = { listener: RequestListener; requests: string[] }
const answer: Answer = { listener: (_request, response) => response.end(), requests: [] }
const server = createServer((request, response) => {
  answer.requests.push(request.url ?? '')
  answer.listener(request, response)
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

function publishes(...keys: readonly JWK[]): void {
  answer.listener = (_request, response) => response.end(JSON.stringify({ keys }))
}

const acme: TrustedIssuer = {
  issuer: 'https://acme.example/',
  audience: 'roster',
  jwksUrl: `${origin}/jwks.json`,
  secret: null,
  provider: 'acme',
  scopeClaim: 'scope',
  scopes: ['read:users', 'update:users'],
  createUsers: false,
}

type Key = Readonly<{ alg: string; kid: string; privateKey: CryptoKey; publicKey: CryptoKey; jwk: JWK }>

async function aKey(alg: string, kid: string): Promise<Key> {
  const pair = await generateKeyPair(alg, { extractable: true })
  return { ...pair, alg, kid, jwk: { ...(await exportJWK(pair.publicKey)), kid, alg, use: 'sig' } }
}

const key = await aKey('ES256', 'key-1')
const otherKey = await aKey('ES256', 'key-2')
const goodPayload = { iss: acme.issuer, aud: acme.audience, sub: 'acme|1', iat: seconds, exp: seconds + 3600, scope: 'openid read:users' }

/** A token of the issuer; `undefined` in the payload or header leaves out what a good one has. */
function aToken(payload: object = {}, header: object = {}, { alg, kid, privateKey }: Key = key): Promise<string> {
  return new SignJWT({ ...goodPayload, ...payload }).setProtectedHeader({ alg, kid, ...header }).sign(privateKey)
}

function callersOf(...issuers: readonly Partial<TrustedIssuer>[]) {
  const trusted = issuers.map((issuer) => ({ ...acme, ...issuer }))
  return callersOn(database, trusted, clock)
}

beforeEach(async () => {
  await emptyDatabase(database)
  publishes(key.jwk)
  answer.requests.length = 0
})
afterEach(() => void vi.useRealTimers())
afterAll(() => void server.close())

describe('a token of a trusted issuer', () => {
  test.each(['RS256', 'PS256', 'ES256', 'EdDSA'])('signed with %s is verified by the published key', async (alg) => {
    const signer = await aKey(alg, 'signer')
    publishes(key.jwk, signer.jwk)

    expect(await refusal(await callersOf({}), await aToken({}, {}, signer))).toBe('accepted')
  })

  test('is accepted with the types that issuers give access tokens, and refused with others (C4 46)', async () => {
    const callers = await callersOf({})

    for (const typ of ['JWT', 'jwt', 'at+jwt', 'application/at+jwt', undefined])
      expect(await refusal(callers, await aToken({}, { typ }))).toBe('accepted')
    for (const typ of ['id+jwt', 'logout+jwt', 'secevent+jwt', 'dpop+jwt', 'refresh+jwt', '', 'JOSE'])
      expect(await refusal(callers, await aToken({}, { typ }))).toBe(notUnderstood)
    for (const typ of ['ID', 'Refresh', 'Offline', 'Logout', 'DPoP', 1])
      expect(await refusal(callers, await aToken({ typ }))).toBe(notUnderstood)
    expect(await refusal(callers, await aToken({ typ: 'Bearer' }))).toBe('accepted')
  })

  test('that is bound to a key or certificate is no bearer token', async () => {
    expect(await refusal(await callersOf({}), await aToken({ cnf: { jkt: 'x' } }))).toBe(notUnderstood)
  })

  test('for another audience is refused; ours may stand among several (C4 44)', async () => {
    const callers = await callersOf({})

    for (const aud of ['other', '', [], ['other'], undefined]) expect(await refusal(callers, await aToken({ aud }))).toBe(notUnderstood)
    expect(await refusal(callers, await aToken({ aud: ['other', 'roster'] }))).toBe('accepted')
  })

  test('of any other issuer is refused, and nobody is asked for keys (C4 43)', async () => {
    const callers = await callersOf({})

    for (const iss of ['https://acme.example', 'https://evil.example/', '', '__proto__', undefined, null, 1, [acme.issuer]])
      expect(await refusal(callers, await aToken({ iss }))).toBe(notUnderstood)
    expect(answer.requests).toEqual([])
  })

  test('in the name of Roster itself is refused', async () => {
    const callers = await callersOf({})

    expect(await refusal(callers, await aToken({ iss: settings.issuer, aud: settings.audience }))).toBe(notUnderstood)
    await expect(callersOf({ issuer: settings.issuer })).rejects.toThrow(`TRUSTED_ISSUERS: ${settings.issuer} is Roster itself`)
  })

  test('signed with the key of another trusted issuer is refused', async () => {
    const callers = await callersOf({}, { issuer: 'https://other.example/', provider: 'other', jwksUrl: `${origin}/other.json` })
    answer.listener = (request, response) =>
      response.end(JSON.stringify({ keys: [request.url === '/other.json' ? otherKey.jwk : key.jwk] }))

    expect(await refusal(callers, await aToken({ iss: 'https://other.example/' }, {}, otherKey))).toBe('accepted')
    expect(await refusal(callers, await aToken({}, {}, otherKey))).toBe(notUnderstood)
    expect(await refusal(callers, await aToken({}, { kid: key.kid }, otherKey))).toBe(notUnderstood)
    expect(await refusal(callers, await aToken({ iss: 'https://other.example/' }))).toBe(notUnderstood)
  })

  test('out of its time is refused (C4 48, 50)', async () => {
    const callers = await callersOf({})
    const outOfTime = [
      { exp: undefined },
      { iat: undefined },
      { iat: seconds + 31 },
      { nbf: seconds + 31 },
      { exp: seconds + 30 * 86_400 + 1 },
      { exp: 253_402_300_799 },
      { exp: '9999999999' },
    ]

    for (const payload of outOfTime) expect(await refusal(callers, await aToken(payload))).toBe(notUnderstood)
    expect(await refusal(callers, await aToken({ iat: seconds - 3600, exp: seconds - 31 }))).toBe(expired)
    expect(await refusal(callers, await aToken({ iat: seconds - 3600, exp: seconds - 29 }))).toBe('accepted')
  })

  test('with a claim twice is refused (L13)', async () => {
    const text = JSON.stringify(goodPayload).replace('{', '{"sub":"acme|2",')

    expect(await refusal(await callersOf({}), await forge(key.privateKey, { alg: key.alg, kid: key.kid }, text))).toBe(notUnderstood)
  })

  test('with a subject that cannot be one is refused, and is no error of the database (L22)', async () => {
    const callers = await callersOf({ createUsers: true })

    for (const sub of [undefined, null, '', 1, ['acme|1'], 'a\0b', 'a\ud800', 'é', 'x'.repeat(256), 'a\nb'])
      expect(await refusal(callers, await aToken({ sub }))).toBe(notUnderstood)
    expect(await callers.db.user.count()).toBe(0)
  })

  test('that names no key, or brings its own, is refused (C4 45)', async () => {
    const callers = await callersOf({})

    for (const header of [
      { kid: undefined },
      { kid: 'key-2', jwk: otherKey.jwk },
      { jwk: otherKey.jwk },
      { kid: 'key-2', jku: `${origin}/evil.json` },
    ])
      expect(await refusal(callers, await aToken({}, header, otherKey))).toBe(notUnderstood)
    expect(answer.requests).not.toContain('/evil.json')
  })

  test('with the public key as a shared secret, or no signature at all, is refused (C4 39)', async () => {
    const callers = await callersOf({})
    const secret = Buffer.from(await exportSPKI(key.publicKey))
    const hmac = await new SignJWT(goodPayload).setProtectedHeader({ alg: 'HS256', kid: key.kid }).sign(secret)

    expect(await refusal(callers, hmac)).toBe(notUnderstood)
    expect(await refusal(callers, `${base64url('{"alg":"none"}')}.${base64url(JSON.stringify(goodPayload))}.`)).toBe(notUnderstood)
  })
})

describe("an issuer's keys", () => {
  test('are read once, not at each request', async () => {
    const callers = await callersOf({})
    const token = await aToken()

    await Promise.all(Array.from({ length: 20 }, () => callers.authenticate(token)))

    expect(answer.requests).toEqual(['/jwks.json'])
  })

  test('may be rotated: the new one is found, the old one is refused once it is gone', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const callers = await callersOf({})
    const [old, fresh] = [await aToken(), await aToken({}, {}, otherKey)]
    expect(await refusal(callers, old)).toBe('accepted')

    publishes(otherKey.jwk)
    vi.setSystemTime(Date.now() + 31_000)

    expect(await refusal(callers, fresh)).toBe('accepted')
    expect(await refusal(callers, old)).toBe(notUnderstood)
  })

  test('are not asked for again by a flood of unknown kids', async () => {
    const callers = await callersOf({})

    for (let index = 0; index < 20; index++)
      expect(await refusal(callers, await aToken({}, { kid: `unknown-${index}` }))).toBe(notUnderstood)

    expect(answer.requests).toHaveLength(1)
  })

  test('that cannot be read are SERVICE_UNAVAILABLE at once for five seconds, and then are read', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const callers = await callersOf({})
    const token = await aToken()
    answer.listener = (_request, response) => response.destroy()
    for (let index = 0; index < 5; index++) expect(await refusal(callers, token)).toBe(unavailable)
    expect(answer.requests).toHaveLength(1)

    publishes(key.jwk)
    vi.setSystemTime(Date.now() + 5001)

    expect(await refusal(callers, token)).toBe('accepted')
  })

  test('nobody is refused for: an issuer that is down leaves other callers alone', async () => {
    const callers = await callersOf({ jwksUrl: 'http://127.0.0.1:1/jwks.json' })
    const { accessToken } = await callers.signIn(await callers.aUser())

    expect(await refusal(callers, await aToken())).toBe(unavailable)
    expect(await refusal(callers, accessToken)).toBe('accepted')
  })

  test('that come too slowly, or never, are given up after three seconds', async () => {
    answer.listener = (request, response) => {
      if (request.url === '/drip.json') response.write('{"keys":[')
    }
    const never = await callersOf({})
    const drip = await callersOf({ jwksUrl: `${origin}/drip.json` })
    const token = await aToken()
    const startedAt = performance.now()

    expect(await Promise.all([refusal(never, token), refusal(drip, token)])).toEqual([unavailable, unavailable])
    expect(performance.now() - startedAt).toBeLessThan(4500)
    server.closeAllConnections()
  })

  test('behind a redirect are not followed (C7 87)', async () => {
    for (const status of [301, 302, 303, 307, 308]) {
      answer.listener = (_request, response) => response.writeHead(status, { location: `${origin}/elsewhere.json` }).end()
      expect(await refusal(await callersOf({}), await aToken())).toBe(unavailable)
    }
    expect(answer.requests).not.toContain('/elsewhere.json')
  })

  test.each([
    ['an error', 500, '{"keys":[]}'],
    ['a page', 200, '<html></html>'],
    ['nothing', 200, ''],
    ['no key set', 200, '{}'],
    ['null', 200, 'null'],
    ['keys that are no list', 200, '{"keys":{"0":{}}}'],
    ['too much', 200, `{"keys":[],"x":"${'x'.repeat(300_000)}"}`],
  ])('that are %s are SERVICE_UNAVAILABLE', async (_what, status, body) => {
    answer.listener = (_request, response) => response.writeHead(status).end(body)

    expect(await refusal(await callersOf({}), await aToken())).toBe(unavailable)
  })

  test('that no token should be verified with are not used', async () => {
    const weak = { kty: 'RSA', n: 'AQAB'.repeat(32), e: 'AQAB', kid: key.kid, alg: 'RS256' }
    const secret = { kty: 'oct', k: base64url('a shared secret of 32 bytes or more'), kid: key.kid }
    const sets: JWK[][] = [
      [],
      [weak],
      [secret],
      [{ ...key.jwk, use: 'enc' }],
      [{ ...key.jwk, alg: 'RS256' }],
      [{ ...key.jwk, key_ops: ['encrypt'] }],
      [{ ...key.jwk, x: 'AAAA' }],
      [{ ...key.jwk, kid: 'another' }],
      [key.jwk, { ...otherKey.jwk, kid: key.kid }],
      [{ ...(await exportJWK(key.privateKey)), kid: key.kid }],
    ]
    for (const keys of sets) {
      publishes(...keys)
      expect(await refusal(await callersOf({}), await aToken())).toBe(notUnderstood)
    }
    publishes(weak)
    const header = base64url(JSON.stringify({ alg: 'RS256', kid: key.kid }))
    expect(await refusal(await callersOf({}), `${header}.${base64url(JSON.stringify(goodPayload))}.${'A'.repeat(128)}`)).toBe(notUnderstood)
  })
})

describe('a shared secret', () => {
  const secret = 'a shared secret of 32 bytes or more'
  const supabase = { jwksUrl: null, secret }
  const signed = (text: string, alg = 'HS256') => new SignJWT(goodPayload).setProtectedHeader({ alg, typ: 'JWT' }).sign(Buffer.from(text))

  test('verifies HS256 tokens', async () => {
    expect(await refusal(await callersOf(supabase), await signed(secret))).toBe('accepted')
  })

  test('refuses another secret, another algorithm, a key pair and no signature', async () => {
    const callers = await callersOf(supabase)
    const tokens = [
      await signed(`${secret}!`),
      await signed(secret.repeat(3), 'HS512'),
      await aToken(),
      `${base64url('{"alg":"none"}')}.${base64url(JSON.stringify(goodPayload))}.`,
    ]
    for (const token of tokens) expect(await refusal(callers, token)).toBe(notUnderstood)
  })
})

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
