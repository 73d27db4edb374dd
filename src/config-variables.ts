import {
  addressRange,
  atLeast,
  boolean,
  claimName,
  httpUrl,
  integer,
  list,
  mailbox,
  oneLine,
  oneOf,
  origin,
  postgresUrl,
  redirectUrl,
  smtpUrl,
} from './config-values.ts'
import { type DeclaredConnection, parseConnections, type ReadVariable } from './declared-connections.ts'
import { parseBudgets } from './domain/budget.ts'
import { readTemplates } from './domain/mail/read-templates.ts'
import { parseTrustedIssuers } from './trusted-issuers.ts'

const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const
/** How much is logged. */
export type LogLevel = (typeof logLevels)[number]

/** One variable: what the README's table says of it, and how its text becomes a value. */
type Variable<Value> = Readonly<{
  default: string
  description: string
  /** `read` is for another variable that this one names. */
  parse: (text: string | undefined, read: ReadVariable) => Value
}>

/** The variables, in the order of the README's table, which is generated from them. */
export const variables = {
  NODE_ENV: variable('development', '`production` or `development`.', (text = 'development') =>
    oneOf(text, ['development', 'production', 'test']) === 'production' ? ('production' as const) : ('development' as const),
  ),
  PORT: variable('4000', 'The port to listen on; 0 takes a free one.', (text = '4000') => integer(text, 0, 65_535)),
  HOST: variable(
    '127.0.0.1; 0.0.0.0 in production',
    'The address to listen on. Development mode listens on loopback only.',
    (text) => text ?? null,
  ),
  ADMIN_PORT: variable(
    'none',
    'When set, the whole graph and `/metrics` are served on this port, and `PORT` serves only what a user or the public can reach.',
    (text) => (text === undefined ? null : integer(text, 0, 65_535)),
  ),
  DATABASE_URL: variable(
    'none: embedded PGlite',
    'A PostgreSQL connection string, `postgresql://user:password@host:5432/database`.',
    (text) => (text === undefined ? null : postgresUrl(text)),
  ),
  DATABASE_POOL_SIZE: variable(
    '10',
    'The most connections one process opens to PostgreSQL, 1 to 1000. From 4 on, one of them is for short reads. Where PostgreSQL takes fewer, requests share those it took.',
    (text = '10') => integer(text, 1, 1000),
  ),
  STATEMENT_TIMEOUT_MS: variable(
    '3000',
    'How long one SQL statement may run, 100 to 60000 ms. PGlite does not enforce it.',
    (text = '3000') => integer(text, 100, 60_000),
  ),
  ROSTER_DATA_DIR: variable(
    './.roster',
    'The data directory: the embedded database, and in development the secret and the admin token.',
    (text = './.roster') => text,
  ),
  ROSTER_SECRET: variable(
    'made in development; required in production',
    'Seals what is secret at rest: at least 32 characters, the same on every process.',
    (text) => (text === undefined ? null : atLeast(text, 32)),
  ),
  PUBLIC_URL: variable(
    'http://localhost:PORT; required in production',
    'Where clients reach Roster: the issuer of its tokens and the base of its links.',
    (text) => (text === undefined ? null : httpUrl(text)),
  ),
  TOKEN_AUDIENCE: variable('PUBLIC_URL', 'The `aud` of own access tokens.', (text) => text ?? null),
  ACCESS_TOKEN_SECONDS: variable('900', 'How long an own access token lives, 60 to 3600 s.', (text = '900') => integer(text, 60, 3600)),
  SESSION_SECONDS: variable('2592000', 'How long a session stands at the most, 300 s to 400 days.', (text = '2592000') =>
    integer(text, 300, 34_560_000),
  ),
  SESSION_IDLE_SECONDS: variable('1209600', 'How long a session stands without being renewed, 300 s to 400 days.', (text = '1209600') =>
    integer(text, 300, 34_560_000),
  ),
  SIGN_UP: variable('true', 'Whether people may sign up by themselves; `false` closes every door to it.', (text = 'true') => boolean(text)),
  EMAIL_CONFIRMATION: variable(
    'required',
    '`required`: whoever has an e-mail address signs in once it is verified. `off`: signing up signs in at once, and tells which addresses are taken.',
    (text = 'required') => oneOf(text, ['required', 'off'] as const),
  ),
  PASSWORD_MIN_LENGTH: variable(
    '8',
    'The fewest characters of a new password, 8 to 64. NIST SP 800-63B-4 wants 15 where the password is the only factor.',
    (text = '8') => integer(text, 8, 64),
  ),
  ARGON2_MEMORY_KIB: variable(
    '19456',
    'Memory of one password hash, 19456 to 262144 KiB. What is raised here is raised for each user at the next sign-in.',
    (text = '19456') => integer(text, 19_456, 262_144),
  ),
  ARGON2_PASSES: variable('2', 'Passes of one password hash, 2 to 16.', (text = '2') => integer(text, 2, 16)),
  ARGON2_LANES: variable('1', 'Lanes of one password hash, 1 to 16.', (text = '1') => integer(text, 1, 16)),
  RATE_LIMITS: variable(
    'see "Limits"',
    'Other limits than the defaults, comma-separated: `signIn.network=1000/600` is 1000 tries in 600 seconds.',
    (text = '') => parseBudgets(list(text)),
  ),
  SIGNING_KEY_DAYS: variable(
    '90',
    'After how many days another key begins to sign own tokens, 1 to 3650; 0: only when `roster keys rotate` is run.',
    (text = '90') => integer(text, 0, 3650),
  ),
  HISTORY_DAYS: variable('0', 'How many days history is kept, 1 to 36500; 0: for ever.', (text = '0') => integer(text, 0, 36_500)),
  TRUSTED_ISSUERS: variable('[]', 'Issuers whose tokens are accepted, as JSON; see "Tokens of an issuer you already run".', (text = '[]') =>
    parseTrustedIssuers(text),
  ),
  CONNECTIONS: variable(
    '[]',
    'Connections to providers, as JSON, that are made or brought up to date at each start; see docs/sign-in-with-providers.md.',
    (text = '[]', read): readonly DeclaredConnection[] => parseConnections(text, read),
  ),
  USER_METADATA_CLAIM: variable(
    'none',
    'The name, a URL of yours, of the claim that `/userinfo` answers `userMetadata` as: `https://example.com/user_metadata`.',
    (text) => (text === undefined ? null : claimName(text)),
  ),
  CORS_ORIGINS: variable(
    'none; in development the pages of this machine',
    'Origins whose pages may call the API, comma-separated: `https://app.example.com`.',
    (text) => (text === undefined ? null : list(text).map(origin)),
  ),
  ALLOWED_REDIRECTS: variable(
    'none; in development those of this machine',
    'URLs that links may send browsers to afterwards, comma-separated and compared as a whole: `https://app.example.com/welcome`.',
    (text) => (text === undefined ? null : list(text).map(redirectUrl)),
  ),
  EMAIL_CHANGE_CONFIRMATION: variable(
    'both',
    'Who confirms when a user changes the address: `both`, the old and the new one, or only the `new` one.',
    (text = 'both') => oneOf(text, ['both', 'new'] as const),
  ),
  TRUSTED_PROXIES: variable(
    'none',
    'Addresses or CIDR ranges, comma-separated, of proxies whose `X-Forwarded-For` is believed.',
    (text = '') => list(text).map(addressRange),
  ),
  APP_NAME: variable('Roster', 'The name of your application in mails and on pages, up to 64 characters.', (text = 'Roster') =>
    oneLine(text, 64),
  ),
  SMTP_URL: variable(
    'none: a mailbox at `/mailbox`; in production, no mail',
    'Where mail is sent: `smtps://user:password@host:465`, or `smtp://` for STARTTLS.',
    (text) => (text === undefined ? null : smtpUrl(text)),
  ),
  MAIL_FROM: variable(
    'APP_NAME <no-reply@host of PUBLIC_URL>',
    'Who mail comes from: `Example <no-reply@example.com>`, or the address alone.',
    (text) => (text === undefined ? null : mailbox(text)),
  ),
  MAIL_TEMPLATES_DIR: variable('none', 'A directory of templates in place of the default ones; see docs/signing-in.md.', (text) =>
    text === undefined ? null : readTemplates(text),
  ),
  GRAPHIQL: variable('true; false in production', 'Whether `GET /graphql` shows GraphiQL.', (text) =>
    text === undefined ? null : boolean(text),
  ),
  INTROSPECTION: variable(
    'true; false in production',
    'Whether the schema may be introspected, and errors suggest names from it.',
    (text) => (text === undefined ? null : boolean(text)),
  ),
  MAX_BODY_BYTES: variable('100000', 'The largest request body, 1000 to 10000000 bytes.', (text = '100000') =>
    integer(text, 1000, 10_000_000),
  ),
  UPLOAD_MAX_BYTES: variable(
    '2147483648',
    'The largest file that is taken by `PUT /uploads`, 1000 bytes to 1 TB. It is kept in the database for a day.',
    (text = '2147483648') => integer(text, 1000, 1_000_000_000_000),
  ),
  IMPORT_WEAK_HASHES: variable(
    'accept',
    'What becomes of password hashes that are easily guessed from when users are imported over the API: `accept` keeps them until the next sign-in, `refuse` refuses the record, `reset` imports the user without a password.',
    (text = 'accept') => oneOf(text, ['accept', 'refuse', 'reset'] as const),
  ),
  REQUEST_TIMEOUT_MS: variable(
    '5000',
    'How long a request may take before it is answered SERVICE_UNAVAILABLE, 500 to 60000 ms.',
    (text = '5000') => integer(text, 500, 60_000),
  ),
  DRAIN_TIMEOUT_MS: variable('25000', 'How long requests in flight may take to finish after SIGTERM, 0 to 300000 ms.', (text = '25000') =>
    integer(text, 0, 300_000),
  ),
  LOG_LEVEL: variable('info', '`debug`, `info`, `warn`, `error` or `silent`.', (text = 'info') => oneOf(text, logLevels)),
} satisfies Record<string, Variable<unknown>>

function variable<Value>(defaultText: string, description: string, parse: Variable<Value>['parse']): Variable<Value> {
  return { default: defaultText, description, parse }
}
