import type { GraphQLFormattedError } from 'graphql'
import { type App, createApp, systemScope } from '../src/app.ts'
import { parseConfig } from '../src/config.ts'
import { createAdminToken } from '../src/domain/admin-token.ts'
import type { PermissionScope } from '../src/domain/principal.ts'
import { startSession } from '../src/domain/session.ts'
import { type CreateUserInput, createUser } from '../src/domain/user/create-user.ts'
import type { Clock } from '../src/ports/clock.ts'
import { createLogger, type Logger } from '../src/ports/logger.ts'
import type { MailMessage } from '../src/ports/mailer.ts'
import type { Providers } from '../src/ports/providers.ts'
import { createServer } from '../src/server.ts'
import { secret } from './callers.ts'
import { emptyDatabase, testDatabase } from './database.ts'
import { temporaryFolder } from './setup/build.ts'

/** What a GraphQL request was answered with. */
export type Answer = {
  status: number
  headers: Headers
  data: Record<string, unknown> | null | undefined
  errors: GraphQLFormattedError[] | undefined
}

/** A user with a session. */
export type Person = Readonly<{ id: string; token: string }>

/** A clock that tests move. */
export type TestClock = Clock & Readonly<{ advance: (by: { minutes?: number; seconds?: number }) => void; reset: () => void }>

type Asked = { token?: string | null; variables?: Record<string, unknown>; headers?: Record<string, string> }

/** A server on the database of the run, and the people who call it. */
export type Harness = Readonly<{
  app: App
  clock: TestClock
  url: string
  /** Sends an operation. */
  run: (query: string, asked?: Asked) => Promise<Answer>
  /** Sends a body as it stands. */
  post: (body: string, asked?: Asked) => Promise<Answer>
  /** Sends an operation with a token of the scope `admin`, and answers its data. @throws when there are errors */
  admin: (query: string, variables?: Record<string, unknown>) => Promise<Record<string, unknown>>
  adminToken: (...scopes: PermissionScope[]) => Promise<string>
  aUser: (input: CreateUserInput) => Promise<Person>
  signIn: (userId: string) => Promise<string>
  /** The mail that was sent, in order, when all that is due is sent. Of an app with SMTP_URL, or in production, none. */
  mails: () => Promise<readonly MailMessage[]>
  /** Empties the database and the mailbox, and sets the clock right. */
  reset: () => Promise<void>
}>

/** The secret that every app of the tests seals with. */
export const testSecret = secret

/** Starts a server with these variables, on PORT where that is set; it ends with the run. */
export async function boot(
  environment: Record<string, string> = {},
  { graph = 'whole', ...parts }: { graph?: 'whole' | 'public'; logger?: Logger; providers?: Providers } = {},
): Promise<Harness> {
  const dataDir = temporaryFolder()
  const config = parseConfig({ ROSTER_SECRET: testSecret, ROSTER_DATA_DIR: dataDir, ...environment })
  const clock = testClock()
  const database = await testDatabase()
  // Another file may have left a signing key there that was sealed with another secret.
  await emptyDatabase(database)
  const app = await createApp(config, { clock, logger: createLogger('silent'), database, ...parts })
  const server = createServer(app, { graph })
  const { port } = await server.listen('PORT' in environment ? config.port : 0, '127.0.0.1')
  return harness(app, clock, `http://127.0.0.1:${port}`)
}

function harness(app: App, clock: TestClock, url: string): Harness {
  const scope = { ...systemScope(app), accessTokens: app.accessTokens }
  const adminToken = async (...scopes: PermissionScope[]) => (await createAdminToken(scope, { name: 'test', scopes })).token
  const signIn = async (userId: string) => {
    const input = { userId, connection: 'password', aal: 'aal1', amr: ['pwd'], ip: '192.0.2.1', userAgent: 'test' }
    return (await startSession(scope, app.authentication, input)).accessToken
  }
  const post: Harness['post'] = (body, asked = {}) => send(url, body, asked)
  const run: Harness['run'] = (query, asked = {}) => post(JSON.stringify({ query, variables: asked.variables }), asked)
  return {
    app,
    clock,
    url,
    run,
    post,
    adminToken,
    signIn,
    admin: async (query, variables = {}) => expectData(await run(query, { token: await adminToken('admin'), variables })),
    aUser: async (input) => {
      const { userId } = await createUser({ ...scope, ...app.authentication }, input)
      return { id: userId, token: await signIn(userId) }
    },
    mails: async () => {
      await app.outbox.settled()
      return [...(app.mailbox?.list() ?? [])].reverse()
    },
    reset: async () => {
      clock.reset()
      app.mailbox?.clear()
      await emptyButKeys(app)
    },
  }
}

async function send(url: string, body: string, { token = null, headers = {} }: Asked): Promise<Answer> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...headers },
    body,
  })
  const { data, errors } = (await response.json()) as Pick<Answer, 'data' | 'errors'>
  return { status: response.status, headers: response.headers, data, errors }
}

/** The data of an answer without errors. */
export function expectData({ data, errors, status }: Answer): Record<string, unknown> {
  if (errors !== undefined || !data) throw new Error(`${status}: ${JSON.stringify(errors)}`)
  return data
}

/** The signing key stays: other processes on this database have it in memory. */
async function emptyButKeys({ database: { prisma } }: App): Promise<void> {
  await prisma.$executeRaw`
    DO $$ BEGIN EXECUTE (
      SELECT 'TRUNCATE ' || string_agg(format('%I.%I', schemaname, tablename), ', ') || ' CASCADE'
      FROM pg_tables WHERE schemaname = 'roster' AND tablename NOT IN ('_prisma_migrations', 'signing_keys')
    ); END $$`
}

function testClock(): TestClock {
  let offsetMs = 0
  return {
    now: () => new Date(Date.now() + offsetMs),
    advance: ({ minutes = 0, seconds = 0 }) => {
      offsetMs += (minutes * 60 + seconds) * 1000
    },
    reset: () => {
      offsetMs = 0
    },
  }
}
