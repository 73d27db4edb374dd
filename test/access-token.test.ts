import { createHmac } from 'node:crypto'
import { exportJWK, exportSPKI } from 'jose'
import { beforeEach, describe, expect, test } from 'vitest'
import { type AccessTokens, createAccessTokens } from '../src/crypto/access-token.ts'
import { generateSigningKey, importSigningKey, importVerificationKey, type SigningKeys } from '../src/crypto/signing-keys.ts'
import { endSessions } from '../src/domain/session.ts'
import { parseTrustedIssuers } from '../src/trusted-issuers.ts'
import { callersOn, refusal, revoked, settings } from './callers.ts'
import { emptyDatabase, testDatabase } from './database.ts'
import { base64url, forge, parts } from './forge.ts'

const now = new Date('2026-11-20T12:00:00Z')
const seconds = now.getTime() / 1000
const ids = {
  user: '01a1fb18-100b-72d7-bc27-839b8af20800',
  session: '01a1fb18-1021-771f-8369-429a87f0c60c',
  token: '01a1fb18-1025-7486-946d-e7a214674391',
}

async function keyRing(): Promise<SigningKeys> {
  const { id, publicJwk, privateJwk } = await generateSigningKey()
  const [current, key] = await Promise.all([importSigningKey(id, privateJwk), importVerificationKey(id, publicJwk)])
  return { current: async () => current, publicJwks: () => [publicJwk], find: async (kid) => (kid === id ? key : null) }
}

const database = await testDatabase()
const keys = await keyRing()
const tokens = createAccessTokens(settings, keys)
const { id: currentId, privateKey } = await keys.current(now)
const userClaims = {
  kind: 'user',
  id: ids.token,
  userId: ids.user,
  sessionId: ids.session,
  scopes: ['read:users'],
  aal: 'aal1',
  amr: ['pwd'],
} as const
const inSeconds = (offset: number) => new Date(now.getTime() + offset * 1000)
const good = parts(await tokens.sign(userClaims, now, inSeconds(900)))

/** Whether a token with these changes to a good one, signed with our own key, is refused. */
async function refused(header: object, payload: object, verifier: AccessTokens = tokens, at = now): Promise<string> {
  return reason(await forge(privateKey, { ...good.header, ...header }, { ...good.payload, ...payload }), verifier, at)
}

async function reason(token: string, verifier: AccessTokens = tokens, at = now): Promise<string> {
  try {
    await verifier.verify(token, at)
    return 'accepted'
  } catch (error) {
    const { name, reason } = error as { name: string; reason: string }
    return name === 'TokenError' ? reason : name
  }
}

describe('a good token', () => {
  test('says what it was signed with', async () => {
    const token = await tokens.sign(userClaims, now, inSeconds(900))

    expect(await tokens.verify(token, now)).toEqual(userClaims)
    expect(await refused({}, {})).toBe('accepted')
  })

  test('holds the claims of RFC 9068 and nothing personal (C4 47, 51)', () => {
    expect(good.header).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: currentId })
    expect(good.payload).toEqual({
      iss: settings.issuer,
      aud: settings.audience,
      sub: ids.user,
      client_id: 'roster',
      iat: seconds,
      exp: seconds + 900,
      jti: ids.token,
      sid: ids.session,
      scope: 'read:users',
      aal: 'aal1',
      amr: ['pwd'],
    })
  })

  test('of an administrator names itself in another namespace than users (C7 88)', async () => {
    const claims = { kind: 'admin', id: ids.token, scopes: ['read:users', 'read:logs'] } as const
    const token = await tokens.sign(claims, now, inSeconds(400 * 86_400))

    expect(await tokens.verify(token, now)).toEqual(claims)
    expect(parts(token).payload).toMatchObject({
      sub: `admin-token:${ids.token}`,
      client_id: `admin-token:${ids.token}`,
      scope: 'read:users read:logs',
    })
    expect(parts(token).payload).not.toHaveProperty('sid')
  })
})

