import { readFileSync } from 'node:fs'
import type { GraphQLSchema } from 'graphql'
import type { Config } from './config.ts'
import { type AccessTokens, createAccessTokens } from './crypto/access-token.ts'
import { createSecrets } from './crypto/secrets.ts'
import type { Database } from './database/database.ts'
import { openDatabase } from './database/open.ts'
import { createAuthenticator } from './domain/authenticate.ts'
import { type Authentication, createAuthentication } from './domain/authentication.ts'
import { developmentToken } from './domain/development-token.ts'
import type { Principal } from './domain/principal.ts'
import { system } from './domain/principal.ts'
import type { Scope } from './domain/scope.ts'
import { loadSecret } from './domain/secret.ts'
import { type LoadedSigningKeys, loadSigningKeys } from './domain/signing-key.ts'
import { tokenSettings } from './domain/token-settings.ts'
import { cutToPublic } from './graphql/public-schema.ts'
import { buildSchema } from './graphql/schema.ts'
import { type Clock, systemClock } from './ports/clock.ts'
import { createLogger, type Logger } from './ports/logger.ts'
import { createMetrics, type Metrics } from './ports/metrics.ts'

/** Everything that runs, put together once; it is carried in the context of each request. */
export type App = Readonly<{
  config: Config
  version: string
  database: Database
  clock: Clock
  logger: Logger
  metrics: Metrics
  signingKeys: LoadedSigningKeys
  accessTokens: AccessTokens
  /** What signing in works with. */
  authentication: Authentication
  /** Says who calls. Null is nobody. @throws {RequestError} UNAUTHENTICATED or SERVICE_UNAVAILABLE */
  authenticate: (token: string | null) => Promise<Principal>
  /** The whole graph. */
  schema: GraphQLSchema
  /** The graph cut to what users and the public can reach. */
  publicSchema: GraphQLSchema
  /** The admin token that GraphiQL opens with, and whether it was made at this start; null in production. */
  developmentToken: Readonly<{ token: string; isNew: boolean }> | null
  /** Writes what is left to write, and closes the database. */
  close: () => Promise<void>
}>

/** What tests put in place of the machine's own. */
type Parts = Readonly<{ clock?: Clock; logger?: Logger; database?: Database }>

/**
 * Opens the database, with its migrations, and makes the app of it.
 * @throws {DatabaseStartError} with one line that says what to do
 */
export async function createApp(config: Config, parts: Parts = {}): Promise<App> {
  const { clock = systemClock, logger = createLogger(config.logLevel) } = parts
  const database = parts.database ?? (await openDatabase({ ...config, poolSize: config.databasePoolSize, logger }))
  try {
    return await assemble(config, { clock, logger, database })
  } catch (error) {
    if (!parts.database) await database.close()
    throw error
  }
}

async function assemble(config: Config, { clock, logger, database }: Required<Parts>): Promise<App> {
  const db = database.prisma
  const secrets = createSecrets(loadSecret(config))
  const signingKeys = await loadSigningKeys({ db, clock, secrets })
  const accessTokens = createAccessTokens(tokenSettings(config), signingKeys)
  const authenticator = createAuthenticator({ accessTokens, trustedIssuers: config.trustedIssuers, db, clock, logger })
  const schema = buildSchema()
  const scope = { ...systemScope({ database, clock }), accessTokens }
  return Object.freeze({
    config,
    version: packageVersion(),
    database,
    clock,
    logger,
    metrics: createMetrics(),
    signingKeys,
    accessTokens,
    authentication: createAuthentication({ config, accessTokens, secrets }),
    authenticate: authenticator.authenticate,
    schema,
    publicSchema: cutToPublic(schema),
    developmentToken: config.mode === 'development' ? await developmentToken(scope, { dataDir: config.dataDir, authenticator }) : null,
    close: async () => {
      await authenticator.settled()
      await database.close()
    },
  })
}

/** Roster itself, for what it does without a request. */
export function systemScope({ database, clock }: Pick<App, 'database' | 'clock'>): Scope {
  return { db: database.prisma, clock, caller: { principal: system, ip: null, userAgent: null, requestId: null } }
}

/** The version in package.json, which stands beside src/ and dist/ alike. */
export function packageVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
