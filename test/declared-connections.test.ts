import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createApp } from '../src/app.ts'
import { parseConfig } from '../src/config.ts'
import { ConfigError } from '../src/config-error.ts'
import { createLogger } from '../src/ports/logger.ts'
import { postgresOnly } from './database.ts'
import { boot, expectData, type Harness, testSecret } from './harness.ts'
import { startServers } from './server-cluster.ts'
import { temporaryFolder, testFolder } from './setup/build.ts'
import { roster } from './setup/command-line.ts'

let harness: Harness

beforeAll(async () => {
  harness = await boot()
})
beforeEach(() => harness.reset())

const google = { key: 'google', strategy: 'GOOGLE', clientId: '1.apps.example' }
const acme = { key: 'acme-okta', strategy: 'OIDC', issuer: 'https://acme.okta.example', clientId: 'roster', allowSignUp: false }
const secret = 'canary-of-a-client-secret'

/** Starts an app on the database of the run, with these connections declared. */
async function start(connections: unknown, environment: Record<string, string> = {}): Promise<void> {
  const config = parseConfig({
    ROSTER_SECRET: testSecret,
    ROSTER_DATA_DIR: temporaryFolder(),
    CONNECTIONS: JSON.stringify(connections),
    ...environment,
  })
  await createApp(config, { clock: harness.clock, logger: createLogger('silent'), database: harness.app.database })
}