describe('the signature (C4 39, 40, 45)', () => {
  test('a token without one, alg none, is refused', async () => {
    const payload = base64url(JSON.stringify(good.payload))
    for (const alg of ['none', 'None', 'nOnE', '']) {
      const header = base64url(JSON.stringify({ ...good.header, alg }))
      expect(await reason(`${header}.${payload}.`)).toBe('invalid')
      expect(await reason(`${header}.${payload}.AAAA`)).toBe('invalid')
    }
  })

  test('HS256 with the public key as its secret is refused', async () => {
    const publicKey = (await keys.find(currentId))?.publicKey as CryptoKey
    const secrets = [await exportSPKI(publicKey), JSON.stringify(await exportJWK(publicKey)), (await exportJWK(publicKey)).x ?? '']
    for (const alg of ['HS256', 'ES256']) {
      const input = `${base64url(JSON.stringify({ ...good.header, alg }))}.${base64url(JSON.stringify(good.payload))}`
      for (const secret of secrets)
        expect(await reason(`${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`)).toBe('invalid')
    }
  })

  test('another algorithm, or one that only looks like ours, is refused', async () => {
    for (const alg of ['ES384', 'ES512', 'RS256', 'PS256', 'EdDSA', 'ES256K', 'es256', 'HS512', null, 1, ['ES256']])
      expect(await refused({ alg }, {})).toBe('invalid')
  })

  test('a signature of other text is refused, whichever part was changed', async () => {
    const [header, payload, signature] = (await tokens.sign(userClaims, now, inSeconds(900))).split('.')
    const forged = base64url(JSON.stringify({ ...good.payload, scope: 'admin' }))

    expect(await reason(`${header}.${forged}.${signature}`)).toBe('invalid')
    expect(await reason(`${base64url(JSON.stringify({ ...good.header, x: 1 }))}.${payload}.${signature}`)).toBe('invalid')
    expect(await reason(`${header}.${payload}.${'A'.repeat(86)}`)).toBe('invalid')
  })

  test('a key that the token brings along is not used: jwk, jku, x5u, x5c', async () => {
    const attacker = await generateSigningKey()
    const key = (await importSigningKey(attacker.id, attacker.privateJwk)).privateKey
    const headers = [
      { jwk: attacker.publicJwk },
      { jwk: attacker.publicJwk, kid: undefined },
      { jku: 'https://evil.example/jwks.json', kid: attacker.id },
      { x5u: 'https://evil.example/cert.pem' },
      { x5c: ['MIIB'] },
    ]
    for (const header of headers) expect(await reason(await forge(key, { ...good.header, ...header }, good.payload))).toBe('invalid')
  })

  test('a kid that is none of ours finds nothing: paths, SQL, __proto__, none at all (L13)', async () => {
    for (const kid of ['../../dev/null', "' or '1'='1", '__proto__', 'constructor', '', 'x'.repeat(5000), null, 1, [currentId], undefined])
      expect(await refused({ kid }, {})).toBe('invalid')
  })

  test('a critical extension that we do not know is refused', async () => {
    for (const header of [{ crit: ['exp'] }, { crit: ['b64'], b64: false }, { crit: [] }, { crit: 'x' }])
      expect(await refused(header, {})).toBe('invalid')
  })
})

