import { createHash } from 'node:crypto'
import {
  allowInsecureRequests,
  Configuration,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
  type ServerMetadata,
} from 'openid-client'
import { clientAuthentication } from './client-authentication.ts'
import { createIssuerKeys, type IssuerKeys } from './issuer-keys.ts'
import type { Logger } from './logger.ts'
import { createProviderFetch, isAllowed, providerTimeoutMs } from './provider-fetch.ts'

/** Roster as a provider knows it. */
export type ProviderClient = Readonly<{
  /** Null: GitHub, which has no discovery. */
  issuer: string | null
  clientId: string
  /** Null: none. */
  clientSecret: string | null
}>

/** What is known of the providers, read when needed and kept for ten minutes. */
export type Providers = Readonly<{
  /**
   * What `openid-client` works with: the provider's metadata, how Roster authenticates, and ID tokens whose signature is verified also
   * where they come straight from the provider. Its requests follow no redirects, and are bounded in size and time.
   * @throws {ProviderUnavailableError}
   */
  configuration: (client: ProviderClient) => Promise<Configuration>
  /** The keys that the provider of a configuration signs with. */
  keys: (configuration: Configuration) => IssuerKeys
}>

/** The provider does not answer now, or not as it must. What it said is in the cause, for the log. */
export class ProviderUnavailableError extends Error {
  override readonly name = 'ProviderUnavailableError'
}

const maxAgeMs = 600_000
/** After a failure, how long nobody waits for the provider again. */
const retryAfterMs = 5000
/** Of clients that were configured before, some are not asked for again. */
const mostKept = 200
/** What several requests to a provider take together: with what is done around them a sign-in ends within five seconds. */
const wholeTimeMs = 4000

const entra = 'https://login.microsoftonline.com'
const gitHub: ServerMetadata = {
  issuer: 'https://github.com/login/oauth',
  authorization_endpoint: 'https://github.com/login/oauth/authorize',
  token_endpoint: 'https://github.com/login/oauth/access_token',
}

type Kept = { configuration: Promise<Configuration>; until: number }

/** Nothing is asked of any provider before somebody signs in with it. */
export function createProviders(logger: Logger): Providers {
  const configurations = new Map<string, Kept>()
  const keySets = new Map<string, IssuerKeys>()
  return Object.freeze({
    configuration: (client: ProviderClient) => {
      const name = nameOf(client)
      const kept = configurations.get(name)
      if (kept !== undefined && Date.now() < kept.until) return kept.configuration
      const found: Kept = { configuration: configure(client).catch(fail), until: Date.now() + maxAgeMs }
      function fail(cause: unknown): never {
        found.until = Math.min(found.until, Date.now() + retryAfterMs)
        logger.warn({ issuer: client.issuer, reason: reasonOf(cause) }, 'a provider cannot be used')
        throw unavailable(cause)
      }
      keep(configurations, name, found)
      return found.configuration
    },
    keys: (configuration: Configuration) => {
      const url = configuration.serverMetadata().jwks_uri ?? ''
      const keys = keySets.get(url) ?? createIssuerKeys(url, logger)
      keep(keySets, url, keys)
      return keys
    },
  })
}

/**
 * Lets what is asked of a provider take so long at most, whatever it consists of.
 * @throws {ProviderUnavailableError}
 */
export async function inProviderTime<Result>(work: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(unavailable(new Error('took too long'))), wholeTimeMs)
  })
  try {
    return await Promise.race([work, over])
  } finally {
    clearTimeout(timer)
  }
}

async function configure({ issuer, clientId, clientSecret }: ProviderClient): Promise<Configuration> {
  const authentication = clientAuthentication(clientSecret)
  const url = new URL(issuer ?? gitHub.issuer)
  const fetchBounded = createProviderFetch(url)
  if (issuer === null) {
    const configuration = new Configuration(gitHub, clientId, undefined, authentication)
    configuration.timeout = providerTimeoutMs / 1000
    configuration[customFetch] = fetchBounded
    return configuration
  }
  const execute = [enableNonRepudiationChecks, ...(url.protocol === 'http:' ? [allowInsecureRequests] : [])]
  const options = { timeout: providerTimeoutMs / 1000, [customFetch]: fetchBounded, execute }
  const configuration = await discovery(url, clientId, undefined, authentication, options)
  assertUsable(url, configuration.serverMetadata())
  return configuration
}

/**
 * The provider must be the one that was asked for (OWASP ASVS 5.0 §10.5.3). Of Entra ID's documents for several tenants the issuer is a
 * template, and each token names its tenant.
 */
function assertUsable(issuer: URL, metadata: ServerMetadata): void {
  const said = URL.canParse(metadata.issuer) ? new URL(metadata.issuer) : null
  const isIssuer = said?.href === issuer.href || (issuer.origin === entra && said?.origin === entra)
  if (!isIssuer) throw new Error('names another issuer')
  const allowsHttp = issuer.protocol === 'http:'
  for (const endpoint of [metadata.authorization_endpoint, metadata.token_endpoint, metadata.jwks_uri])
    if (endpoint === undefined || !URL.canParse(endpoint) || !isAllowed(new URL(endpoint), allowsHttp))
      throw new Error('lacks an endpoint, or names one that is not https')
}

function keep<Value>(map: Map<string, Value>, name: string, value: Value): void {
  map.delete(name)
  map.set(name, value)
  for (const oldest of map.keys()) if (map.size > mostKept) map.delete(oldest)
}

/** Secrets do not stay in memory as names. */
function nameOf({ issuer, clientId, clientSecret }: ProviderClient): string {
  return createHash('sha256')
    .update(JSON.stringify([issuer, clientId, clientSecret]))
    .digest('base64url')
}

function unavailable(cause: unknown): ProviderUnavailableError {
  return new ProviderUnavailableError('The provider cannot be used now.', { cause })
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : 'unknown'
}
