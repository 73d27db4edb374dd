import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Harness } from './harness.ts'
import { type Peer, startPeer } from './oidc-peer.ts'
import { answerOf, appUrl, authorizeUrl, bootReachable, connect, exchange, logInAt, newPkce } from './provider-flow.ts'
import { isTaken } from './session-client.ts'
import { createUserAgent } from './user-agent.ts'

let harness: Harness
let peer: Peer

beforeAll(async () => {
  harness = await bootReachable()
  peer = await startPeer({ redirectUris: [`${harness.url}/auth/callback/acme`] })
})
afterAll(() => peer.stop())
beforeEach(async () => {
  await harness.reset()
  peer.people.clear()
  peer.people.set('ada', { email: 'ada@example.com', email_verified: true, name: 'Ada Lovelace', given_name: 'Ada' })
  await connect(harness, peer, 'acme')
})

describe('somebody who signs in by a provider', () => {
  test('comes back with a code that the application trades for a session', async () => {
    const [agent, pkce] = [createUserAgent(), newPkce()]
    const url = await logInAt(agent, authorizeUrl(harness.url, pkce, { state: 'of the app' }), 'ada', appUrl)

    const { code = '', ...rest } = answerOf(url)
    expect(rest).toEqual({ state: 'of the app' })
    const { user, tokens, errors } = await exchange(harness, code, pkce.verifier)
    expect(errors).toEqual([])
    expect(await isTaken(harness, tokens?.accessToken ?? '')).toBe(true)
    const { data } = await harness.run(
      '{ me { id email emailVerified profile { name givenName } identities { provider providerUserId } sessions { nodes { connection amr aal } } } }',
      { token: tokens?.accessToken ?? '' },
    )
    expect(data?.['me']).toEqual({
      id: user?.id,
      email: 'ada@example.com',
      emailVerified: true,
      profile: { name: 'Ada Lovelace', givenName: 'Ada' },
      identities: [{ provider: 'acme', providerUserId: 'ada' }],
      sessions: { nodes: [{ connection: 'acme', amr: ['fed'], aal: 'aal1' }] },
    })
  })
})