describe('the kind of token (C4 46)', () => {
  test.each([
    'JWT',
    'id+jwt',
    'logout+jwt',
    'reset+jwt',
    'invite+jwt',
    'hook+jwt',
    'secevent+jwt',
    'dpop+jwt',
    'jwt',
    'at',
    '',
    undefined,
    null,
  ])('one of type %j, signed with our own key, is no access token', async (typ) => {
    expect(await refused({ typ }, {})).toBe('invalid')
  })

  test('neither an admin token nor a user token passes for the other', async () => {
    const admin = `admin-token:${ids.token}`
    const payloads = [
      { sub: admin },
      { sub: admin, client_id: admin },
      { client_id: admin },
      { sid: undefined },
      { sub: ids.token, sid: undefined, client_id: ids.token },
      { sub: `admin-token:${ids.user}`, client_id: `admin-token:${ids.user}`, sid: undefined },
      { sub: admin, sid: undefined },
      { sub: 'admin-token:', client_id: 'admin-token:', jti: '', sid: undefined },
    ]
    for (const payload of payloads) expect(await refused({}, payload)).toBe('invalid')
  })

  test('a claim of the wrong type is refused, never read as something else', async () => {
    const payloads = [
      { sub: null },
      { sub: 1 },
      { sub: [ids.user] },
      { sub: { toString: ids.user } },
      { sub: '' },
      { sid: [ids.session] },
      { sid: `${ids.session}'; --` },
      { jti: 1 },
      { scope: ['admin'] },
      { scope: undefined },
      { aal: 2 },
      { amr: 'pwd' },
      { amr: [1] },
      { client_id: undefined },
      { jti: undefined },
    ]
    for (const payload of payloads) expect(await refused({}, payload)).toBe('invalid')
  })
})

describe('who it is from and for (C4 43, 44)', () => {
  test.each([
    `${settings.issuer}/`,
    settings.issuer.toUpperCase(),
    'http://users.example.com',
    'https://evil.example',
    '',
    null,
    [settings.issuer],
    undefined,
  ])('the issuer %j is not ours', async (iss) => {
    expect(await refused({}, { iss })).toBe('invalid')
  })

  test.each([
    `${settings.audience}/`,
    'https://other.example.com',
    '',
    null,
    [settings.audience],
    [settings.audience, 'https://other.example.com'],
    undefined,
  ])('the audience %j is not us', async (aud) => {
    expect(await refused({}, { aud })).toBe('invalid')
  })

  test('a token for one API is refused at another of the same issuer', async () => {
    const other = createAccessTokens({ ...settings, audience: 'https://other.example.com' }, keys)

    expect(await refused({}, {}, other)).toBe('invalid')
  })
})

describe('when it holds (C4 48, 50)', () => {
  test('it is accepted until 30 s after its end, and refused from then on', async () => {
    expect(await refused({}, {}, tokens, inSeconds(900 + 29))).toBe('accepted')
    expect(await refused({}, {}, tokens, inSeconds(900 + 31))).toBe('expired')
  })

  test('one issued more than 30 s in the future is refused (L13)', async () => {
    expect(await refused({}, { iat: seconds + 29, exp: seconds + 900 })).toBe('accepted')
    expect(await refused({}, { iat: seconds + 31, exp: seconds + 900 })).toBe('invalid')
    expect(await refused({}, { iat: seconds + 3600, exp: seconds + 3900 })).toBe('invalid')
  })

  test('one that is not to be used yet is refused', async () => {
    expect(await refused({}, { nbf: seconds + 31 })).toBe('invalid')
  })

  test("a user's that lives for more than an hour is refused, up to the year 9999 (L13)", async () => {
    expect(await refused({}, { exp: seconds + 3600 })).toBe('accepted')
    for (const exp of [seconds + 3601, 253_402_300_799, 1e308]) expect(await refused({}, { exp })).toBe('invalid')
  })

  test("an administrator's that lives for more than 400 days is refused", async () => {
    const claims = { kind: 'admin', id: ids.token, scopes: ['admin'] } as const

    expect(await reason(await tokens.sign(claims, now, inSeconds(400 * 86_400)))).toBe('accepted')
    expect(await reason(await tokens.sign(claims, now, inSeconds(400 * 86_400 + 1)))).toBe('invalid')
  })

  test.each(['exp', 'iat', 'nbf'])('an %s that is no number is refused', async (claim) => {
    for (const value of [String(seconds + 60), null, [seconds], {}, true]) expect(await refused({}, { [claim]: value })).toBe('invalid')
  })

  test('one without exp or iat is refused (L13)', async () => {
    expect(await refused({}, { exp: undefined })).toBe('invalid')
    expect(await refused({}, { iat: undefined })).toBe('invalid')
  })
})

