import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { failed, hasCode, over, startCallbackPeers } from './callback-peers.ts'
import { codeFor, comeBack, exchange, noTraces, traces } from './provider-flow.ts'
import { createUserAgent } from './user-agent.ts'

const peers = await startCallbackPeers()
const { harness, peer, otherPeer, pkce, callbackOf, loggedIn } = peers

beforeEach(async () => void (await peers.reset()))
afterAll(peers.close)

describe('C7.78: the state is good', () => {
  test('once', async () => {
    const { agent, answer } = await loggedIn()

    expect(await comeBack(harness, agent, 'acme', answer)).toEqual(hasCode)
    expect(await comeBack(harness, agent, 'acme', answer)).toBe(over)
    expect(await traces(harness)).toMatchObject({ users: 1, codes: 1 })
  })

  test('once also when it comes back twenty times at once (C3.25)', async () => {
    const { agent, answer } = await loggedIn()
    const told = await Promise.all(Array.from({ length: 20 }, () => comeBack(harness, agent, 'acme', answer)))

    expect(told.filter((one) => one === over)).toHaveLength(19)
    expect(told).toContainEqual(hasCode)
    expect(peer.asked.filter((path) => path === '/token')).toHaveLength(1)
  })

  test('in the browser that it was made for, and in no other', async () => {
    const { agent, answer } = await loggedIn()
    const other = await loggedIn()

    expect(await comeBack(harness, other.agent, 'acme', answer)).toBe(over)
    expect(await comeBack(harness, createUserAgent(), 'acme', answer)).toBe(over)
    expect(await traces(harness)).toEqual({ ...noTraces, requests: 2 })
    expect(await comeBack(harness, agent, 'acme', answer)).toEqual(hasCode)
  })

  test('for what it was made for: a swapped one signs in nobody, in the same browser or another', async () => {
    const agent = createUserAgent()
    const [one, two] = [await loggedIn('acme', agent), await loggedIn('acme', agent)]

    expect(await comeBack(harness, agent, 'acme', { ...one.answer, code: two.answer['code'] ?? '' })).toEqual(failed)
    expect(await traces(harness)).toEqual({ ...noTraces, requests: 1 })
  })

  test('for ten minutes', async () => {
    const { agent, answer } = await loggedIn()
    harness.clock.advance({ minutes: 10, seconds: 1 })

    expect(await comeBack(harness, agent, 'acme', answer)).toBe(over)
    expect(await traces(harness)).toEqual(noTraces)
  })

  test.each([{}, { state: '' }, { state: 'a\0b', code: 'x' }, { state: '\ud800' }, { code: 'x' }, { error: 'access_denied' }])(
    'when it is there: not %j',
    async (parameters) => {
      const { agent } = await loggedIn()

      expect(await comeBack(harness, agent, 'acme', parameters as Record<string, string>)).toBe(over)
      expect(peer.asked).not.toContain('/token')
    },
  )

  test('when it is there once', async () => {
    const { agent, answer } = await loggedIn()
    const response = await agent.send(`${callbackOf('acme')}?${new URLSearchParams(answer)}&state=${answer['state']}`)

    expect([response.status, response.headers.get('location')]).toEqual([400, null])
  })
})

test('a code of the provider that was used before signs in nobody', async () => {
  const first = await loggedIn()
  await comeBack(harness, first.agent, 'acme', first.answer)
  const second = await loggedIn()

  expect(await comeBack(harness, second.agent, 'acme', { ...second.answer, code: first.answer['code'] ?? '' })).toEqual(failed)
  expect(await traces(harness)).toMatchObject({ users: 1, codes: 1 })
})

describe('C7.79: one provider is not taken for another one:', () => {
  test('what comes back by the path of another connection is void, and neither provider gets to see it', async () => {
    const { agent, answer } = await loggedIn()

    expect(await comeBack(harness, agent, 'globex', answer)).toMatchObject({ error: 'access_denied' })
    expect(await comeBack(harness, agent, 'acme', answer)).toBe(over)
    expect([...peer.asked, ...otherPeer.asked]).not.toContain('/token')
    expect(await traces(harness)).toEqual(noTraces)
  })

  test.each<[string, () => string | undefined]>([
    ['names another issuer', () => otherPeer.issuer],
    ['names no issuer, which it has promised', () => undefined],
    ['names its issuer with a slash', () => `${peer.issuer}/`],
  ])('RFC 9207: an answer that %s is not taken up', async (_name, issuer) => {
    const { agent, answer } = await loggedIn()
    const { iss: _, ...rest } = answer
    const iss = issuer()

    expect(await comeBack(harness, agent, 'acme', { ...rest, ...(iss === undefined ? {} : { iss }) })).toEqual(failed)
    expect(peer.asked).not.toContain('/token')
    expect(await traces(harness)).toEqual(noTraces)
  })

  test('the same subject at two of them is two people', async () => {
    const one = await exchange(harness, await codeFor(harness, 'ada', pkce), pkce.verifier)
    const two = await exchange(harness, await codeFor(harness, 'ada', pkce, { connection: 'globex' }), pkce.verifier)

    expect([one.errors, two.errors]).toEqual([[], []])
    expect(one.user?.id).not.toBe(two.user?.id)
  })
})
