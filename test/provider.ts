import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'

/** What an ID token of a provider is made of; `undefined` leaves a claim out that a good one has. */
type Made = Readonly<{ claims?: Record<string, unknown>; header?: Record<string, unknown>; key?: ProviderKey }>

/** A key pair and what is published of it. */
export type ProviderKey = Readonly<{ alg: string; kid: string; privateKey: CryptoKey; jwk: JWK }>

type Answer = (request: IncomingMessage, response: ServerResponse) => void

/**
 * A provider on loopback, as good or as bad as a test wants it: discovery, keys and ID tokens. What is put into `answers` by its path is
 * answered in place of what a good one does.
 */
export type Provider = Readonly<{
  issuer: string
  clientId: string
  /** The paths that were asked for, in order. */
  requests: string[]
  answers: Map<string, Answer>
  /** The keys that it publishes. The first one signs. */
  keys: ProviderKey[]
  metadata: Record<string, unknown>
  idToken: (made?: Made) => Promise<string>
  /** Is a good provider again. */
  reset: () => void
  close: () => void
}>

export async function aKey(kid: string, alg = 'RS256'): Promise<ProviderKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  return { alg, kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } }
}

/** Starts one; `now` is the clock that its tokens go by, `alg` what they are signed with. */
export async function startProvider(now: () => Date = () => new Date(), alg = 'RS256'): Promise<Provider> {
  const first = await aKey('key-1', alg)
  const keys = [first]
  const requests: string[] = []
  const answers = new Map<string, Answer>()
  const metadata: Record<string, unknown> = {}
  const server = createServer((request, response) => {
    const path = request.url ?? ''
    requests.push(path)
    const answer = answers.get(path)
    if (answer !== undefined) return answer(request, response)
    if (path === '/.well-known/openid-configuration') return json(response, metadata)
    if (path === '/keys') return json(response, { keys: keys.map(({ jwk }) => jwk) })
    response.writeHead(404).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const good = {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/keys`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: [alg],
  }
  const reset = () => {
    answers.clear()
    requests.length = 0
    keys.splice(0, keys.length, first)
    for (const name of Object.keys(metadata)) delete metadata[name]
    Object.assign(metadata, good)
  }
  reset()
  const clientId = 'roster'
  return {
    issuer,
    clientId,
    requests,
    answers,
    keys,
    metadata,
    idToken: ({ claims = {}, header = {}, key = keys[0] as ProviderKey } = {}) => {
      const seconds = Math.floor(now().getTime() / 1000)
      const payload = { iss: issuer, aud: clientId, sub: '1', iat: seconds, exp: seconds + 3600, jti: String(++tokens), ...claims }
      return new SignJWT(payload).setProtectedHeader({ alg: key.alg, kid: key.kid, ...header }).sign(key.privateKey)
    },
    reset,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** No two tokens are the same, which are used once. */
let tokens = 0

export function json(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