describe('its text', () => {
  test('a claim that is there twice is refused, whichever reader would win (L13)', async () => {
    const payload = JSON.stringify(good.payload)
    const twice = [
      payload.replace('{', `{"sub":"${ids.token}",`),
      payload.replace('{', '{"s\\u0075b":"x",'),
      payload.replace(/}$/, ',"scope":"read:users"}'),
      payload.replace('{', '{"x":{"y":1,"y":2},'),
    ]
    for (const text of twice) expect(await reason(await forge(privateKey, good.header, text))).toBe('invalid')
    const header = JSON.stringify(good.header).replace('{', '{"alg":"none",')
    expect(await reason(await forge(privateKey, header, good.payload))).toBe('invalid')
  })

  test('what is no token at all is refused', async () => {
    const texts = ['', '.', '..', 'a.b', 'a.b.c', 'a.b.c.d', 'null', '{}', 'e30.e30.', 'x'.repeat(8000), 'a.'.repeat(4000), '💣.💣.💣']
    for (const text of texts) expect(await reason(text)).toBe('invalid')
  })

  test('a payload that is no object is refused', async () => {
    for (const text of ['null', '[]', '1', '"x"', '', '{', '\ufeff{}'])
      expect(await reason(await forge(privateKey, good.header, text))).toBe('invalid')
  })
})

describe('a malleable token (L12)', () => {
  beforeEach(() => emptyDatabase(database))

  /** The same token in other characters: each of them verifies, so that no list of strings could keep it out. */
  function variants(token: string): string[] {
    const [header, payload, signature = ''] = token.split('.')
    const bytes = Buffer.from(signature, 'base64url')
    const order = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551')
    const twin = (order - BigInt(`0x${bytes.subarray(32).toString('hex')}`)).toString(16).padStart(64, '0')
    const lastCharacter = { A: 'B', Q: 'R', g: 'h', w: 'x' }[signature.slice(-1)]
    return [
      `${header}.${payload}.${signature.slice(0, -1)}${lastCharacter}`,
      `${token}==`,
      `${token}\n`,
      `${header}.${payload}.${Buffer.concat([bytes.subarray(0, 32), Buffer.from(twin, 'hex')]).toString('base64url')}`,
    ]
  }

  test('is refused in all its forms once its session is revoked', async () => {
    const callers = await callersOn(database)
    const userId = await callers.aUser()
    const { accessToken } = await callers.signIn(userId)
    for (const variant of variants(accessToken)) expect(await refusal(callers, variant)).toBe('accepted')

    await endSessions({ db: callers.db, now: callers.clock.now() }, userId)

    for (const variant of [accessToken, ...variants(accessToken)]) expect(await refusal(callers, variant)).toBe(revoked)
  })

  test('of an administrator is refused in all its forms once it is revoked', async () => {
    const callers = await callersOn(database)
    const { token, adminToken } = await callers.anAdminToken(['read:users'])
    for (const variant of variants(token)) expect(await refusal(callers, variant)).toBe('accepted')

    await callers.db.adminToken.update({ where: { id: adminToken.id }, data: { revokedAt: callers.clock.now() } })

    for (const variant of [token, ...variants(token)]) expect(await refusal(callers, variant)).toBe(revoked)
  })
})

test('a shared secret of 8 bytes is refused at the start (L13, C4 41)', () => {
  const issuer = { issuer: 'https://issuer.example', audience: 'roster', provider: 'acme', secret: '12345678' }

  expect(() => parseTrustedIssuers(JSON.stringify([issuer]))).toThrow('secret must have at least 32 bytes')
})
