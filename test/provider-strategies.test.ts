import { allowInsecureRequests, ClientSecretPost, Configuration, customFetch } from 'openid-client'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createLogger } from '../src/ports/logger.ts'
import { createProviders, type Providers } from '../src/ports/providers.ts'
import { boot, type Harness } from './harness.ts'
import { json, type Provider, startProvider } from './provider.ts'
import { answerOf, connect, newPkce, noTraces, sendOff, traces } from './provider-flow.ts'

const pkce = newPkce()

let provider: Provider
let harness: Harness

beforeAll(async () => {
  provider = await startProvider()
  harness = await boot({ PUBLIC_URL: 'https://users.example.com' }, { providers: onLoopback(createProviders(createLogger('silent'))) })
})
afterAll(() => provider.close())
beforeEach(async () => {
  await harness.reset()
  provider.reset()
})

/** The well-known providers, played by the one on loopback: nobody can configure that. */
function onLoopback(providers: Providers): Providers {
  return {
    ...providers,
    configuration: async ({ issuer, clientId, clientSecret }) => {
      if (issuer !== null) return providers.configuration({ issuer: provider.issuer, clientId, clientSecret })
      const endpoints = { authorization_endpoint: `${provider.issuer}/authorize`, token_endpoint: `${provider.issuer}/token` }
      const configuration = new Configuration(
        { issuer: 'https://github.com/login/oauth', ...endpoints },
        clientId,
        undefined,
        ClientSecretPost(clientSecret ?? ''),
      )
      allowInsecureRequests(configuration)
      configuration[customFetch] = (url, options) =>
        fetch(url.replace('https://api.github.com', provider.issuer), { ...options, redirect: 'manual' } as RequestInit)
      return configuration
    },
  }
}

async function aConnection(key: string, strategy: string): Promise<void> {
  const peer = { clientId: 'roster', clientSecret: 'a secret' } as Parameters<typeof connect>[1]
  await connect(harness, peer, key, { strategy, issuer: null })
}

const hasCode = { code: expect.stringMatching(/^[\w-]{43}$/) }
const person = () => harness.app.database.prisma.identity.findFirst({ include: { user: { include: { profile: true } } } })

describe('Apple', () => {
  beforeEach(() => aConnection('apple', 'APPLE'))

  /** The browser comes back with a form, from Apple's page. */
  async function comeBackWithForm(fields: Record<string, string>, cookie: string): Promise<Response> {
    return fetch(`${harness.url}/auth/callback/apple`, {
      method: 'POST',
      redirect: 'manual',
      headers: { origin: 'https://appleid.apple.com', cookie },
      body: new URLSearchParams(fields),
    })
  }

  test('C6.69: has the browser send a form, with the cookie that goes along with one, and says the name beside the token', async () => {
    const { url, state, nonce, agent } = await sendOff(harness.url, pkce, { connection: 'apple', state: 'of the app' })
    const asked = { response_mode: 'form_post', scope: 'openid name email', code_challenge_method: 'S256' }
    expect(answerOf(url.href)).toMatchObject({ ...asked, code_challenge: expect.stringMatching(/^[\w-]{43}$/) })
    const id_token = await provider.idToken({ claims: { nonce, email: 'ada@privaterelay.appleid.com', email_verified: 'true' } })
    provider.answers.set('/token', (_request, response) => json(response, { access_token: 'a', token_type: 'Bearer', id_token }))
    const [[name, value] = []] = agent.cookies(harness.url)

    const user = JSON.stringify({ name: { firstName: 'Ada', lastName: 'Lovelace' }, email: 'eve@example.com' })
    const response = await comeBackWithForm({ code: 'c', state, user }, `${name}=${value}`)
    expect(response.status).toBe(303)
    expect(answerOf(response.headers.get('location') ?? '')).toEqual({ ...hasCode, state: 'of the app' })
    expect(name).toBe('__Host-roster-browser-form')
    expect(await person()).toMatchObject({
      email: 'ada@privaterelay.appleid.com',
      emailVerified: true,
      user: { profile: { name: 'Ada Lovelace' } },
    })
  })

  test('C6.69: the cookie for a form has no restriction to this site, and all the others', async () => {
    const { headers } = await fetch(
      `${harness.url}/auth/authorize?${new URLSearchParams({ connection: 'apple', redirect_to: 'http://localhost/', code_challenge: pkce.challenge, code_challenge_method: 'S256' })}`,
      { redirect: 'manual' },
    )

    expect(headers.get('set-cookie')).toMatch(
      /^__Host-roster-browser-form=[\w-]{43}; Path=\/; Max-Age=600; HttpOnly; SameSite=None; Secure$/,
    )
  })

  test('C7.78: a form of a browser that did not begin signs in nobody', async () => {
    const { state } = await sendOff(harness.url, pkce, { connection: 'apple' })

    for (const cookie of ['', `__Host-roster-browser-form=${'a'.repeat(43)}`])
      expect((await comeBackWithForm({ code: 'c', state }, cookie)).status).toBe(400)
    expect(await traces(harness)).toEqual({ ...noTraces, requests: 1 })
  })
})

describe('GitHub', () => {
  beforeEach(async () => {
    await aConnection('github', 'GITHUB')
    provider.answers.set('/token', (_request, response) =>
      json(response, { access_token: 'a', token_type: 'bearer', scope: 'read:user,user:email' }),
    )
    provider.answers.set('/user', (_request, response) =>
      json(response, { id: 583231, login: 'octocat', name: 'The Octocat', email: null }),
    )
    provider.answers.set('/user/emails', (_request, response) =>
      json(response, [
        { email: 'old@example.com', primary: false, verified: true },
        { email: 'octocat@example.com', primary: true, verified: true },
      ]),
    )
  })

  const comeBack = async (parameters: Record<string, string> = {}) => {
    const { agent, url, state } = await sendOff(harness.url, pkce, { connection: 'github' })
    const response = await agent.send(`${harness.url}/auth/callback/github?${new URLSearchParams({ code: 'c', state, ...parameters })}`)
    return { asked: answerOf(url.href), told: answerOf(response.headers.get('location') ?? '') }
  }

  test('has no ID token: who it is, and the address that is primary, is asked of its API', async () => {
    const { asked, told } = await comeBack({ iss: 'https://github.com/login/oauth' })

    expect(told).toEqual(hasCode)
    expect(asked).toMatchObject({ scope: 'read:user user:email', code_challenge_method: 'S256' })
    expect(asked).not.toHaveProperty('nonce')
    expect(await person()).toMatchObject({
      provider: 'github',
      providerUserId: '583231',
      email: 'octocat@example.com',
      emailVerified: true,
      user: { email: 'octocat@example.com', profile: { name: 'The Octocat' } },
    })
  })

  test('C7.79: is not taken for another one', async () => {
    expect((await comeBack({ iss: 'https://evil.example' })).told).toMatchObject({ error: 'server_error' })
    expect(await traces(harness)).toEqual(noTraces)
  })

  test('says 200 where it means an error, and nobody is signed in', async () => {
    provider.answers.set('/token', (_request, response) => json(response, { error: 'bad_verification_code' }))

    expect((await comeBack()).told).toMatchObject({ error: 'server_error' })
    expect(await traces(harness)).toEqual(noTraces)
  })

  test('that is down leaves nothing half-made', async () => {
    provider.answers.set('/user', (_request, response) => void response.writeHead(502).end())

    expect((await comeBack()).told).toMatchObject({ error: 'temporarily_unavailable' })
    expect(await traces(harness)).toEqual(noTraces)
  })
})
