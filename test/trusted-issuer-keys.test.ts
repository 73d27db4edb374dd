import { exportJWK, type JWK } from 'jose'
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { notUnderstood, refusal } from './callers.ts'
import { base64url } from './forge.ts'
import { startIssuer } from './trusted-issuer.ts'

const unavailable = 'SERVICE_UNAVAILABLE The service is not available now. Try again later.'
const issuer = await startIssuer()
const { origin, answer, publishes, key, otherKey, goodPayload, aToken, callersOf, hangUp } = issuer

beforeEach(issuer.reset)
afterEach(() => void vi.useRealTimers())
afterAll(issuer.close)

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
    hangUp()
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
