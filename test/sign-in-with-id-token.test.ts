import { createHash } from 'node:crypto'
import { exportSPKI, importJWK, SignJWT } from 'jose'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { base64url } from './forge.ts'
import { startIdTokenProvider } from './id-token-provider.ts'
import { aKey } from './provider.ts'
import { historyOf, isTaken } from './session-client.ts'

const { harness, provider, aConnection, reset } = await startIdTokenProvider()

beforeEach(reset)
afterAll(() => provider.close())

type Payload = Readonly<{
  user: { id: string; email: string | null } | null
  tokens: { accessToken: string; refreshToken: string } | null
  errors: { code: string; path: string[]; message: string }[]
}>

const operation =
  'mutation($input: SignInWithIdTokenInput!) { signInWithIdToken(input: $input) { user { id email } tokens { accessToken refreshToken } errors { code path message } } }'

async function signIn(idToken: string, more: Record<string, unknown> = {}): Promise<Payload> {
  const { data, errors } = await harness.run(operation, { variables: { input: { connection: 'acme', idToken, ...more } } })
  if (errors !== undefined) throw new Error(JSON.stringify(errors))
  return data?.['signInWithIdToken'] as Payload
}
/** The code and path of what is wrong; '' of who was signed in. */
async function refusalOf(idToken: string, more: Record<string, unknown> = {}): Promise<string> {
  const { errors, tokens } = await signIn(idToken, more)
  expect(tokens === null).toBe(errors.length > 0)
  return errors.map(({ code, path }) => `${code} ${path.join('.')}`).join()
}
const db = () => harness.app.database.prisma
const notValid = 'TOKEN_NOT_VALID input.idToken'

test('somebody signs in with an ID token, and again with another', async () => {
  await aConnection()
  const claims = { email: 'jane@example.com', email_verified: true, name: 'Jane' }

  const first = await signIn(await provider.idToken({ claims }))
  expect(first).toMatchObject({ user: { email: 'jane@example.com' }, errors: [] })
  expect(await isTaken(harness, first.tokens?.accessToken ?? '')).toBe(true)
  const second = await signIn(await provider.idToken({ claims }))
  expect(second.user?.id).toBe(first.user?.id)
  expect(await historyOf(harness, first.user?.id ?? '')).toEqual(['user.signedIn', 'user.signedUp'])
  expect(provider.requests).toEqual(['/.well-known/openid-configuration', '/keys'])
})

