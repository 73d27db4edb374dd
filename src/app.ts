import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { GraphQLSchema } from 'graphql'
import { createAuthentication } from './authentication.ts'
import type { Config } from './config.ts'
import { ConfigError } from './config-error.ts'
import { type AccessTokens, createAccessTokens } from './crypto/access-token.ts'
import { createSecrets } from './crypto/secrets.ts'
import type { Database } from './database/database.ts'
import { openDatabase } from './database/open.ts'
import { createAuthenticator } from './domain/authenticate.ts'
import type { Authentication } from './domain/authentication.ts'
import type { BulkScope } from './domain/change.ts'
import { declareConnections } from './domain/connection/declare-connections.ts'
import { foreignProviders } from './domain/connection/foreign-providers.ts'
import { developmentToken } from './domain/development-token.ts'
import { createExportHandler } from './domain/export/export-handler.ts'
import type { JobParts } from './domain/job/run-job.ts'
import { createJobRunner, type JobRunner } from './domain/job-runner.ts'
import { createMailHandler } from './domain/mail/send-mail.ts'
import { defaultSources } from './domain/mail/template-source.ts'
import { mailKind } from './domain/mail.ts'
import { createOutbox, type Outbox } from './domain/outbox.ts'
import type { Principal } from './domain/principal.ts'
import { system } from './domain/principal.ts'
import { loadSecret } from './domain/secret.ts'
import { type LoadedSigningKeys, loadSigningKeys } from './domain/signing-key.ts'
import { tokenSettings } from './domain/token-settings.ts'
import { createImportHandler, importBatchSize } from './domain/transfer/import-job.ts'
import { buildSchema } from './graphql/schema.ts'
import { createMailer } from './mailer.ts'
import { packageFolder } from './package-folder.ts'
import { type Clock, systemClock } from './ports/clock.ts'
import type { DevelopmentMailbox } from './ports/development-mailbox.ts'
import { createLogger, type Logger } from './ports/logger.ts'
import type { Mailer } from './ports/mailer.ts'
import { createMetrics, type Metrics } from './ports/metrics.ts'
import { createOldDirectories } from './ports/old-directory.ts'
import { createProviders, type Providers } from './ports/providers.ts'
import { createTraffic, type Traffic } from './ports/traffic.ts'

/** Everything that runs, put together once; it is carried in the context of each request. */
export type App = Readonly<{
  config: Config
  version: string
  database: Database
  clock: Clock
  logger: Logger
  metrics: Metrics
  /** The requests of all servers of this process. */
  traffic: Traffic
  signingKeys: LoadedSigningKeys
  accessTokens: AccessTokens
  /** What signing in works with. */
  authentication: Authentication
  /** Sends mail; null in production without SMTP_URL. What queues mail asks `mailEnabled` first. */
  mailer: Mailer | null
  mailEnabled: boolean
  /** Where mail is kept for a developer to read, in development without SMTP_URL; otherwise null. */
  mailbox: DevelopmentMailbox | null
  /** Does what was queued. It waits for `start`, or `settled`. */
  outbox: Outbox
  /** Does imports and exports. It waits for `start`, or `settled`. */
  jobRunner: JobRunner
  /** Says who calls. Null is nobody. @throws {RequestError} UNAUTHENTICATED or SERVICE_UNAVAILABLE */
  authenticate: (token: string | null) => Promise<Principal>
  /** The whole graph. */
  schema: GraphQLSchema
  /** The admin token that GraphiQL opens with, and whether it was made at this start; null in production. */
  developmentToken: Readonly<{ token: string; isNew: boolean }> | null
  /** Writes what is left to write, and closes the database. */
  close: () => Promise<void>
}>

/** How long an import lets requests come first before it goes on all the same. */
const patienceMs = 5

/** What tests put in place of the machine's own. */
type Parts = Readonly<{ clock?: Clock; logger?: Logger; database?: Database; providers?: Providers }>

/**
 * Opens the database, with its migrations, and makes the app of it.
 * @throws {DatabaseStartError} with one line that says what to do
 */
