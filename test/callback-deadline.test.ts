import { expect, onTestFinished, test } from 'vitest'
import { startPeer } from './oidc-peer.ts'
import { answerOf, authorizeUrl, bootReachable, connect, logInAt, newPkce, noTraces, traces } from './provider-flow.ts'
import { createUserAgent } from './user-agent.ts'

test('R18: who comes back when the time is over is told to wait, and nothing is made of the answer that comes later', async () => {
  const harness = await bootReachable({ REQUEST_TIMEOUT_MS: '500' })
  await harness.reset()
  const callback = `${harness.url}/auth/callback/acme`
  const peer = await startPeer({ redirectUris: [callback] })
  onTestFinished(() => peer.stop())
  await connect(harness, peer, 'acme')
  const agent = createUserAgent()
  const back = await logInAt(agent, authorizeUrl(harness.url, newPkce()), 'ada', callback)
  let answered = () => {}
  const late = new Promise<void>((resolve) => {
    answered = resolve
  })
  peer.delay('/me', 1000, answered)

  const response = await agent.send(back)
  expect([response.status, response.headers.get('location')]).toEqual([503, null])
  expect(answerOf(back)).toHaveProperty('code')
  await late
  await new Promise((resolve) => setTimeout(resolve, 200))
  expect(await traces(harness)).toEqual(noTraces)
})