describe('an ID token', () => {
  test.each([
    ['of another issuer (C7.81, C7.82)', { iss: 'https://evil.example' }],
    ['without an issuer', { iss: undefined }],
    ['for another audience (C7.82)', { aud: 'other' }],
    ['for no audience', { aud: [] }],
    ['for several audiences, asked for by nobody in particular', { aud: ['roster', 'other'] }],
    ['for several audiences, asked for by another one', { aud: ['roster', 'other'], azp: 'other' }],
    ['that another client asked for', { azp: 'other' }],
    ['without an end', { exp: undefined }],
    ['without a beginning', { iat: undefined }],
    ['of the future', { iat: 9_999_999_000, exp: 9_999_999_999 }],
    ['that holds only later', { nbf: 9_999_999_999 }],
    ['without a subject (C7.83)', { sub: undefined }],
    ['of an empty subject', { sub: '' }],
    ['of a subject that is too long', { sub: 'x'.repeat(256) }],
    ['that is a logout token', { events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }],
    ['that is an access token of Keycloak', { typ: 'Bearer' }],
  ])('%s is refused', async (_what, claims) => {
    await aConnection()

    expect(await refusalOf(await provider.idToken({ claims }))).toBe(notValid)
    expect([await db().user.count(), await db().session.count()]).toEqual([0, 0])
  })

  test('that lives for longer than a day is none', async () => {
    await aConnection()
    const iat = Math.floor(harness.clock.now().getTime() / 1000)

    expect(await refusalOf(await provider.idToken({ claims: { iat, exp: iat + 86_401 } }))).toBe(notValid)
    expect(await refusalOf(await provider.idToken({ claims: { iat, exp: iat + 86_400 } }))).toBe('')
  })

  test('of several audiences is taken if Roster asked for it', async () => {
    await aConnection()

    expect(await refusalOf(await provider.idToken({ claims: { aud: ['other', 'roster'], azp: 'roster' } }))).toBe('')
  })

  test.each(['at+jwt', 'logout+jwt', 'id_token', ''])('of the type %j is refused', async (typ) => {
    await aConnection()

    expect(await refusalOf(await provider.idToken({ header: { typ } }))).toBe(notValid)
  })

  test('that is too old is told so, and its user’s history shows it (C7.82)', async () => {
    await aConnection()
    const { user } = await signIn(await provider.idToken())
    const token = await provider.idToken()
    harness.clock.advance({ minutes: 61 })

    expect(await refusalOf(token)).toBe('TOKEN_EXPIRED input.idToken')
    expect(await historyOf(harness, user?.id ?? '')).toEqual(['user.signInFailed failed', 'user.signedUp'])
  })

  test('is good for one sign-in, whatever is done to the spelling of its signature', async () => {
    await aConnection()
    const token = await provider.idToken()
    const { user } = await signIn(token)

    expect(await refusalOf(token)).toBe(notValid)
    // The last of 342 characters holds four bits that say nothing.
    const last = token.at(-1) ?? ''
    const spellings = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'].filter((letter) => letter !== last)
    for (const letter of spellings) expect(await refusalOf(token.slice(0, -1) + letter)).toBe(notValid)
    expect(await db().session.count()).toBe(1)
    expect((await historyOf(harness, user?.id ?? ''))[0]).toBe('user.signInFailed failed')
  })

  test('of twenty at once signs in once', async () => {
    await aConnection()
    const token = await provider.idToken()

    const refusals = await Promise.all(Array.from({ length: 20 }, () => refusalOf(token)))

    expect(refusals.sort()).toEqual(['', ...Array(19).fill(notValid)])
    expect([await db().user.count(), await db().session.count()]).toEqual([1, 1])
  })

  test('without a signature, or with the public key as a shared secret, is refused (C4.39, C7.82)', async () => {
    await aConnection()
    const good = await provider.idToken()
    const [, payload = ''] = good.split('.')
    const key = await importJWK(provider.keys[0]?.jwk ?? {}, 'RS256', { extractable: true })
    const spki = Buffer.from(await exportSPKI(key as never))
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>
    const hmac = await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: 'key-1' }).sign(spki)

    for (const token of [`${base64url('{"alg":"none"}')}.${payload}.`, `${base64url('{"alg":"none","kid":"key-1"}')}.${payload}.`, hmac])
      expect(await refusalOf(token)).toBe(notValid)
    expect(await refusalOf(good)).toBe('')
  })

  test('signed with another key, or one that it brings along, is refused (C4.45)', async () => {
    await aConnection()
    const other = await aKey('key-1')

    for (const header of [{}, { jwk: other.jwk }, { jku: `${provider.issuer}/evil` }, { kid: 'key-2' }])
      expect(await refusalOf(await provider.idToken({ key: other, header }))).toBe(notValid)
    expect(provider.requests).not.toContain('/evil')
  })

  test('of a provider with one key need not name it', async () => {
    await aConnection()

    expect(await refusalOf(await provider.idToken({ header: { kid: undefined } }))).toBe('')
  })

  test.each(['', 'x', 'a.b.c', '..', `${base64url('{"alg":"RS256"}')}.e30.e30`, `${base64url('[]')}.e30.`])('%j is none', async (text) => {
    await aConnection()

    expect(await refusalOf(text)).toBe(notValid)
  })

  test('of Roster itself is none', async () => {
    await aConnection()
    const { tokens } = await signIn(await provider.idToken())

    expect(await refusalOf(tokens?.accessToken ?? '')).toBe(notValid)
  })
})

describe('a nonce (C7.80)', () => {
  const wrong = 'TOKEN_NOT_VALID input.nonce'
  const withNonce = (nonce: unknown) => provider.idToken({ claims: { nonce } })

  test('is taken as it is, or as the provider was sent it: hashed', async () => {
    await aConnection()

    expect(await refusalOf(await withNonce('n-0S6_WzA2Mj'), { nonce: 'n-0S6_WzA2Mj' })).toBe('')
    expect(await refusalOf(await withNonce(createHash('sha256').update('raw').digest('hex')), { nonce: 'raw' })).toBe('')
  })

  test('that is missing, swapped or sent in vain is refused, and leaves the token good', async () => {
    await aConnection()
    const { user } = await signIn(await provider.idToken())
    const token = await withNonce('a')

    for (const nonce of [undefined, null, 'b', '', 'A']) expect(await refusalOf(token, { nonce })).toBe(wrong)
    expect(await refusalOf(await provider.idToken(), { nonce: 'a' })).toBe(wrong)
    for (const nonce of [null, 1, ['a'], {}]) expect(await refusalOf(await withNonce(nonce), { nonce: 'a' })).toBe(wrong)
    expect(await refusalOf(token, { nonce: 'a' })).toBe('')
    expect((await historyOf(harness, user?.id ?? ''))[1]).toBe('user.signInFailed failed')
  })
})