export async function createApp(config: Config, parts: Parts = {}): Promise<App> {
  const { clock = systemClock, logger = createLogger(config.logLevel), providers = createProviders(logger) } = parts
  const database = parts.database ?? (await openDatabase({ ...config, poolSize: config.databasePoolSize, logger }))
  try {
    return await assemble(config, { clock, logger, database, providers })
  } catch (error) {
    if (!parts.database) await database.close()
    throw error
  }
}

async function assemble(config: Config, { clock, logger, database, providers }: Required<Parts>): Promise<App> {
  const db = database.prisma
  const secrets = createSecrets(loadSecret(config))
  const signingKeys = await loadSigningKeys({ database, clock, secrets })
  const accessTokens = createAccessTokens(tokenSettings(config), signingKeys)
  const authenticator = createAuthenticator({ accessTokens, trustedIssuers: config.trustedIssuers, database, clock, logger })
  const scope = { ...systemScope({ database, clock }), accessTokens }
  const metrics = createMetrics()
  const traffic = createTraffic(patienceMs)
  const { mailer, mailbox } = await createMailer(config, accessTokens.issuer)
  const { appName, mailTemplates } = config
  const handlers = { [mailKind]: createMailHandler({ mailer, secrets, sources: mailTemplates ?? defaultSources, appName, clock }) }
  const outside = { providers, askOldDirectory: createOldDirectories(logger) }
  const authentication = createAuthentication({ config, accessTokens, secrets, mailEnabled: mailer !== null, ...outside })
  const foreign = await foreignProviders({ db }, authentication.trustedProviders)
  if (foreign.length > 0) throw new ConfigError(foreign.map(sharesIdentities))
  const inTheWay = await declareConnections({ ...scope, ...authentication }, config.connections)
  if (inTheWay.length > 0) throw new ConfigError(inTheWay.map((problem) => `CONNECTIONS: ${problem}`))
  const outbox = createOutbox({ db, clock, logger, metrics, handlers })
  const jobRunner = createJobRunner({ db, clock, logger, handlers: createJobHandlers({ config, database, clock, metrics, traffic }) })
  return Object.freeze({
    config,
    version: packageVersion(),
    database,
    clock,
    logger,
    metrics,
    traffic,
    signingKeys,
    accessTokens,
    authentication,
    mailer,
    mailEnabled: mailer !== null,
    mailbox,
    outbox,
    jobRunner,
    authenticate: authenticator.authenticate,
    schema: buildSchema(),
    developmentToken: config.mode === 'development' ? await developmentToken(scope, { dataDir: config.dataDir, authenticator }) : null,
    close: async () => {
      await Promise.all([outbox.stop(), jobRunner.stop()])
      mailer?.close()
      await authenticator.settled()
      await database.close()
    },
  })
}

function sharesIdentities(provider: string): string {
  return `TRUSTED_ISSUERS: the connection ${provider} has the identities of this provider, and another issuer`
}

/** What does each kind of job. */
function createJobHandlers(parts: Pick<App, 'config' | 'database' | 'clock' | 'metrics' | 'traffic'>): JobParts['handlers'] {
  const { config, database, clock, metrics, traffic } = parts
  const batchSize = importBatchSize(database.engine)
  const { importWeakHashes: weakHashes } = config
  return {
    IMPORT: createImportHandler({
      db: database.prisma,
      copyRows: database.copyRows,
      clock,
      batchSize,
      weakHashes,
      onRetry: metrics.databaseRetry,
      giveWay: traffic.giveWay,
    }),
    EXPORT: createExportHandler({ database, clock }),
  }
}

/** Roster itself, for what it does without a request. */
export function systemScope({ database, clock, outbox }: Pick<App, 'database' | 'clock'> & Partial<Pick<App, 'outbox'>>): BulkScope {
  const { prisma: db, copyRows } = database
  return { db, copyRows, clock, onQueued: outbox?.wake, caller: { principal: system, ip: null, userAgent: null, requestId: null } }
}

/** The version in package.json. */
export function packageVersion(): string {
  const text = readFileSync(join(packageFolder, 'package.json'), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
