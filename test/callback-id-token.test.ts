import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { failed, hasCode, startCallbackPeers } from './callback-peers.ts'
import { aKey, json } from './provider.ts'
import { answerOf, authorizeUrl, comeBack, connect, noTraces, type Sent, sendOff, traces } from './provider-flow.ts'

const peers = await startCallbackPeers()
const { harness, peer, liar, pkce } = peers

beforeEach(async () => void (await peers.reset()))
afterAll(peers.close)

describe('C7.80, C7.82: an ID token is believed only if', () => {
  /** Sends a browser off to the liar, who has its token endpoint answer this, and brings it back. */
  async function come(idToken: (sent: Sent) => Promise<string | undefined>): Promise<Record<string, string> | number> {
    const sent = await sendOff(harness.url, pkce, { connection: 'liar' })
    const id_token = await idToken(sent)
    liar.answers.set('/token', (_request, response) =>
      json(response, { access_token: 'canary-of-an-access-token', token_type: 'bearer', id_token }),
    )
    return comeBack(harness, sent.agent, 'liar', { code: 'canary-of-a-code', state: sent.state })
  }

  test('it is as it has to be', async () => {
    expect(await come(({ nonce }) => liar.idToken({ claims: { nonce } }))).toEqual(hasCode)
  })

  const seconds = () => Math.floor(Date.now() / 1000)

  test.each<[string, (sent: Sent) => Promise<string | undefined>]>([
    ['it is there', async () => undefined],
    ['it has the nonce', () => liar.idToken({ claims: { nonce: 'another' } })],
    ['it has a nonce', () => liar.idToken()],
    ['it is of this issuer', ({ nonce }) => liar.idToken({ claims: { nonce, iss: peer.issuer } })],
    ['it is for us', ({ nonce }) => liar.idToken({ claims: { nonce, aud: 'somebody else' } })],
    ['it is for us first', ({ nonce }) => liar.idToken({ claims: { nonce, aud: ['roster', 'x'], azp: 'x' } })],
    ['it stands', ({ nonce }) => liar.idToken({ claims: { nonce, iat: seconds() - 7200, exp: seconds() - 3600 } })],
    ['it ends', ({ nonce }) => liar.idToken({ claims: { nonce, exp: undefined } })],
    ['it has a subject', ({ nonce }) => liar.idToken({ claims: { nonce, sub: undefined } })],
    ['its subject is one', ({ nonce }) => liar.idToken({ claims: { nonce, sub: 'a\0b' } })],
    ['its subject is not too long', ({ nonce }) => liar.idToken({ claims: { nonce, sub: 'a'.repeat(256) } })],
    ['a key of the provider has signed it', async ({ nonce }) => liar.idToken({ claims: { nonce }, key: await aKey('foreign') })],
    ['the key that it names has signed it', async ({ nonce }) => liar.idToken({ claims: { nonce }, key: await aKey('key-1') })],
    [
      'it is signed at all',
      async ({ nonce }) => {
        const [, payload] = (await liar.idToken({ claims: { nonce } })).split('.')
        return `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`
      },
    ],
  ])('%s', async (_name, idToken) => {
    expect(await come(idToken)).toEqual(failed)
    expect(await traces(harness)).toEqual(noTraces)
  })

  test('C7.81: the provider says that it is who it is', async () => {
    await connect(harness, { ...peer, issuer: liar.issuer, clientId: 'another' }, 'renamed')
    liar.metadata['issuer'] = peer.issuer

    const response = await fetch(authorizeUrl(harness.url, pkce, { connection: 'renamed' }), { redirect: 'manual' })
    expect(answerOf(response.headers.get('location') ?? '')).toMatchObject({ error: 'temporarily_unavailable' })
    expect(await traces(harness)).toEqual(noTraces)
  })
})

describe('what the userinfo endpoint says', () => {
  beforeEach(() => {
    liar.metadata['userinfo_endpoint'] = `${liar.issuer}/userinfo`
  })

  let clients = 0

  /** The discovery document is kept, so that each has a client of its own. */
  async function comeWith(idTokenClaims: object, userInfo: object) {
    const key = `liar-${++clients}`
    await connect(harness, { ...peer, issuer: liar.issuer, clientId: key }, key)
    const { agent, state, nonce } = await sendOff(harness.url, pkce, { connection: key })
    const id_token = await liar.idToken({ claims: { nonce, aud: key, ...idTokenClaims } })
    liar.answers.set('/token', (_request, response) => json(response, { access_token: 'a', token_type: 'bearer', id_token }))
    liar.answers.set('/userinfo', (_request, response) => json(response, { sub: '1', ...userInfo }))
    return comeBack(harness, agent, key, { code: 'c', state })
  }

  test('is taken of the same subject only', async () => {
    expect(await comeWith({}, { sub: '2', email: 'ada@example.com', email_verified: true })).toEqual(failed)
    expect(await traces(harness)).toEqual(noTraces)
  })

  test.each<[string, object, object, [string | null, boolean]]>([
    ['fills what the ID token does not say', {}, { email: 'a@x.example', email_verified: true }, ['a@x.example', true]],
    ['does not verify another address', { email: 'a@x.example' }, { email: 'b@x.example', email_verified: true }, ['a@x.example', false]],
    ['verifies the same address', { email: 'a@x.example' }, { email: 'a@x.example', email_verified: true }, ['a@x.example', true]],
    [
      'does not verify what the ID token does not',
      { email: 'a@x.example', email_verified: false },
      { email: 'a@x.example', email_verified: true },
      ['a@x.example', false],
    ],
    [
      'can put a verified address into doubt',
      { email: 'a@x.example', email_verified: true },
      { email: 'a@x.example', email_verified: false },
      ['a@x.example', false],
    ],
  ])('%s', async (_name, idToken, userInfo, [email, emailVerified]) => {
    expect(await comeWith(idToken, userInfo)).toEqual(hasCode)

    expect(await harness.app.database.prisma.identity.findFirst()).toMatchObject({ email, emailVerified })
  })
})
