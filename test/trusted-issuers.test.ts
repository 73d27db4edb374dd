import { exportSPKI, SignJWT } from 'jose'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { expired, notUnderstood, refusal, settings } from './callers.ts'
import { base64url, forge } from './forge.ts'
import { anIssuerKey, startIssuer } from './trusted-issuer.ts'

const issuer = await startIssuer()
const { acme, origin, clock, answer, publishes, key, otherKey, goodPayload, aToken, callersOf } = issuer
const seconds = clock.now().getTime() / 1000

beforeEach(issuer.reset)
afterAll(issuer.close)

describe('a token of a trusted issuer', () => {
  test.each(['RS256', 'PS256', 'ES256', 'EdDSA'])('signed with %s is verified by the published key', async (alg) => {
    const signer = await anIssuerKey(alg, 'signer')
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
