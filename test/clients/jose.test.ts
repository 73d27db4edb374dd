import { createRemoteJWKSet, decodeProtectedHeader, errors, type JWTVerifyOptions, jwtVerify } from 'jose'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { boot, type Harness, type Person } from '../harness.ts'

const issuer = 'https://users.example.com'
const audience = 'https://api.example.com'

/** What a service beside Roster checks: all it knows of Roster is its URL. */
const expectations: JWTVerifyOptions = { issuer, audience, typ: 'at+jwt', algorithms: ['ES256'] }

let harness: Harness
let ada: Person
let keys: ReturnType<typeof createRemoteJWKSet>

beforeAll(async () => {
  harness = await boot({ PUBLIC_URL: issuer, TOKEN_AUDIENCE: audience })
})
beforeEach(async () => {
  await harness.reset()
  ada = await harness.aUser({ email: 'ada@example.com', appMetadata: { plan: 'pro' } })
  keys = createRemoteJWKSet(new URL(`${harness.url}/.well-known/jwks.json`))
})

test("a user's token says who it is, and how long", async () => {
  const { payload, protectedHeader } = await jwtVerify(ada.token, keys, expectations)

  expect(payload).toMatchObject({ sub: ada.id, scope: '', client_id: 'roster', aal: 'aal1', amr: ['pwd'] })
  expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(900)
  expect(protectedHeader).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: expect.any(String) })
})

test('nothing personal is in it', async () => {
  const { payload } = await jwtVerify(ada.token, keys, expectations)

  expect(Object.keys(payload).sort()).toEqual(['aal', 'amr', 'aud', 'client_id', 'exp', 'iat', 'iss', 'jti', 'scope', 'sid', 'sub'])
})

test("an admin token says what it may do, and cannot be taken for a user's", async () => {
  const { payload } = await jwtVerify(await harness.adminToken('read:users', 'update:users'), keys, expectations)

  expect(payload['scope']).toBe('read:users update:users')
  expect(payload.sub).toBe(`admin-token:${payload.jti}`)
})

test.each([
  ['a claim', 1],
  ['the signature', 2],
])('a token of which %s was changed is refused', async (_what, part) => {
  const parts = ada.token.split('.')
  const bytes = Buffer.from(parts[part] ?? '', 'base64url')
  bytes[10] = (bytes[10] ?? 0) ^ 1
  parts[part] = bytes.toString('base64url')

  await expect(jwtVerify(parts.join('.'), keys, expectations)).rejects.toBeInstanceOf(errors.JWSSignatureVerificationFailed)
})

test.each([
  ['issuer', { issuer: 'https://elsewhere.example.com' }],
  ['audience', { audience: 'https://elsewhere.example.com' }],
  ['type', { typ: 'JWT' }],
])('a token is refused where another %s is expected', async (_what, expected) => {
  await expect(jwtVerify(ada.token, keys, { ...expectations, ...expected })).rejects.toBeInstanceOf(errors.JWTClaimValidationFailed)
})

test('a token is refused when it has run out', async () => {
  const currentDate = new Date(Date.now() + 901_000)

  await expect(jwtVerify(ada.token, keys, { ...expectations, currentDate })).rejects.toBeInstanceOf(errors.JWTExpired)
})

test('the published keys are public, may be kept for five minutes, and hold the one that signs', async () => {
  const response = await fetch(`${harness.url}/.well-known/jwks.json`)
  const { keys: published } = (await response.json()) as { keys: Record<string, unknown>[] }

  expect(response.headers.get('content-type')).toBe('application/jwk-set+json')
  expect(response.headers.get('cache-control')).toBe('public, max-age=300')
  expect(published.map(({ kid }) => kid)).toContain(decodeProtectedHeader(ada.token).kid)
  for (const key of published) expect(Object.keys(key).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
})
