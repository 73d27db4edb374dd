import { pino } from 'pino'
import { expect } from 'vitest'
import type { Harness } from './harness.ts'
import { type Peer, startPeer } from './oidc-peer.ts'
import { type Provider, startProvider } from './provider.ts'
import { answerOf, authorizeUrl, bootReachable, connect, logInAt, newPkce, type Pkce } from './provider-flow.ts'
import { createUserAgent, type UserAgent } from './user-agent.ts'

/** A server, two certified providers that it has connections to, `acme` and `globex`, and one that does what a test wants. */
export type CallbackPeers = Readonly<{
  harness: Harness
  peer: Peer
  otherPeer: Peer
  liar: Provider
  pkce: Pkce
  /** What the server has logged. */
  logs: string[]
  callbackOf: (key: string) => string
  /** Logs in at a provider, and stops with what it sends to the callback. */
  loggedIn: (
    key?: string,
    agent?: UserAgent,
    parameters?: Record<string, string>,
  ) => Promise<{ agent: UserAgent; answer: Record<string, string> }>
  /** Makes the connections anew, `liar` among them, and answers the id of `acme`. */
  reset: () => Promise<string>
  close: () => Promise<void>
}>

/** Starts them. */
export async function startCallbackPeers(): Promise<CallbackPeers> {
  const pkce = newPkce()
  const logs: string[] = []
  const logger = pino({ level: 'debug', base: null }, { write: (line: string) => void logs.push(line) })
  const harness = await bootReachable({ RATE_LIMITS: 'signIn.network=10000/60,verify.network=10000/60' }, { logger })
  const callbackOf = (key: string) => `${harness.url}/auth/callback/${key}`
  const peer = await startPeer({ redirectUris: [callbackOf('acme')] })
  const otherPeer = await startPeer({ redirectUris: [callbackOf('globex')], name: 'other' })
  const liar = await startProvider()
  return {
    harness,
    peer,
    otherPeer,
    liar,
    pkce,
    logs,
    callbackOf,
    loggedIn: async (key = 'acme', agent = createUserAgent(), parameters = {}) => {
      const link = authorizeUrl(harness.url, pkce, { connection: key, ...parameters })
      return { agent, answer: answerOf(await logInAt(agent, link, 'ada', callbackOf(key))) }
    },
    reset: async () => {
      await harness.reset()
      logs.length = 0
      liar.reset()
      for (const { people, intercept, asked } of [peer, otherPeer]) {
        people.clear()
        people.set('ada', { email: 'ada@example.com', email_verified: true, name: 'Ada Lovelace' })
        intercept(null)
        asked.length = 0
      }
      const acme = await connect(harness, peer, 'acme')
      await connect(harness, otherPeer, 'globex')
      await connect(harness, { ...peer, issuer: liar.issuer, clientId: liar.clientId }, 'liar')
      return acme
    },
    close: async () => {
      await Promise.all([peer.stop(), otherPeer.stop()])
      liar.close()
    },
  }
}

/** What the application is told of an answer that is not believed. */
export const failed = { error: 'server_error', error_description: 'The answer of the provider does not hold.' }

/** The status of the page for a state that is good no more. */
export const over = 400

/** What the application is told of somebody who has come. */
export const hasCode = { code: expect.stringMatching(/^[\w-]{43}$/) }
