import { readFileSync } from 'node:fs'
import { ConfigError } from './config-error.ts'
import { type LogLevel, variables } from './config-variables.ts'
import type { DeclaredConnection } from './declared-connections.ts'
import type { Budgets } from './domain/budget.ts'
import type { TemplateSources } from './domain/mail/template-source.ts'
import type { Mailbox } from './ports/mailer.ts'
import type { TrustedIssuer } from './trusted-issuers.ts'

/** Everything that can be set, parsed once. Names carry their units. */
export type Config = Readonly<{
  /** `development` listens on loopback only, prints an admin token and opens GraphiQL; `production` does none of it. */
  mode: 'development' | 'production'
  host: string
  port: number
  /** Where the whole graph is served when it is cut by access; null: everything is on `port`. */
  adminPort: number | null
  /** PostgreSQL's connection string; null: embedded PGlite in `dataDir`. */
  databaseUrl: string | null
  databasePoolSize: number
  /** How long one SQL statement may run. */
  statementTimeoutMs: number
  dataDir: string
  /** Seals what is secret at rest; null in development: made and kept in the data directory. */
  secret: string | null
  /** The issuer of own tokens and the base of links, without a trailing slash; null in development: made from the port. */
  publicUrl: string | null
  /** The `aud` of own tokens; null: the public URL. */
  tokenAudience: string | null
  accessTokenSeconds: number
  /** How long a session stands at the most, and how long without being renewed. */
  sessionSeconds: number
  sessionIdleSeconds: number
  /** Whether people may sign up by themselves. */
  signUp: boolean
  /** Whether somebody who has an e-mail address signs in only once it is verified. */
  emailConfirmation: 'required' | 'off'
  /** Code points. */
  passwordMinLength: number
  /** What hashing a password costs. */
  argon2MemoryKib: number
  argon2Passes: number
  argon2Lanes: number
  /** Budgets that take the place of the defaults. */
  rateLimits: Readonly<Partial<Budgets>>
  /** After how many days the key that signs is replaced; 0: never by itself. */
  signingKeyDays: number
  /** How many days history is kept; 0: for ever. */
  historyDays: number
  trustedIssuers: readonly TrustedIssuer[]
  /** Connections that are made, or brought up to date, at start. */
  connections: readonly DeclaredConnection[]
  /** What the claim is called that carries `userMetadata` in `/userinfo`; null: none does. */
  userMetadataClaim: string | null
  /** Origins whose pages may call; `loopback`: every page that this machine serves. */
  corsOrigins: readonly string[] | 'loopback'
  /** URLs that links may send browsers to; `loopback`: those of this machine. */
  allowedRedirects: readonly string[] | 'loopback'
  /** Which addresses confirm when a user changes his. */
  emailChangeConfirmation: 'both' | 'new'
  /** Addresses or CIDR ranges of proxies whose X-Forwarded-For is believed. */
  trustedProxies: readonly string[]
  /** The name of the application in mails and on pages. */
  appName: string
  /** Where mail is sent; null: in development it is kept in a mailbox, in production there is none. */
  smtpUrl: string | null
  /** Who mail comes from; null: made from the name of the application and the public URL. */
  mailFrom: Mailbox | null
  /** What mails say; null: the default templates. */
  mailTemplates: TemplateSources | null
  graphiql: boolean
  introspection: boolean
  maxBodyBytes: number
  /** The largest file that is taken for an import. */
  uploadMaxBytes: number
  /** What becomes of weak password hashes in imports over the API. */
  importWeakHashes: 'accept' | 'refuse' | 'reset'
  /** How long a request may take before it is answered SERVICE_UNAVAILABLE. */
  requestTimeoutMs: number
  /** How long requests in flight may take to finish after SIGTERM. */
  drainTimeoutMs: number
  logLevel: LogLevel
}>

type Parsed = { [Name in keyof typeof variables]: ReturnType<(typeof variables)[Name]['parse']> }

/**
 * Reads the configuration from environment variables. An empty value counts as absent; `X_FILE` names a file that holds X.
 * @throws {ConfigError} with every problem at once, one line each
 */
export function parseConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const problems: string[] = []
  const parsed = {} as Record<string, unknown>
  for (const [name, variable] of Object.entries(variables)) {
    try {
      parsed[name] = variable.parse(readVariable(environment, name), (other) => readVariable(environment, other))
    } catch (error) {
      const found = error instanceof ConfigError ? error.problems : [(error as Error).message]
      problems.push(...found.map((problem) => `${name}: ${problem}`))
      parsed[name] = null
    }
  }
  const unknown = Object.keys(environment).filter((name) => name.startsWith('ROSTER_') && !(name.replace(/_FILE$/, '') in variables))
  for (const name of unknown) problems.push(`${name}: there is no such variable`)
  const config = toConfig(parsed as Parsed)
  problems.push(...missingInProduction(config, problems))
  const ownIssuer = config.publicUrl ?? `http://localhost:${config.port}`
  if (config.trustedIssuers?.some(({ issuer }) => issuer === ownIssuer)) problems.push(`TRUSTED_ISSUERS: ${ownIssuer} is Roster itself`)
  if (config.mode === 'development' && !isLoopback(config.host))
    problems.push(`HOST: development mode listens on loopback only, not on ${config.host}; set NODE_ENV=production`)
  if (parsed['SESSION_IDLE_SECONDS'] !== null && config.sessionIdleSeconds < config.accessTokenSeconds)
    problems.push('SESSION_IDLE_SECONDS: must not be less than ACCESS_TOKEN_SECONDS, or sessions end before they are renewed')
  if (problems.length > 0) throw new ConfigError(problems)
  return config
}

