import { decodeJwt, decodeProtectedHeader, exportPKCS8, generateKeyPair, jwtVerify } from 'jose'
import { authorizationCodeGrant, type Configuration } from 'openid-client'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { readGitHubClaims } from '../src/ports/github-claims.ts'
import { createLogger } from '../src/ports/logger.ts'
import { createProviders, type ProviderClient } from '../src/ports/providers.ts'
import { aKey, json, type Provider, startProvider } from './provider.ts'

const configurationOf = (client: Partial<ProviderClient>) =>
  createProviders(createLogger('silent')).configuration({ issuer: null, clientId: 'roster', clientSecret: null, ...client })

describe('a document of a provider that is far away', () => {
  afterEach(() => void vi.unstubAllGlobals())

  /** Answers whatever is asked for with this document, and keeps the URLs. */
  function answers(issuer: string, origin = new URL(issuer.replaceAll(/[{}]/g, '')).origin): string[] {
    const asked: string[] = []
    const endpoints = { authorization_endpoint: `${origin}/authorize`, token_endpoint: `${origin}/token`, jwks_uri: `${origin}/keys` }
    vi.stubGlobal('fetch', async (url: string) => {
      asked.push(url)
      return new Response(JSON.stringify({ issuer, ...endpoints }), { headers: { 'content-type': 'application/json' } })
    })
    return asked
  }
  const entra = 'https://login.microsoftonline.com'

  test('of Entra ID for several tenants has a template for an issuer', async () => {
    const asked = answers(`${entra}/{tenantid}/v2.0`)

    expect((await configurationOf({ issuer: `${entra}/common/v2.0` })).serverMetadata().issuer).toBe(`${entra}/{tenantid}/v2.0`)
    expect(asked).toEqual([`${entra}/common/v2.0/.well-known/openid-configuration`])
  })

  test.each([
    ['https://idp.example', 'https://evil.example'],
    ['https://idp.example', 'https://idp.example.evil.example'],
    ['https://idp.example/a', 'https://idp.example/b'],
    ['https://idp.example', 'http://idp.example'],
    ['https://tenant.b2clogin.com/policy/v2.0', 'https://evil.example/policy/v2.0'],
    [`${entra}/common/v2.0`, 'https://evil.example/{tenantid}/v2.0'],
  ])('of %s that says it is %s is not used (C7.81)', async (issuer, said) => {
    answers(said)

    await expect(configurationOf({ issuer })).rejects.toThrow('The provider cannot be used now.')
  })

  test('of a provider with TLS names no endpoint without, not even on this machine', async () => {
    answers('https://idp.example', 'http://127.0.0.1:1')

    await expect(configurationOf({ issuer: 'https://idp.example' })).rejects.toThrow('The provider cannot be used now.')
  })
})

describe('GitHub', () => {
  afterEach(() => void vi.unstubAllGlobals())

  /** https://docs.github.com/en/rest/users/emails#list-email-addresses-for-the-authenticated-user */
  const emails = [
    { email: 'old@example.com', primary: false, verified: true, visibility: null },
    { email: 'octocat@github.com', primary: true, verified: true, visibility: 'public' },
  ]

  async function claims(user: [number, unknown], addresses: [number, unknown]) {
    const asked: [string, string | null][] = []
    vi.stubGlobal('fetch', async (url: string, { headers }: RequestInit) => {
      asked.push([url, new Headers(headers).get('authorization')])
      const [status, body] = url.endsWith('/emails') ? addresses : user
      return new Response(JSON.stringify(body), { status })
    })
    const found = await readGitHubClaims(await configurationOf({}), 'gho_token')
    return { asked, found }
  }

  test('is asked for the user, and for the address, of which it says whether it is verified', async () => {
    const { asked, found } = await claims([200, { id: 1, login: 'octocat', email: 'public@example.com' }], [200, emails])

    expect(found).toEqual({ id: 1, login: 'octocat', email: 'octocat@github.com', email_verified: true })
    expect(asked).toEqual([
      ['https://api.github.com/user', 'Bearer gho_token'],
      ['https://api.github.com/user/emails', 'Bearer gho_token'],
    ])
  })

  test.each([
    ['the primary one is not verified', [200, emails.map((email) => ({ ...email, verified: false }))], 'octocat@github.com'],
    ['says so as text', [200, emails.map((email) => ({ ...email, verified: 'true' }))], 'octocat@github.com'],
    ['none is primary', [200, emails.map((email) => ({ ...email, primary: false }))], null],
    ['there is none', [200, []], null],
    ['nobody may read them', [403, { message: 'Resource not accessible' }], null],
    ['it is no list', [200, { email: 'a@example.com' }], null],
    ['it is a list of nothing', [200, [null, 1, 'x']], null],
  ] as const)('vouches for no address where %s', async (_what, addresses, email) => {
    const { found } = await claims([200, { id: 1, email: 'public@example.com' }], [...addresses] as [number, unknown])

    expect(found).toEqual({ id: 1, email, email_verified: false })
  })

  test.each([
    [401, { message: 'Bad credentials' }],
    [302, {}],
    [200, null],
    [200, []],
  ])('that answers %i %j has signed nobody in', async (status, user) => {
    await expect(claims([status, user], [200, emails])).rejects.toThrow()
  })
})

