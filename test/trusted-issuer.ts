import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import type { TrustedIssuer } from '../src/trusted-issuers.ts'
import { type Callers, callersOn, movableClock } from './callers.ts'
import { emptyDatabase, testDatabase } from './database.ts'

/** A key pair of an issuer, and what is published of it. */
export type IssuerKey = Readonly<{ alg: string; kid: string; privateKey: CryptoKey; publicKey: CryptoKey; jwk: JWK }>

export async function anIssuerKey(alg: string, kid: string): Promise<IssuerKey> {
  const pair = await generateKeyPair(alg, { extractable: true })
  return { ...pair, alg, kid, jwk: { ...(await exportJWK(pair.publicKey)), kid, alg, use: 'sig' } }
}

/** Another party whose tokens Roster trusts: its key set is on loopback. */
export type Issuer = Readonly<{
  acme: TrustedIssuer
  origin: string
  clock: ReturnType<typeof movableClock>
  /** What it answers whoever asks for its keys, and the paths that were asked for, in order. */
  answer: { listener: RequestListener; requests: string[] }
  /** Publishes these keys in place of others. */
  publishes: (...keys: readonly JWK[]) => void
  /** What is published until a test says otherwise, and what signs. */
  key: IssuerKey
  otherKey: IssuerKey
  goodPayload: Readonly<Record<string, unknown>>
  /** A token of the issuer; `undefined` in the payload or header leaves out what a good one has. */
  aToken: (payload?: object, header?: object, key?: IssuerKey) => Promise<string>
  /** Who calls, where such issuers are trusted. */
  callersOf: (...issuers: readonly Partial<TrustedIssuer>[]) => Promise<Callers>
  /** Empties the database, and publishes the first key. */
  reset: () => Promise<void>
  /** Cuts off whoever is still waiting for an answer. */
  hangUp: () => void
  close: () => void
}>

/** Starts one. */
export async function startIssuer(): Promise<Issuer> {
  const clock = movableClock()
  const database = await testDatabase()
  const answer: Issuer['answer'] = { listener: (_request, response) => response.end(), requests: [] }
  const server = createServer((request, response) => {
    answer.requests.push(request.url ?? '')
    answer.listener(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const acme: TrustedIssuer = {
    issuer: 'https://acme.example/',
    audience: 'roster',
    jwksUrl: `${origin}/jwks.json`,
    secret: null,
    provider: 'acme',
    scopeClaim: 'scope',
    scopes: ['read:users', 'update:users'],
    createUsers: false,
  }
  const publishes = (...keys: readonly JWK[]) => {
    answer.listener = (_request, response) => response.end(JSON.stringify({ keys }))
  }
  const key = await anIssuerKey('ES256', 'key-1')
  const seconds = clock.now().getTime() / 1000
  const goodPayload = { iss: acme.issuer, aud: acme.audience, sub: 'acme|1', iat: seconds, exp: seconds + 3600, scope: 'openid read:users' }
  return {
    acme,
    origin,
    clock,
    answer,
    publishes,
    key,
    otherKey: await anIssuerKey('ES256', 'key-2'),
    goodPayload,
    aToken: (payload = {}, header = {}, { alg, kid, privateKey } = key) =>
      new SignJWT({ ...goodPayload, ...payload }).setProtectedHeader({ alg, kid, ...header }).sign(privateKey),
    callersOf: (...issuers) => {
      const trusted = issuers.map((issuer) => ({ ...acme, ...issuer }))
      return callersOn(database, trusted, clock)
    },
    reset: async () => {
      await emptyDatabase(database)
      publishes(key.jwk)
      answer.requests.length = 0
    },
    hangUp: () => server.closeAllConnections(),
    close: () => void server.close(),
  }
}
