import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Codes, codesOn } from './codes.ts'
import { expectData, type Harness, type Person } from './harness.ts'
import { type Peer, startPeer } from './oidc-peer.ts'
import { bootReachable, codeFor, connect, newPkce, setConnection, traces } from './provider-flow.ts'

const password = 'a long pass phrase'

let harness: Harness
let ada: Person
let codes: Codes

beforeAll(async () => {
  harness = await bootReachable({ RATE_LIMITS: 'verify.network=1000/60' })
})
beforeEach(async () => {
  await harness.reset()
  ada = await harness.aUser({ email: 'ada@example.com', emailVerified: true, password })
  codes = await codesOn(harness)
})

type Linked = Readonly<{ identity: { provider: string; providerUserId: string } | null; errors: { code: string; path: string[] }[] }>

async function link(input: Record<string, unknown>, token: string = ada.token): Promise<Linked> {
  const query =
    'mutation($input: LinkIdentityInput!) { linkIdentity(input: $input) { identity { provider providerUserId } errors { code path } } }'
  return expectData(await harness.run(query, { token, variables: { input } }))['linkIdentity'] as Linked
}

describe('with a code that came back from a provider', () => {
  let peer: Peer
  beforeAll(async () => {
    peer = await startPeer({ redirectUris: [`${harness.url}/auth/callback/peer`] })
  })
  afterAll(() => peer.stop())

  test('a user links the account there; before that nobody is found or made, and nobody signed in', async () => {
    await connect(harness, peer, 'peer', { allowSignUp: false })
    peer.people.set('ada-at-peer', { email: 'ada@other.example', email_verified: true, name: 'Ada Lovelace' })
    const before = await traces(harness)
    const pkce = newPkce()
    const code = await codeFor(harness, 'ada-at-peer', pkce, { connection: 'peer', intent: 'link' })
    expect(await traces(harness)).toEqual({ ...before, codes: 1 })

    expect(await link({ code, codeVerifier: pkce.verifier })).toEqual({
      identity: { provider: 'peer', providerUserId: 'ada-at-peer' },
      errors: [],
    })
    const { data } = await harness.run('{ me { email profile { name } identities { provider } } }', { token: ada.token })
    expect(data?.['me']).toEqual({
      email: 'ada@example.com',
      profile: { name: 'Ada Lovelace' },
      identities: expect.arrayContaining([{ provider: 'password' }, { provider: 'peer' }]),
    })
    expect(await traces(harness)).toMatchObject({ users: before['users'], codes: 0 })
  })
})

const notValid = [{ code: 'TOKEN_NOT_VALID', path: ['input', 'code'] }]

test('C3.25: a code links once', async () => {
  const { code, pkce, subject } = await codes.toLink()

  expect((await link({ code, codeVerifier: pkce.verifier })).identity).toEqual({ provider: 'acme', providerUserId: subject })
  expect((await link({ code, codeVerifier: pkce.verifier })).errors).toEqual(notValid)
})

test('C7.78: a code that another application, or an attacker’s browser, has come back with links nothing', async () => {
  const { code, pkce } = await codes.toLink()

  expect((await link({ code, codeVerifier: newPkce().verifier })).errors).toEqual(notValid)
  expect((await link({ code, codeVerifier: pkce.verifier })).errors).toEqual(notValid)
  expect((await link({ code: (await codes.toLink()).code })).errors).toEqual(notValid)
})

test('C3.30: a code that signs in links nothing', async () => {
  const { code, pkce } = await codes.toSignIn()

  expect((await link({ code, codeVerifier: pkce.verifier })).errors).toEqual(notValid)
})

test('an account that is another user’s stays there', async () => {
  const other = await codes.toSignIn()
  const { code, pkce } = await codes.toLink(other.subject)

  expect((await link({ code, codeVerifier: pkce.verifier })).errors).toMatchObject([{ code: 'IDENTITY_TAKEN' }])
})

test('C5.64: in a session that was not started a moment ago the user proves himself, and the code is still there', async () => {
  harness.clock.advance({ minutes: 6 })
  const { code, pkce } = await codes.toLink()
  const input = { code, codeVerifier: pkce.verifier }

  expect((await link(input)).errors).toMatchObject([{ code: 'REAUTHENTICATION_REQUIRED' }])
  expect((await link({ ...input, currentPassword: password })).errors).toEqual([])
})

test('a connection that was disabled meanwhile links nothing', async () => {
  const { code, pkce } = await codes.toLink()
  await setConnection(harness, codes.connectionId, { enabled: false })

  expect((await link({ code, codeVerifier: pkce.verifier })).errors).toEqual([{ code: 'CONNECTION_NOT_FOUND', path: ['input', 'code'] }])
})

test('who is not signed in links nothing', async () => {
  const { code, pkce } = await codes.toLink()
  const { errors } = await harness.run(
    `mutation { linkIdentity(input: { code: "${code}", codeVerifier: "${pkce.verifier}" }) { errors { code } } }`,
  )

  expect(errors?.[0]?.extensions?.['code']).toBe('UNAUTHENTICATED')
})

test('exactly one of code, ID token and an administrator’s word is sent', async () => {
  const { code, pkce } = await codes.toLink()
  const input = { code, codeVerifier: pkce.verifier }

  expect((await link({ ...input, provider: 'acme', idToken: 'x' })).errors).toEqual([{ code: 'INVALID_INPUT', path: ['input', 'code'] }])
  expect((await link({})).errors).toEqual([{ code: 'INVALID_INPUT', path: ['input', 'code'] }])
  expect((await link({ idToken: 'x' })).errors).toEqual([{ code: 'INVALID_INPUT', path: ['input', 'provider'] }])
  expect((await link(input)).errors).toEqual([])
})