function toConfig(parsed: Parsed): Config {
  const production = parsed.NODE_ENV === 'production'
  return Object.freeze({
    mode: parsed.NODE_ENV,
    host: parsed.HOST ?? (production ? '0.0.0.0' : '127.0.0.1'),
    port: parsed.PORT,
    adminPort: parsed.ADMIN_PORT,
    databaseUrl: parsed.DATABASE_URL,
    databasePoolSize: parsed.DATABASE_POOL_SIZE,
    statementTimeoutMs: parsed.STATEMENT_TIMEOUT_MS,
    dataDir: parsed.ROSTER_DATA_DIR,
    secret: parsed.ROSTER_SECRET,
    publicUrl: parsed.PUBLIC_URL,
    tokenAudience: parsed.TOKEN_AUDIENCE,
    accessTokenSeconds: parsed.ACCESS_TOKEN_SECONDS,
    sessionSeconds: parsed.SESSION_SECONDS,
    sessionIdleSeconds: parsed.SESSION_IDLE_SECONDS,
    signUp: parsed.SIGN_UP,
    emailConfirmation: parsed.EMAIL_CONFIRMATION,
    passwordMinLength: parsed.PASSWORD_MIN_LENGTH,
    argon2MemoryKib: parsed.ARGON2_MEMORY_KIB,
    argon2Passes: parsed.ARGON2_PASSES,
    argon2Lanes: parsed.ARGON2_LANES,
    rateLimits: parsed.RATE_LIMITS,
    signingKeyDays: parsed.SIGNING_KEY_DAYS,
    historyDays: parsed.HISTORY_DAYS,
    trustedIssuers: parsed.TRUSTED_ISSUERS,
    connections: parsed.CONNECTIONS,
    userMetadataClaim: parsed.USER_METADATA_CLAIM,
    corsOrigins: parsed.CORS_ORIGINS ?? (production ? [] : 'loopback'),
    allowedRedirects: parsed.ALLOWED_REDIRECTS ?? (production ? [] : 'loopback'),
    emailChangeConfirmation: parsed.EMAIL_CHANGE_CONFIRMATION,
    trustedProxies: parsed.TRUSTED_PROXIES,
    appName: parsed.APP_NAME,
    smtpUrl: parsed.SMTP_URL,
    mailFrom: parsed.MAIL_FROM,
    mailTemplates: parsed.MAIL_TEMPLATES_DIR,
    graphiql: parsed.GRAPHIQL ?? !production,
    introspection: parsed.INTROSPECTION ?? !production,
    maxBodyBytes: parsed.MAX_BODY_BYTES,
    uploadMaxBytes: parsed.UPLOAD_MAX_BYTES,
    importWeakHashes: parsed.IMPORT_WEAK_HASHES,
    requestTimeoutMs: parsed.REQUEST_TIMEOUT_MS,
    drainTimeoutMs: parsed.DRAIN_TIMEOUT_MS,
    logLevel: parsed.LOG_LEVEL,
  })
}

/** What is set, but wrong, has been told already. */
function missingInProduction({ mode, secret, publicUrl }: Config, problems: readonly string[]): string[] {
  if (mode !== 'production') return []
  const isMissing = (name: string, value: string | null) => value === null && !problems.some((problem) => problem.startsWith(`${name}:`))
  const missing = [
    ...(isMissing('ROSTER_SECRET', secret) ? ['ROSTER_SECRET (32 random characters or more)'] : []),
    ...(isMissing('PUBLIC_URL', publicUrl) ? ['PUBLIC_URL (https://users.example.com)'] : []),
  ]
  return missing.length === 0 ? [] : [`In production, set ${missing.join(' and ')}.`]
}

function readVariable(environment: Readonly<Record<string, string | undefined>>, name: string): string | undefined {
  const file = environment[`${name}_FILE`]
  if (file === undefined || file === '') return environment[name] === '' ? undefined : environment[name]
  if (environment[name] !== undefined && environment[name] !== '') throw new Error(`is set twice, by ${name} and ${name}_FILE`)
  try {
    return readFileSync(file, 'utf8').trim() || undefined
  } catch {
    throw new Error(`${name}_FILE cannot be read`)
  }
}

/** Whether the address reaches this machine only. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)
}
