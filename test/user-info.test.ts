import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { boot, type Harness, type Person } from './harness.ts'

const origin = 'https://app.example.com'

let harness: Harness
let ada: Person

beforeAll(async () => {
  harness = await boot({ CORS_ORIGINS: origin })
})
beforeEach(async () => {
  await harness.reset()
  ada = await harness.aUser({
    email: 'Ada@example.com',
    emailVerified: true,
    phoneNumber: '+33612345678',
    username: 'ada',
    profile: { name: 'Ada Lovelace', givenName: 'Ada', birthdate: '1815-12-10', address: { locality: 'London', country: 'GB' } },
    userMetadata: { theme: 'dark' },
    appMetadata: { plan: 'canary-of-app-metadata' },
  })
})

function ask(token: string | null, { url = harness.url, ...init }: RequestInit & { url?: string } = {}): Promise<Response> {
  const headers = { origin, ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...(init.headers as object) }
  return fetch(`${url}/userinfo`, { ...init, headers })
}

describe('GET /userinfo', () => {
  test('OIDC Core 5.1, 5.3: answers the user of an access token as standard claims, in seconds, and leaves out what is not set', async () => {
    const response = await ask(ada.token)

    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toMatch(/^application\/json/)
    const { updatedAt } = await harness.app.database.prisma.user.findUniqueOrThrow({ where: { id: ada.id } })
    expect(await response.json()).toEqual({
      sub: ada.id,
      name: 'Ada Lovelace',
      given_name: 'Ada',
      birthdate: '1815-12-10',
      address: { locality: 'London', country: 'GB' },
      preferred_username: 'ada',
      email: 'Ada@example.com',
      email_verified: true,
      phone_number: '+33612345678',
      phone_number_verified: false,
      updated_at: Math.floor(updatedAt.getTime() / 1000),
    })
  })

  test('answers nothing but the subject of a user who has nothing', async () => {
    const nobody = await harness.aUser({})

    expect(await (await ask(nobody.token)).json()).toEqual({ sub: nobody.id, updated_at: expect.any(Number) })
  })

  test('prefers the name that the user chose to be called by', async () => {
    await harness.run('mutation { updateUser(input: { profile: { preferredUsername: "countess" } }) { errors { code } } }', {
      token: ada.token,
    })

    expect(await (await ask(ada.token)).json()).toMatchObject({ preferred_username: 'countess' })
  })

  test('OIDC Core 5.3.1: is the same by POST', async () => {
    const response = await ask(ada.token, { method: 'POST', body: new URLSearchParams({ a: 'b' }) })

    expect([response.status, await response.json()]).toEqual([200, await (await ask(ada.token)).json()])
  })

  test('C6.70, C6.73: is read by the pages of the list of origins, and kept nowhere', async () => {
    const headers = (await ask(ada.token)).headers
    expect([headers.get('access-control-allow-origin'), headers.get('cache-control')]).toEqual([origin, 'no-store'])
    const other = await ask(ada.token, { headers: { origin: 'https://evil.example' } })
    expect(other.headers.get('access-control-allow-origin')).toBeNull()
    const preflight = await ask(null, { method: 'OPTIONS' })
    expect([preflight.status, preflight.headers.get('access-control-allow-methods')]).toEqual([204, 'GET, POST'])
  })
})

describe('RFC 6750 §3: /userinfo refuses', () => {
  test.each<[string, () => Promise<string | null> | string | null, number, string]>([
    ['who sends no token', () => null, 401, 'Bearer'],
    ['what is no token', () => 'x.y.z', 401, 'Bearer error="invalid_token"'],
    ['a token without a user', () => harness.adminToken('read:users'), 403, 'Bearer error="insufficient_scope"'],
  ])('%s', async (_name, tokenOf, status, challenge) => {
    const response = await ask(await tokenOf())

    expect([response.status, response.headers.get('www-authenticate')]).toEqual([status, challenge])
    expect(response.headers.get('access-control-allow-origin')).toBe(origin)
  })

  test('C4.52: a token in the query or the body', async () => {
    const response = await fetch(`${harness.url}/userinfo?access_token=${ada.token}`)
    const form = await ask(null, { method: 'POST', body: new URLSearchParams({ access_token: ada.token }) })

    expect([response.status, form.status]).toEqual([401, 401])
  })

  test('a user who was blocked a moment ago', async () => {
    await harness.admin(`mutation { blockUser(input: { id: "${ada.id}" }) { errors { code } } }`)

    expect((await ask(ada.token)).status).toBe(401)
  })
})

test('C9.104: /userinfo says `userMetadata` under the configured claim only, and `appMetadata` never', async () => {
  const without = await (await ask(ada.token)).json()
  const claim = 'https://example.com/user_metadata'
  const other = await boot({ USER_METADATA_CLAIM: claim })
  const { id, token } = await other.aUser({ userMetadata: { theme: 'dark' }, appMetadata: { plan: 'canary-of-app-metadata' } })
  const claims = await (await ask(token, { url: other.url })).json()

  expect(claims).toEqual({ sub: id, updated_at: expect.any(Number), [claim]: { theme: 'dark' } })
  expect(JSON.stringify([without, claims])).not.toMatch(/canary|dark.*dark/)
})
