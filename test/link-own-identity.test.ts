import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import type { Answer, Person } from './harness.ts'
import { startIdTokenProvider } from './id-token-provider.ts'
import { codesOf, historyOf } from './session-client.ts'

const { harness, provider, aConnection, reset } = await startIdTokenProvider()
let person: Person

beforeEach(async () => {
  await reset()
  await aConnection()
  person = await harness.aUser({ email: 'jane@example.com', emailVerified: true, password: 'a long passphrase' })
})
afterAll(() => provider.close())

const db = () => harness.app.database.prisma
const identitiesOf = (userId: string) => db().identity.findMany({ where: { userId, provider: { not: 'password' } } })
const link = (input: Record<string, unknown>, token: string | null = person.token): Promise<Answer> =>
  harness.run(
    'mutation($input: LinkIdentityInput!) { linkIdentity(input: $input) { user { id email version } identity { id provider providerUserId email } errors { code path } } }',
    { token, variables: { input: { provider: 'acme', ...input } } },
  )
const codes = async (input: Record<string, unknown>, token?: string | null) => codesOf(await link(input, token), 'linkIdentity')
const claims = { email: 'other@example.com', email_verified: true, name: 'Jane Smith' }

test('the user links an account that the provider vouches for, within five minutes of signing in', async () => {
  const { data } = await link({ idToken: await provider.idToken({ claims }) })

  expect(data?.['linkIdentity']).toMatchObject({
    user: { id: person.id, email: 'jane@example.com', version: 2 },
    identity: { provider: 'acme', providerUserId: '1', email: 'other@example.com' },
    errors: [],
  })
  expect((await historyOf(harness, person.id))[0]).toBe('identity.linked')
  expect(await db().auditEvent.findFirst({ where: { type: 'identity.linked' } })).toMatchObject({ connection: 'acme', actorId: person.id })
  expect(await identitiesOf(person.id)).toMatchObject([{ lastSignInAt: null, emailVerified: true }])
  expect(await db().profile.findUnique({ where: { userId: person.id } })).toMatchObject({ name: 'Jane Smith' })
  expect(await db().profileSource.findMany()).toMatchObject([{ attribute: 'name', origin: 'IDENTITY' }])
  const signedIn = await harness.run(
    'mutation($token: String!) { signInWithIdToken(input: { connection: "acme", idToken: $token }) { user { id } errors { code } } }',
    { variables: { token: await provider.idToken() } },
  )
  expect(signedIn.data).toEqual({ signInWithIdToken: { user: { id: person.id }, errors: [] } })
})

test('later the user proves himself first', async () => {
  harness.clock.advance({ minutes: 6 })
  const idToken = await provider.idToken()

  expect(await codes({ idToken })).toEqual(['REAUTHENTICATION_REQUIRED'])
  expect(await codes({ idToken, currentPassword: 'wrong' })).toEqual(['REAUTHENTICATION_REQUIRED'])
  expect(await identitiesOf(person.id)).toEqual([])
  expect(await codes({ idToken, currentPassword: 'a long passphrase' })).toEqual([])
  expect(await identitiesOf(person.id)).toHaveLength(1)
})

describe('an ID token', () => {
  test('is good for one link, and for no sign-in afterwards', async () => {
    const idToken = await provider.idToken()
    expect(await codes({ idToken })).toEqual([])
    const other = await harness.aUser({})

    expect(await codes({ idToken }, other.token)).toEqual(['TOKEN_NOT_VALID'])
    const { data } = await harness.run(
      'mutation($token: String!) { signInWithIdToken(input: { connection: "acme", idToken: $token }) { errors { code } } }',
      { variables: { token: idToken } },
    )
    expect(data).toEqual({ signInWithIdToken: { errors: [{ code: 'TOKEN_NOT_VALID' }] } })
  })

  test('needs its nonce (C7.80), and the right audience and issuer (C7.82)', async () => {
    const idToken = await provider.idToken({ claims: { nonce: 'a' } })

    expect(await codes({ idToken })).toEqual(['TOKEN_NOT_VALID'])
    expect(await codes({ idToken, idTokenNonce: 'b' })).toEqual(['TOKEN_NOT_VALID'])
    expect(await codes({ idToken, idTokenNonce: 'a' })).toEqual([])
    expect(await codes({ idToken: await provider.idToken({ claims: { aud: 'other' } }) })).toEqual(['TOKEN_NOT_VALID'])
    expect(await codes({ idToken: await provider.idToken({ claims: { iss: 'https://evil.example' } }) })).toEqual(['TOKEN_NOT_VALID'])
  })
})

