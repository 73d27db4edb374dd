import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { isLoopback, parseConfig } from '../src/config.ts'
import { ConfigError } from '../src/config-error.ts'
import { variables } from '../src/config-variables.ts'
import { testFolder } from './setup/build.ts'

const secret = 'a secret of more than thirty-two characters'
const production = { NODE_ENV: 'production', ROSTER_SECRET: secret, PUBLIC_URL: 'https://users.example.com/' }

/** The lines with which an environment is refused. */
function problems(environment: Record<string, string>): readonly string[] {
  try {
    parseConfig(environment)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

describe('without any variable', () => {
  test('it is development on loopback, with the embedded database', () => {
    expect(parseConfig({})).toEqual({
      mode: 'development',
      host: '127.0.0.1',
      port: 4000,
      adminPort: null,
      databaseUrl: null,
      databasePoolSize: 10,
      statementTimeoutMs: 3000,
      dataDir: './.roster',
      secret: null,
      publicUrl: null,
      tokenAudience: null,
      accessTokenSeconds: 900,
      sessionSeconds: 2_592_000,
      sessionIdleSeconds: 1_209_600,
      signUp: true,
      emailConfirmation: 'required',
      passwordMinLength: 8,
      argon2MemoryKib: 19_456,
      argon2Passes: 2,
      argon2Lanes: 1,
      rateLimits: {},
      signingKeyDays: 90,
      historyDays: 0,
      trustedIssuers: [],
      connections: [],
      userMetadataClaim: null,
      corsOrigins: 'loopback',
      allowedRedirects: 'loopback',
      emailChangeConfirmation: 'both',
      trustedProxies: [],
      appName: 'Roster',
      smtpUrl: null,
      mailFrom: null,
      mailTemplates: null,
      graphiql: true,
      introspection: true,
      maxBodyBytes: 100_000,
      uploadMaxBytes: 2_147_483_648,
      importWeakHashes: 'accept',
      requestTimeoutMs: 5000,
      drainTimeoutMs: 25_000,
      logLevel: 'info',
    })
  })

  test('the defaults are those that the table of variables says', () => {
    const config: Record<string, unknown> = parseConfig({})
    const written = Object.entries(variables).filter(([, { default: text }]) => /^(\d+|true|\.\/\S+|info|development)$/.test(text))
    const camel = (name: string) =>
      name
        .replace(/^(ROSTER|NODE)_/, '')
        .toLowerCase()
        .replace(/_(\w)/g, (_, letter) => letter.toUpperCase())

    expect(written.length).toBeGreaterThan(8)
    for (const [name, { default: text }] of written)
      expect(`${name} ${config[camel(name === 'NODE_ENV' ? 'MODE' : name)]}`).toBe(`${name} ${text}`)
  })

  test('an empty variable counts as absent', () => {
    const empty = Object.fromEntries(Object.keys(variables).map((name) => [name, '']))

    expect(parseConfig(empty)).toEqual(parseConfig({}))
  })
})

test('production listens everywhere, and shows neither GraphiQL nor the schema, unless it is told to', () => {
  expect(parseConfig(production)).toMatchObject({ mode: 'production', host: '0.0.0.0', graphiql: false, introspection: false })
  expect(parseConfig({ ...production, HOST: '10.0.0.1', GRAPHIQL: 'true', INTROSPECTION: 'true' })).toMatchObject({
    host: '10.0.0.1',
    graphiql: true,
    introspection: true,
  })
})

describe('production', () => {
  test('without ROSTER_SECRET and PUBLIC_URL is refused with one line that says what to set', () => {
    expect(problems({ NODE_ENV: 'production' })).toEqual([
      'In production, set ROSTER_SECRET (32 random characters or more) and PUBLIC_URL (https://users.example.com).',
    ])
  })

  test.each(['ROSTER_SECRET', 'PUBLIC_URL'])('without %s names that alone', (name) => {
    const [line, ...others] = problems({ ...production, [name]: '' })

    expect(others).toEqual([])
    expect(line).toContain(name)
    expect(line).not.toContain(' and ')
  })

  test('with a secret that is too short is refused, and the secret is not repeated', () => {
    const lines = problems({ ...production, ROSTER_SECRET: 'short-and-secret' })

    expect(lines).toEqual(['ROSTER_SECRET: must have at least 32 characters'])
  })
})

describe('development', () => {
  test.each(['0.0.0.0', '::', '192.168.1.5', 'example.com'])('does not listen on %s', (host) => {
    expect(problems({ HOST: host })).toEqual([`HOST: development mode listens on loopback only, not on ${host}; set NODE_ENV=production`])
  })

  test.each(['localhost', '127.0.0.1', '127.8.9.10', '::1'])('listens on %s', (host) => {
    expect(isLoopback(host)).toBe(true)
    expect(parseConfig({ HOST: host }).host).toBe(host)
  })
})

test('all problems are told at once, a line each', () => {
  const lines = problems({
    NODE_ENV: 'staging',
    PORT: '70000',
    DATABASE_URL: 'mysql://localhost/app',
    ACCESS_TOKEN_SECONDS: '5',
    TRUSTED_ISSUERS: '{}',
    CORS_ORIGINS: 'https://app.example.com,*',
    TRUSTED_PROXIES: '10.0.0.0/33',
    SMTP_URL: 'mail.example.com',
    MAIL_FROM: 'nobody',
    MAIL_TEMPLATES_DIR: '/nowhere',
    GRAPHIQL: 'yes',
    MAX_BODY_BYTES: '1e5',
    LOG_LEVEL: 'loud',
    ROSTER_DATADIR: '/data',
  })

  expect(lines.map((line) => line.split(':')[0])).toEqual([
    'NODE_ENV',
    'PORT',
    'DATABASE_URL',
    'ACCESS_TOKEN_SECONDS',
    'TRUSTED_ISSUERS',
    'CORS_ORIGINS',
    'TRUSTED_PROXIES',
    'SMTP_URL',
    'MAIL_FROM',
    'MAIL_TEMPLATES_DIR',
    'GRAPHIQL',
    'MAX_BODY_BYTES',
    'LOG_LEVEL',
    'ROSTER_DATADIR',
  ])
  for (const line of lines) expect(line).not.toContain('\n')
})

test.each(['-1', '65536', '4000.5', '0x10', ' 80', '1e3', 'NaN', '٤٠٠٠'])('the port %j is refused', (port) => {
  expect(problems({ PORT: port })).toEqual(['PORT: must be a whole number from 0 to 65535'])
})

test('an unknown ROSTER_ name is refused, other unknown names are not ours', () => {
  expect(problems({ ROSTER_SECRETS: secret, ROSTER_PORT_FILE: '/x', HOME: '/x', npm_config_cache: '/x' })).toEqual([
    'ROSTER_SECRETS: there is no such variable',
    'ROSTER_PORT_FILE: there is no such variable',
  ])
})

describe('X_FILE', () => {
  const file = (text: string) => {
    const path = join(testFolder(), 'value')
    writeFileSync(path, text)
    return path
  }

  test('names a file that holds X, without the white space around it', () => {
    expect(parseConfig({ ROSTER_SECRET_FILE: file(`${secret}\n`), PORT_FILE: file('4001\n') })).toMatchObject({ secret, port: 4001 })
  })

  test('together with X is refused', () => {
    expect(problems({ ROSTER_SECRET: secret, ROSTER_SECRET_FILE: file(secret) })).toEqual([
      'ROSTER_SECRET: is set twice, by ROSTER_SECRET and ROSTER_SECRET_FILE',
    ])
  })

  test('that cannot be read is refused', () => {
    expect(problems({ ROSTER_SECRET_FILE: '/nowhere/secret' })).toEqual(['ROSTER_SECRET: ROSTER_SECRET_FILE cannot be read'])
  })
})

test('the public URL is kept without a slash at its end, so that it is the exact issuer', () => {
  expect(parseConfig({ PUBLIC_URL: 'https://example.com/users/' }).publicUrl).toBe('https://example.com/users')
  for (const url of ['users.example.com', 'ftp://example.com', 'https://example.com/?a=b', 'https://example.com/#a'])
    expect(problems({ PUBLIC_URL: url })).toEqual(['PUBLIC_URL: must be an http or https URL without query'])
})

test('Roster itself is no issuer to be trusted beside it', () => {
  const issuer = { issuer: 'http://localhost:4000', audience: 'a', provider: 'p', jwksUrl: 'https://example.com/jwks' }

  expect(problems({ TRUSTED_ISSUERS: JSON.stringify([issuer]) })).toEqual(['TRUSTED_ISSUERS: http://localhost:4000 is Roster itself'])
})

test.each(['user_metadata', 'urn:example:user', 'https://a b'])('%j is no name that is ours for a claim', (claim) => {
  expect(problems({ USER_METADATA_CLAIM: claim })).toEqual([
    'USER_METADATA_CLAIM: must be an http or https URL such as https://example.com/user_metadata',
  ])
})

test('no session may end by being idle before its access token does', () => {
  expect(problems({ SESSION_IDLE_SECONDS: '899' })).toEqual([
    'SESSION_IDLE_SECONDS: must not be less than ACCESS_TOKEN_SECONDS, or sessions end before they are renewed',
  ])
  expect(problems({ SESSION_IDLE_SECONDS: '600', ACCESS_TOKEN_SECONDS: '600' })).toEqual([])
})

test('lists are separated by commas, with blanks or without', () => {
  const config = parseConfig({ CORS_ORIGINS: ' https://a.example.com, http://localhost:3000,', TRUSTED_PROXIES: '10.0.0.0/8,::1' })

  expect(config.corsOrigins).toEqual(['https://a.example.com', 'http://localhost:3000'])
  expect(config.trustedProxies).toEqual(['10.0.0.0/8', '::1'])
})

test.each(['*', 'null', 'https://app.example.com/', 'app.example.com', 'https://APP.example.com'])('%j is no origin', (origin) => {
  expect(problems({ CORS_ORIGINS: origin })).toHaveLength(1)
})

test('what was parsed cannot be changed', () => {
  expect(Object.isFrozen(parseConfig({}))).toBe(true)
})