describe('a token request', () => {
  let provider: Provider
  let asked: { authorization: string | undefined; body: URLSearchParams }[]

  beforeEach(async () => {
    provider = await startProvider()
    asked = []
    return provider.close
  })

  /** Trades a code for what the token endpoint answers. */
  async function grant(configuration: Configuration, answer: () => Promise<Record<string, unknown>>) {
    provider.answers.set('/token', async (request, response) => {
      const chunks = await request.toArray()
      asked.push({ authorization: request.headers.authorization, body: new URLSearchParams(Buffer.concat(chunks).toString()) })
      json(response, { access_token: 'a', token_type: 'Bearer', ...(await answer()) })
    })
    return trade(configuration)
  }
  function trade(configuration: Configuration) {
    const callback = new URL('https://users.example.com/auth/callback/acme?code=c&state=s')
    return authorizationCodeGrant(configuration, callback, { pkceCodeVerifier: 'v'.repeat(43), expectedState: 's', expectedNonce: 'n' })
  }
  const good = async () => ({ id_token: await provider.idToken({ claims: { nonce: 'n' } }) })

  test('says who Roster is as every provider understands it', async () => {
    const configuration = await configurationOf({ issuer: provider.issuer, clientSecret: 'a secret' })
    const { claims } = await grant(configuration, good).then((tokens) => ({ claims: tokens.claims() }))

    expect(claims).toMatchObject({ sub: '1' })
    expect(asked).toMatchObject([{ authorization: `Basic ${Buffer.from('roster:a+secret').toString('base64')}` }])
    expect(asked[0]?.body.get('client_secret')).toBeNull()
  })

  test('has the secret in its body where the provider takes it there alone, and none where there is none', async () => {
    provider.metadata['token_endpoint_auth_methods_supported'] = ['client_secret_post']
    await grant(await configurationOf({ issuer: provider.issuer, clientSecret: 'secret' }), good)
    await grant(await configurationOf({ issuer: provider.issuer }), good)

    expect(asked.map(({ authorization }) => authorization)).toEqual([undefined, undefined])
    expect(asked.map(({ body }) => [body.get('client_id'), body.get('client_secret')])).toEqual([
      ['roster', 'secret'],
      ['roster', null],
    ])
  })

  test('to Apple is signed with the key that stands in place of a secret', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
    const clientSecret = JSON.stringify({ teamId: 'TEAM', keyId: 'KEY', privateKey: await exportPKCS8(privateKey) })
    await grant(await configurationOf({ issuer: provider.issuer, clientSecret }), good)

    const jwt = asked[0]?.body.get('client_secret') ?? ''
    expect(decodeProtectedHeader(jwt)).toEqual({ alg: 'ES256', kid: 'KEY' })
    const { iat = 0, exp = 0, ...claims } = decodeJwt(jwt)
    expect(claims).toEqual({ iss: 'TEAM', sub: 'roster', aud: 'https://appleid.apple.com' })
    expect(exp - iat).toBe(300)
    await expect(jwtVerify(jwt, publicKey)).resolves.toBeTruthy()
  })

  test.each([
    [
      'is signed with a key of nobody',
      async () => ({ id_token: await provider.idToken({ claims: { nonce: 'n' }, key: await aKey('key-1') }) }),
    ],
    ['has another nonce (C7.80)', async () => ({ id_token: await provider.idToken({ claims: { nonce: 'other' } }) })],
    ['has no nonce (C7.80)', async () => ({ id_token: await provider.idToken() })],
    ['is for another audience', async () => ({ id_token: await provider.idToken({ claims: { nonce: 'n', aud: 'other' } }) })],
    ['is of another issuer', async () => ({ id_token: await provider.idToken({ claims: { nonce: 'n', iss: 'https://evil.example' } }) })],
    ['has ended', async () => ({ id_token: await provider.idToken({ claims: { nonce: 'n', exp: 1 } }) })],
    ['is not there', async () => ({})],
  ])('whose ID token %s gets nothing (C7.82)', async (_what, answer) => {
    await expect(grant(await configurationOf({ issuer: provider.issuer }), answer)).rejects.toThrow()
  })

  test('that is redirected is not followed (C7.87)', async () => {
    provider.answers.set('/token', (_request, response) => response.writeHead(307, { location: `${provider.issuer}/elsewhere` }).end())

    await expect(trade(await configurationOf({ issuer: provider.issuer, clientSecret: 'secret' }))).rejects.toThrow()
    expect(provider.requests).toEqual(['/.well-known/openid-configuration', '/token'])
  })
})