describe('a user whose address nobody has verified', () => {
  const unverified = () => harness.aUser({ email: 'victim@example.com', password: 'a long passphrase' })

  test('links no account of another address: it would stay when the owner of the address comes', async () => {
    const hijacker = await unverified()

    for (const said of [{}, claims, { email: 'victim@example.com', email_verified: false }, { email: 'victim@example.com' }])
      expect(await codes({ idToken: await provider.idToken({ claims: said }) }, hijacker.token)).toEqual(['EMAIL_NOT_VERIFIED'])
    expect(await identitiesOf(hijacker.id)).toEqual([])
  })

  test('verifies it by an account that has it', async () => {
    const owner = await unverified()
    const idToken = await provider.idToken({ claims: { email: 'Victim@example.com', email_verified: true } })

    expect(await codes({ idToken }, owner.token)).toEqual([])
    expect(await db().user.findUnique({ where: { id: owner.id } })).toMatchObject({ emailVerified: true })
    expect(await codes({ idToken: await provider.idToken({ claims: { sub: '2' } }) }, owner.token)).toEqual([])
  })
})

test('the account of another user stays his', async () => {
  const other = await harness.aUser({})
  expect(await codes({ idToken: await provider.idToken() }, other.token)).toEqual([])

  expect(await codes({ idToken: await provider.idToken() })).toEqual(['IDENTITY_TAKEN'])
  expect(await identitiesOf(other.id)).toHaveLength(1)
})

test('of an own account nothing changes but what the provider says anew', async () => {
  await link({ idToken: await provider.idToken({ claims }) })
  await link({ idToken: await provider.idToken({ claims: { ...claims, email: 'third@example.com' } }) })

  expect(await identitiesOf(person.id)).toMatchObject([{ email: 'third@example.com' }])
})

test('nobody links anything to somebody else, or on his own word', async () => {
  const other = await harness.aUser({})
  const idToken = await provider.idToken()

  expect(await codes({ userId: other.id, idToken })).toEqual(['FORBIDDEN'])
  expect(await codes({ idToken }, null)).toEqual(['UNAUTHENTICATED'])
  expect(await codes({ providerUserId: '1' })).toEqual(['FORBIDDEN'])
  for (const word of [{ email: 'a@example.com' }, { emailVerified: true }, { claims: {} }])
    expect(await codes({ idToken, ...word })).toEqual(['FORBIDDEN'])
  expect(await codes({})).toEqual(['INVALID_INPUT'])
  expect(await db().identity.count({ where: { provider: { not: 'password' } } })).toBe(0)
})

test('an administrator links anybody’s account by an ID token, and says which user', async () => {
  const token = await harness.adminToken('update:users', 'read:users')
  const idToken = await provider.idToken()

  expect(await codes({ idToken }, token)).toEqual(['BAD_USER_INPUT'])
  expect(await codes({ userId: person.id, idToken, providerUserId: '1' }, token)).toEqual(['INVALID_INPUT'])
  expect(await codes({ userId: person.id, idToken }, token)).toEqual([])
  expect(await identitiesOf(person.id)).toHaveLength(1)
})

test('a connection that is disabled links nobody, and one that lets nobody sign up links who is here', async () => {
  await db().connection.updateMany({ data: { enabled: false } })
  expect(await codes({ idToken: await provider.idToken() })).toEqual(['CONNECTION_NOT_FOUND'])

  await db().connection.updateMany({ data: { enabled: true, allowSignUp: false } })
  expect(await codes({ idToken: await provider.idToken() })).toEqual([])
})
