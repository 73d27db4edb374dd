import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type Provider from 'oidc-provider'
import type { Context } from 'oidc-provider'

/** A certified OpenID provider on loopback, with a login page of its own that takes any password. */
export type Peer = Readonly<{
  issuer: string
  clientId: string
  clientSecret: string
  /** Who there is, by the name to log in with, which is the `sub` too: further claims. */
  people: Map<string, Record<string, unknown>>
  /** Answers in its place, when it says so. */
  intercept: (handle: ((request: IncomingMessage, response: ServerResponse) => boolean) | null) => void
  /** Answers a path so much later, and says when it does. */
  delay: (path: string, ms: number, then: () => void) => void
  /** The paths that were asked for. */
  asked: string[]
  stop: () => Promise<void>
}>

type Options = Readonly<{ redirectUris: readonly string[]; name?: string; configuration?: object }>

/** Starts one that knows Roster by these redirect URIs. The caller stops it. */
export async function startPeer({ redirectUris, name = 'peer', configuration = {} }: Options): Promise<Peer> {
  const [clientId, clientSecret] = [`roster-at-${name}`, `canary-of-the-secret-at-${name}`]
  const people: Peer['people'] = new Map()
  const asked: string[] = []
  let handle: Parameters<Peer['intercept']>[0] = null
  let delayed: Readonly<{ path: string; ms: number; then: () => void }> | null = null
  let serve: (request: IncomingMessage, response: ServerResponse) => void = () => {}
  const server = createServer((request, response) => {
    const path = (request.url ?? '').split('?', 1)[0] ?? ''
    asked.push(path)
    if (handle?.(request, response) === true) return
    if (delayed?.path !== path) return serve(request, response)
    const { ms, then } = delayed
    setTimeout(() => {
      serve(request, response)
      response.once('close', then)
    }, ms)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const provider: Provider = await quietly(
    async () =>
      new (await import('oidc-provider')).default(issuer, {
        clients: [{ client_id: clientId, client_secret: clientSecret, redirect_uris: redirectUris }],
        ttl: { Interaction: 600, Grant: 600, Session: 600, AccessToken: 600, IdToken: 600 },
        cookies: { keys: ['a key for the cookies of the tests'] },
        claims: { openid: ['sub'], profile: ['name', 'given_name', 'family_name', 'locale'], email: ['email', 'email_verified'] },
        findAccount: (_context: unknown, sub: string) => ({ accountId: sub, claims: () => ({ ...people.get(sub), sub }) }),
        // Nobody is asked whether Roster may know.
        loadExistingGrant: async ({ oidc: { client, session } }: Context) => {
          const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId })
          grant.addOIDCScope('openid profile email')
          await grant.save()
          return grant
        },
        ...configuration,
      }),
  )
  serve = provider.callback()
  return {
    issuer,
    clientId,
    clientSecret,
    people,
    asked,
    intercept: (next) => {
      handle = next
    },
    delay: (path, ms, then) => {
      delayed = { path, ms, then }
    },
    stop: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** It warns, on the console, of what a test is: no keys of its own, no database, an old Node. */
async function quietly<Result>(make: () => Promise<Result>): Promise<Result> {
  const { warn, info } = console
  try {
    Object.assign(console, { warn: () => {}, info: () => {} })
    return await make()
  } finally {
    Object.assign(console, { warn, info })
  }
}
