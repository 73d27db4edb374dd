import { pino } from 'pino'
import type { App } from '../src/app.ts'
import { createAuthentication } from '../src/authentication.ts'
import { parseConfig } from '../src/config.ts'
import { createSecrets } from '../src/crypto/secrets.ts'
import { createJobRunner } from '../src/domain/job-runner.ts'
import { createOutbox } from '../src/domain/outbox.ts'
import { createMetrics } from '../src/ports/metrics.ts'
import { createProviders } from '../src/ports/providers.ts'
import { createTraffic } from '../src/ports/traffic.ts'
import { createServer, type RosterServer } from '../src/server.ts'
import { callersOn, secret } from './callers.ts'
import { testDatabase } from './database.ts'
import { smallSchema } from './small-schema.ts'

/** A listening server on the small schema, and what it wrote. */
export type TestServer = Readonly<{
  url: string
  port: number
  app: App
  server: RosterServer
  schema: ReturnType<typeof smallSchema>
  /** The log, a line an entry. */
  logs: Record<string, unknown>[]
  /** An admin token that stands. */
  adminToken: () => Promise<string>
  /** Sends an operation as most clients do. */
  run: (query: string, variables?: object, headers?: Record<string, string>) => Promise<Reply>
  /** Sends a body as it stands. */
  post: (body: BodyInit, headers?: Record<string, string>) => Promise<Reply>
}>

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into by the tests
export type Reply = { status: number; headers: Headers; text: string; json: any }

type Options = Readonly<{ graph?: 'whole' | 'public'; maxInFlight?: number; database?: Partial<App['database']> }>

const production = { NODE_ENV: 'production', HOST: '127.0.0.1', ROSTER_SECRET: secret, PUBLIC_URL: 'https://users.example.com' }

/** Starts a server with the defaults of production and these variables. The caller ends it: `await server.drain()`. */
export async function startServer(
  environment: Record<string, string> = {},
  { graph = 'whole', database, ...options }: Options = {},
): Promise<TestServer> {
  const config = parseConfig({ ...production, ...environment })
  const shared = await testDatabase()
  const { clock, signingKeys, accessTokens, authenticate, anAdminToken } = await callersOn(shared)
  const logs: Record<string, unknown>[] = []
  const logger = pino({ level: 'debug', base: null }, { write: (line: string) => logs.push(JSON.parse(line)) })
  const metrics = createMetrics()
  const schema = smallSchema()
  const developmentToken = config.mode === 'development' ? { token: (await anAdminToken(['admin'])).token, isNew: true } : null
  const app: App = {
    config,
    version: '0.0.0',
    database: { ...shared, ...database },
    clock,
    logger,
    metrics,
    traffic: createTraffic(60_000),
    signingKeys,
    accessTokens,
    authentication: createAuthentication({
      config,
      accessTokens,
      secrets: createSecrets(secret),
      mailEnabled: false,
      providers: createProviders(logger),
      askOldDirectory: async () => null,
    }),
    mailer: null,
    mailEnabled: false,
    mailbox: null,
    outbox: createOutbox({ db: shared.prisma, clock, logger, metrics, handlers: {} }),
    jobRunner: createJobRunner({ db: shared.prisma, clock, logger, handlers: {} }),
    authenticate,
    schema,
    developmentToken,
    close: async () => {},
  }
  const server = createServer(app, { graph, ...options })
  const { port } = await server.listen(0, '127.0.0.1')
  const url = `http://127.0.0.1:${port}`
  const post: TestServer['post'] = async (body, headers = {}) => {
    const request = { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body, duplex: 'half' } as RequestInit
    return reply(await fetch(`${url}/graphql`, request))
  }
  const run: TestServer['run'] = (query, variables, headers) => post(JSON.stringify({ query, variables }), headers)
  return { url, port, app, server, schema, logs, run, post, adminToken: async () => (await anAdminToken(['admin'])).token }
}

/** Reads an answer whole. */
export async function reply(response: Response): Promise<Reply> {
  const text = await response.text()
  const isJson = /json/.test(response.headers.get('content-type') ?? '')
  return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : null }
}