describe('a connection', () => {
  test('that is not there, disabled, or has no ID tokens lets nobody in, and nobody is asked', async () => {
    await aConnection({ enabled: false }, 'off').catch(() => {})
    await aConnection({ strategy: 'GITHUB', issuer: null } as never, 'github')

    const token = await provider.idToken()
    expect(await refusalOf(token)).toBe('CONNECTION_NOT_FOUND input.connection')
    expect(await refusalOf(token, { connection: 'off' })).toBe('CONNECTION_NOT_FOUND input.connection')
    expect(await refusalOf(token, { connection: 'github' })).toBe('INVALID_INPUT input.idToken')
    for (const connection of ['password', 'email', '', '__proto__'])
      expect(await refusalOf(token, { connection })).toMatch(/^CONNECTION_NOT_FOUND/)
    expect(provider.requests).toEqual([])
  })

  test('that was disabled is disabled at once, and signs in again when it is enabled', async () => {
    const { id } = await aConnection()
    await signIn(await provider.idToken())
    const token = await provider.idToken()

    await db().connection.update({ where: { id }, data: { enabled: false } })
    expect(await refusalOf(token)).toBe('CONNECTION_NOT_FOUND input.connection')
    await db().connection.update({ where: { id }, data: { enabled: true } })
    expect(await refusalOf(token)).toBe('')
  })

  test('that lets nobody sign up refuses who is new, and the token stays good', async () => {
    const { id } = await aConnection({ allowSignUp: false })
    const token = await provider.idToken()

    expect(await refusalOf(token)).toBe('SIGN_UP_DISABLED ')
    expect([
      await db().user.count(),
      await db().identity.count(),
      await db().rateLimit.count({ where: { key: { startsWith: 'idToken' } } }),
    ]).toEqual([0, 0, 0])
    await db().connection.update({ where: { id }, data: { allowSignUp: true } })
    expect(await refusalOf(token)).toBe('')
  })

  test('of another client of the same provider does not take its tokens (C7.82)', async () => {
    await aConnection()
    await aConnection({ clientId: 'other' }, 'other')

    expect(await refusalOf(await provider.idToken(), { connection: 'other' })).toBe(notValid)
    expect(await refusalOf(await provider.idToken({ claims: { aud: 'other' } }))).toBe(notValid)
  })
})

test('a user who is blocked is refused like anybody who may not sign in, and history shows it', async () => {
  await aConnection()
  const { user } = await signIn(await provider.idToken())
  await harness.admin(`mutation { blockUser(input: { id: "${user?.id}" }) { errors { code } } }`)

  expect(await refusalOf(await provider.idToken())).toBe('INVALID_CREDENTIALS input')
  expect((await historyOf(harness, user?.id ?? ''))[0]).toBe('user.signInFailed failed')
})

test('tries are counted by network', async () => {
  await aConnection()
  const token = await provider.idToken({ claims: { aud: 'other' } })
  const codes = new Set<unknown>()
  for (let count = 0; count < 101; count++) {
    const { errors } = await harness.run(operation, { variables: { input: { connection: 'acme', idToken: token } } })
    codes.add(errors?.[0]?.extensions?.['code'])
  }

  expect([...codes]).toEqual([undefined, 'RATE_LIMITED'])
})

test('the whole graph and the logs hold nothing of an ID token', async () => {
  await aConnection()
  const token = await provider.idToken({ claims: { at_hash: 'canary-of-a-token', nonce: 'x' } })
  await signIn(token, { nonce: 'x' })

  const rows = JSON.stringify([await db().identity.findMany(), await db().auditEvent.findMany(), await db().rateLimit.findMany()])
  expect(rows).not.toContain('canary-of-a-token')
  expect(rows).not.toContain(token.split('.')[2])
})