/** The lines with which a start is refused. */
async function problems(connections: unknown, environment: Record<string, string> = {}): Promise<readonly string[]> {
  try {
    await start(connections, environment)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

const connections = () => harness.app.database.prisma.connection.findMany({ orderBy: { key: 'asc' }, include: { secret: true } })
const events = async () => {
  const where = { type: { startsWith: 'connection.' } }
  return (await harness.app.database.prisma.auditEvent.findMany({ where, orderBy: { id: 'asc' } })).map(({ type }) => type)
}

describe('connections that the configuration declares', () => {
  test('are made at the first start, and left as they are at the next ones', async () => {
    await start([google, { ...acme, clientSecret: secret }])
    await start([google, { ...acme, clientSecret: secret }])

    expect(await connections()).toMatchObject([
      { ...acme, displayName: 'OpenID Connect', secret: {} },
      { ...google, displayName: 'Google', enabled: true, secret: null },
    ])
    expect(await events()).toEqual(['connection.created', 'connection.created'])
  })

  test('may be an old system that is asked for people', async () => {
    const old = { key: 'old-site', strategy: 'PASSWORD', verifierUrl: 'https://old.example/verify' }
    await start([old])

    expect(await connections()).toMatchObject([{ ...old, clientId: '' }])
    expect(await problems([{ ...old, verifierUrl: undefined }])).toEqual(['CONNECTIONS: 0.verifierUrl must be text'])
    expect(await problems([{ ...google, verifierUrl: old.verifierUrl }])).toHaveLength(1)
  })

  test('win over what was changed since, and leave alone what they do not say and who they do not name', async () => {
    await start([google, acme])
    const update = 'mutation($input: UpdateConnectionInput!) { updateConnection(input: $input) { errors { code } } }'
    for (const { id, key } of await connections())
      expectData(
        await harness.run(update, {
          token: await harness.adminToken('update:connections'),
          variables: { input: { id, clientId: `other-${key}`, enabled: false } },
        }),
      )

    await start([google])

    expect(await connections()).toMatchObject([
      { key: 'acme-okta', clientId: 'other-acme-okta', enabled: false },
      { ...google, enabled: false },
    ])
    expect(await events()).toEqual([
      'connection.created',
      'connection.created',
      'connection.updated',
      'connection.updated',
      'connection.updated',
    ])
  })

  test('have their secrets from variables and files, so that they can be in git; a new one is one event', async () => {
    const file = join(testFolder(), 'secret')
    writeFileSync(file, `${secret}\n`)
    const declared = [
      { ...google, clientSecretVariable: 'GOOGLE_SECRET' },
      { ...acme, clientSecretVariable: 'ACME_SECRET' },
    ]
    await start(declared, { GOOGLE_SECRET: 'one', ACME_SECRET_FILE: file })
    await start(declared, { GOOGLE_SECRET: 'two', ACME_SECRET_FILE: file })

    const opened = (await connections()).map(({ id, secret }) =>
      harness.app.authentication.secrets.unseal(secret?.sealedClientSecret ?? '', `connection-secret:${id}`),
    )
    expect(opened).toEqual([secret, 'two'])
    expect(await events()).toEqual(['connection.created', 'connection.created', 'connection.updated'])
  })

  test('are refused as a whole with everything that is wrong, by its path, and no secret is repeated', async () => {
    const lines = await problems(
      [
        { ...google, clientId: 7, colour: 'blue', enabled: 'yes' },
        { ...acme, key: 'Acme', issuer: 'http://acme.example', scopes: ['profile'], attributeMap: { nose: '/nose' } },
        'acme',
        { ...acme, clientSecret: secret, clientSecretVariable: 'NOT_SET' },
        { ...acme, clientSecretVariable: 'UNREADABLE' },
        google,
      ],
      { UNREADABLE_FILE: '/nowhere/secret' },
    )

    expect(lines).toEqual([
      'CONNECTIONS: 0.colour is not known',
      'CONNECTIONS: 0.clientId must be text',
      'CONNECTIONS: 0.enabled must be true or false',
      expect.stringMatching(/^CONNECTIONS: 1\.key: A key has/),
      expect.stringMatching(/^CONNECTIONS: 1\.issuer: An issuer is an https URL/),
      expect.stringMatching(/^CONNECTIONS: 1\.scopes: .*openid/),
      expect.stringMatching(/^CONNECTIONS: 1\.attributeMap\.nose: /),
      'CONNECTIONS: 2 must be an object',
      'CONNECTIONS: 3.clientSecretVariable: there is a clientSecret already',
      'CONNECTIONS: 3.clientSecretVariable: this variable is not set',
      'CONNECTIONS: 4.clientSecretVariable: UNREADABLE_FILE cannot be read',
      'CONNECTIONS: the key "acme-okta" is there twice',
    ])
    expect(await connections()).toEqual([])
    expect(await problems({ google })).toEqual(['CONNECTIONS: must be a JSON array'])
  })

  test('do not become another provider’s: nothing is changed then', async () => {
    await start([google, acme])

    expect(
      await problems([
        { ...google, clientId: 'other' },
        { ...acme, issuer: 'https://other.okta.example' },
      ]),
    ).toEqual(['CONNECTIONS: 1.issuer: the connection has another issuer, which never changes'])
    expect(await problems([{ ...google, strategy: 'APPLE' }])).toEqual([
      'CONNECTIONS: 0.strategy: the connection has the strategy GOOGLE, which never changes',
      'CONNECTIONS: 0.issuer: the connection has another issuer, which never changes',
    ])
    expect(await connections()).toMatchObject([acme, google])
  })
})

describe('a trusted issuer and a connection', () => {
  const trust = (provider: string, issuer: string) =>
    JSON.stringify([{ issuer, audience: 'roster', provider, jwksUrl: 'https://sso.example/jwks' }])
  const others = trust('acme-okta', 'https://sso.example')
  const refusal = 'the connection acme-okta has the identities of this provider, and another issuer'

  test('do not share identities, unless they are of one issuer (C7.83)', async () => {
    expect(await problems([acme], { TRUSTED_ISSUERS: others })).toEqual([
      'CONNECTIONS: 0.key: identities of a trusted issuer, another one, have this name',
    ])
    expect(await problems([acme], { TRUSTED_ISSUERS: trust('acme-okta', acme.issuer) })).toEqual([])
    expect(await problems([], { TRUSTED_ISSUERS: others })).toEqual([`TRUSTED_ISSUERS: ${refusal}`])
  })

  test('do not when the connection is made later, either (C7.83)', async () => {
    const trusting = await boot({ TRUSTED_ISSUERS: others })
    const create = 'mutation ($input: CreateConnectionInput!) { createConnection(input: $input) { errors { code path } } }'

    expect(await trusting.admin(create, { input: acme })).toEqual({
      createConnection: { errors: [{ code: 'INVALID_INPUT', path: ['input', 'key'] }] },
    })
  })
})

test('a server does not start with a file that is wrong: 2, and a line for each problem', async () => {
  const file = join(testFolder(), 'connections.json')
  writeFileSync(file, JSON.stringify([{ key: 'google' }]))

  expect(await roster(['serve'], { CONNECTIONS_FILE: file, ROSTER_DATA_DIR: temporaryFolder() })).toMatchObject({
    exitCode: 2,
    errors:
      'CONNECTIONS: 0.strategy must be one of OIDC, GOOGLE, GITHUB, APPLE, MICROSOFT, PASSWORD\nCONNECTIONS: 0.clientId must be text\n',
  })
})

postgresOnly(
  'three processes that start at once make each declared connection once',
  async () => {
    const servers = await startServers(harness, 3, { CONNECTIONS: JSON.stringify([google, { ...acme, clientSecret: secret }]) })
    await Promise.all(servers.map((server) => server.stop()))

    expect(await connections()).toMatchObject([acme, google])
    expect(await events()).toEqual(['connection.created', 'connection.created'])
  },
  60_000,
)

test('the example in the documentation is one', async () => {
  const [, json = ''] = /`CONNECTIONS_FILE`.*?```json\n(.*?)```/s.exec(readFileSync('docs/sign-in-with-providers.md', 'utf8')) ?? []

  expect(await problems(JSON.parse(json), { GOOGLE_CLIENT_SECRET: 'a', ACME_CLIENT_SECRET: 'b' })).toEqual([])
  expect((await connections()).map(({ key }) => key)).toEqual(['acme', 'google'])
})
