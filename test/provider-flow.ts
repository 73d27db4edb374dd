import { randomBytes } from 'node:crypto'
import { challengeOf } from '../src/domain/authorization/code-challenge.ts'
import { boot, expectData, type Harness } from './harness.ts'
import type { Peer } from './oidc-peer.ts'
import { freePort } from './server-process.ts'
import { type Arrived, createUserAgent, type UserAgent } from './user-agent.ts'

/** Where the application waits. */
export const appUrl = 'http://localhost:5173/callback'

/** What the application keeps while somebody is on his way. */
export type Pkce = Readonly<{ verifier: string; challenge: string }>

/** A new verifier, and its challenge. */
export function newPkce(): Pkce {
  const verifier = randomBytes(32).toString('base64url')
  return { verifier, challenge: challengeOf(verifier) }
}

/** Starts a server that providers can send browsers back to, by this name of this machine. */
export async function bootReachable(
  environment: Record<string, string> = {},
  parts: Parameters<typeof boot>[1] = {},
  name: '127.0.0.1' | 'localhost' = '127.0.0.1',
): Promise<Harness> {
  const port = String(await freePort())
  return boot({ PORT: port, PUBLIC_URL: `http://${name}:${port}`, ...environment }, parts)
}

/** Makes a connection to a peer. */
export async function connect(harness: Harness, peer: Peer, key: string, settings: Record<string, unknown> = {}): Promise<string> {
  const { issuer, clientId, clientSecret } = peer
  const input = { key, strategy: 'OIDC', issuer, clientId, clientSecret, ...settings }
  const query = 'mutation($input: CreateConnectionInput!) { createConnection(input: $input) { connection { id } errors { message } } }'
  const { createConnection } = (await harness.admin(query, { input })) as { createConnection: { connection: { id: string } } }
  return createConnection.connection.id
}

/** Changes a connection. */
export async function setConnection(harness: Harness, id: string, settings: Record<string, unknown>): Promise<void> {
  await harness.admin('mutation($input: UpdateConnectionInput!) { updateConnection(input: $input) { errors { message } } }', {
    input: { id, ...settings },
  })
}

/** The link that an application sends a browser to; null leaves a parameter out. */
export function authorizeUrl(url: string, pkce: Pkce, parameters: Record<string, string | null> = {}): string {
  const all = { connection: 'acme', redirect_to: appUrl, code_challenge: pkce.challenge, code_challenge_method: 'S256', ...parameters }
  const sent = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== null)
  return `${url}/auth/authorize?${new URLSearchParams(sent)}`
}

/** Goes to a provider, logs in there, and stops before what begins so is opened: our callback, or the application. */
export async function logInAt(agent: UserAgent, link: string, login: string, until: string): Promise<string> {
  const atLogin = await agent.follow(link, until)
  if (atLogin.page === null) return atLogin.url
  const action = /<form[^>]* action="([^"]+)"/.exec(atLogin.page)?.[1]
  if (action === undefined) throw new Error(`${atLogin.response.status} ${atLogin.url}: ${atLogin.page}`)
  const { url, page, response } = await agent.follow(new URL(action, atLogin.url).href, until, { prompt: 'login', login, password: 'any' })
  if (page !== null) throw new Error(`${response.status} ${url}: ${page}`)
  return url
}

/** What an application is called back with. */
export function answerOf(url: string): Record<string, string> {
  return Object.fromEntries(new URL(url).searchParams)
}

/** What exchangeCode answered. */
export type Exchanged = Readonly<{
  user: { id: string } | null
  tokens: { accessToken: string; refreshToken: string } | null
  errors: readonly { code: string; path: string[] }[]
}>

/** Trades a code, as the application does. */
export async function exchange(harness: Harness, code: string, codeVerifier: string): Promise<Exchanged> {
  const query =
    'mutation($input: ExchangeCodeInput!) { exchangeCode(input: $input) { user { id } tokens { accessToken refreshToken } errors { code path } } }'
  return expectData(await harness.run(query, { variables: { input: { code, codeVerifier } } }))['exchangeCode'] as Exchanged
}

/** The whole way, with a browser of its own unless one is given: the code that the application is called back with. */
export async function codeFor(
  harness: Harness,
  login: string,
  pkce: Pkce,
  parameters: Record<string, string | null> = {},
  agent: UserAgent = createUserAgent(),
): Promise<string> {
  const answer = answerOf(await logInAt(agent, authorizeUrl(harness.url, pkce, parameters), login, appUrl))
  if (answer['code'] === undefined) throw new Error(JSON.stringify(answer))
  return answer['code']
}

export type { Arrived }

/** Where a browser is sent, and what only it and the provider get to see. */
export type Sent = Readonly<{ agent: UserAgent; url: URL; state: string; nonce: string }>

/** Sends a browser off, and stops before the provider. */
export async function sendOff(
  url: string,
  pkce: Pkce,
  parameters: Record<string, string | null> = {},
  agent: UserAgent = createUserAgent(),
): Promise<Sent> {
  const response = await agent.send(authorizeUrl(url, pkce, parameters))
  const location = response.headers.get('location')
  if (response.status !== 303 || location === null) throw new Error(`${response.status}: ${await response.text()}`)
  const to = new URL(location)
  return { agent, url: to, state: to.searchParams.get('state') ?? '', nonce: to.searchParams.get('nonce') ?? '' }
}

/** Brings a browser back with these parameters: where it is sent on to, or the status of the page. */
export async function comeBack(
  harness: Harness,
  agent: UserAgent,
  key: string,
  parameters: Record<string, string>,
): Promise<Record<string, string> | number> {
  const response = await agent.send(`${harness.url}/auth/callback/${key}?${new URLSearchParams(parameters)}`)
  const location = response.headers.get('location')
  return location === null ? response.status : answerOf(location)
}

/** What there is of people, and of what is on the way. */
export async function traces({ app }: Harness): Promise<Record<string, number>> {
  const { user, identity, session, authorizationRequest, authorizationCode } = app.database.prisma
  const counts = [user.count(), identity.count(), session.count(), authorizationRequest.count(), authorizationCode.count()]
  const [users = 0, identities = 0, sessions = 0, requests = 0, codes = 0] = await Promise.all(counts)
  return { users, identities, sessions, requests, codes }
}

/** Nobody, and nothing on the way. */
export const noTraces = { users: 0, identities: 0, sessions: 0, requests: 0, codes: 0 }
