import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { boot, expectData, type Harness } from './harness.ts'
import { codesOf } from './session-client.ts'

let harness: Harness
let token: string

beforeAll(async () => {
  harness = await boot()
})
beforeEach(async () => {
  await harness.reset()
  token = await harness.adminToken('read:connections', 'update:connections')
})

type Payload = Readonly<{ connection: Record<string, unknown> | null; errors: { code: string; path: string[] }[] }>

const fields =
  'id key strategy displayName enabled issuer clientId hasClientSecret scopes profileSync attributeMap linkByVerifiedEmail allowSignUp'

async function call(name: 'createConnection' | 'updateConnection' | 'deleteConnection', input: Record<string, unknown>): Promise<Payload> {
  const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input!`
  const query = `mutation($input: ${type}) { ${name}(input: $input) { connection { ${fields} } errors { code path } } }`
  return expectData(await harness.run(query, { token, variables: { input } }))[name] as Payload
}

const acme = { key: 'acme-okta', strategy: 'OIDC', issuer: 'https://acme.okta.example/oauth2/default', clientId: 'roster' }
const secret = 'canary-of-a-client-secret'

test('a connection is made with what is usual for its provider, listed by its key and found', async () => {
  const { connection, errors } = await call('createConnection', { key: 'google', strategy: 'GOOGLE', clientId: '1.apps.example' })

  expect(errors).toEqual([])
  expect(connection).toMatchObject({
    key: 'google',
    strategy: 'GOOGLE',
    displayName: 'Google',
    enabled: true,
    issuer: 'https://accounts.google.com',
    clientId: '1.apps.example',
    hasClientSecret: false,
    scopes: ['openid', 'profile', 'email'],
    profileSync: 'ON_FIRST_SIGN_IN',
    attributeMap: {},
    linkByVerifiedEmail: false,
    allowSignUp: true,
  })
  await call('createConnection', acme)
  const id = String(connection?.['id'])
  expect(
    (
      await harness.run(
        `{ connections { key } connection(key: "google") { id } none: connection(key: "x") { id } node(id: "${id}") { __typename } }`,
        { token },
      )
    ).data,
  ).toEqual({ connections: [{ key: 'acme-okta' }, { key: 'google' }], connection: { id }, none: null, node: { __typename: 'Connection' } })
})

test('everything can be set, and null sets it back', async () => {
  const set = {
    displayName: 'Acme',
    enabled: false,
    scopes: ['openid', 'groups'],
    profileSync: 'ON_EACH_SIGN_IN',
    attributeMap: { givenName: '/first~1name', locale: null },
    linkByVerifiedEmail: true,
    allowSignUp: false,
  }
  const { connection } = await call('createConnection', { ...acme, ...set, clientSecret: secret })
  expect(connection).toMatchObject({ ...acme, ...set, hasClientSecret: true })

  const id = connection?.['id']
  expect((await call('updateConnection', { id, displayName: 'ACME', clientId: 'other' })).connection).toMatchObject({
    ...acme,
    ...set,
    displayName: 'ACME',
    clientId: 'other',
    hasClientSecret: true,
  })
  const nulls = Object.fromEntries(Object.keys(set).map((name) => [name, null]))
  expect((await call('updateConnection', { id, ...nulls, clientSecret: null })).connection).toMatchObject({
    displayName: 'OpenID Connect',
    enabled: true,
    scopes: ['openid', 'profile', 'email'],
    profileSync: 'ON_FIRST_SIGN_IN',
    attributeMap: {},
    linkByVerifiedEmail: false,
    allowSignUp: true,
    hasClientSecret: false,
  })
})

test('the client secret is sealed for its connection, and stands neither in the graph nor in a row nor in history', async () => {
  const { connection } = await call('createConnection', { ...acme, clientSecret: secret })
  const id = String(connection?.['id'])
  await call('updateConnection', { id, clientSecret: `${secret}-2` })

  const { prisma } = harness.app.database
  const [row] = await prisma.connectionSecret.findMany()
  expect(harness.app.authentication.secrets.unseal(row?.sealedClientSecret ?? '', `connection-secret:${id}`)).toBe(`${secret}-2`)
  expect(() => harness.app.authentication.secrets.unseal(row?.sealedClientSecret ?? '', 'connection-secret:x')).toThrow()
  const events = await prisma.auditEvent.findMany({ where: { subjectId: id }, orderBy: { id: 'asc' } })
  expect(events.map(({ type }) => type)).toEqual(['connection.created', 'connection.updated'])
  expect(JSON.stringify(events[1]?.changes)).toContain('/clientSecretChangedAt')
  expect(JSON.stringify([row, events, await prisma.connection.findMany(), connection])).not.toContain(secret)
})

test('a change that changes nothing leaves no event', async () => {
  const { connection } = await call('createConnection', acme)
  await call('updateConnection', { id: connection?.['id'], enabled: true })

  expect(await harness.app.database.prisma.auditEvent.count({ where: { type: 'connection.updated' } })).toBe(0)
})

describe('what is wrong with a connection is answered with its path:', () => {
  test.each<[string, Record<string, unknown>, string[]]>([
    ['a key for no path', { key: 'Acme/x' }, ['key']],
    ['a key of Roster’s own', { key: 'email' }, ['key']],
    ['a strategy of Roster’s own', { strategy: 'EMAIL' }, ['strategy']],
    ['no issuer', { issuer: null }, ['issuer']],
    ['an issuer without TLS', { issuer: 'http://acme.example' }, ['issuer']],
    ['an issuer with a query', { issuer: 'https://acme.example?x' }, ['issuer']],
    ['an issuer with a user', { issuer: 'https://a:b@acme.example' }, ['issuer']],
    ['an issuer that is no URL', { issuer: 'acme' }, ['issuer']],
    ['C7.81: an issuer for a provider that is known', { strategy: 'GOOGLE' }, ['issuer']],
    ['no client', { clientId: '' }, ['clientId']],
    ['nothing said of the client', { clientId: undefined }, ['clientId']],
    ['an old system behind a provider', { verifierUrl: 'https://old.example' }, ['verifierUrl']],
    ['an empty secret', { clientSecret: '' }, ['clientSecret']],
    ['a blank in a scope', { scopes: ['openid', 'a b'] }, ['scopes', '1']],
    ['scopes without openid', { scopes: ['email'] }, ['scopes']],
    ['an unknown attribute', { attributeMap: { email: '/mail' } }, ['attributeMap', 'email']],
    ['a pointer that is none', { attributeMap: { name: 'name' } }, ['attributeMap', 'name']],
    ['a name that is too long', { displayName: 'x'.repeat(101) }, ['displayName']],
  ])('%s', async (_name, input, path) => {
    const { connection, errors } = await call('createConnection', { ...acme, ...input })

    expect([connection, errors]).toEqual([null, [{ code: 'INVALID_INPUT', path: ['input', ...path] }]])
    expect(await harness.app.database.prisma.connection.count()).toBe(0)
  })

  test('all of it at once, and the same on a change', async () => {
    expect((await call('createConnection', { ...acme, key: '', clientId: '', scopes: [''] })).errors.map(({ path }) => path[1])).toEqual([
      'key',
      'clientId',
      'scopes',
    ])
    const { connection } = await call('createConnection', acme)
    expect(
      (await call('updateConnection', { id: connection?.['id'], clientId: null, scopes: ['email'] })).errors.map(({ path }) => path[1]),
    ).toEqual(['clientId', 'scopes'])
  })
})

test.each(['http://localhost:3000', 'http://127.0.0.1:3000/oidc', 'https://acme.example/a/b'])('%s may be an issuer', async (issuer) => {
  expect((await call('createConnection', { ...acme, issuer })).connection).toMatchObject({ issuer })
})

test('a key is another connection’s only once', async () => {
  await call('createConnection', acme)

  expect((await call('createConnection', acme)).errors).toEqual([{ code: 'CONNECTION_KEY_TAKEN', path: ['input', 'key'] }])
})

test('C7.83: what a `sub` is known together with cannot be changed', async () => {
  const { connection } = await call('createConnection', acme)

  for (const name of ['key', 'strategy', 'issuer'])
    expect(
      (
        await harness.run(`mutation($id: ID!) { updateConnection(input: { id: $id, ${name}: null }) { errors { code } } }`, {
          token,
          variables: { id: connection?.['id'] },
        })
      ).errors?.[0]?.message,
    ).toContain(`Field "${name}" is not defined`)
})

test('C7.83: a connection goes only when nobody has an identity of it', async () => {
  const { connection } = await call('createConnection', acme)
  const person = await harness.aUser({ email: 'jane@example.com', emailVerified: true })
  const linked = (await harness.admin(
    'mutation($id: ID!) { linkIdentity(input: { userId: $id, provider: "acme-okta", providerUserId: "1" }) { identity { id } } }',
    { id: person.id },
  )) as { linkIdentity: { identity: { id: string } } }

  const id = connection?.['id']
  expect(await call('deleteConnection', { id })).toEqual({
    connection: null,
    errors: [{ code: 'CONNECTION_IN_USE', path: ['input', 'id'] }],
  })
  await harness.admin('mutation($id: ID!) { unlinkIdentity(input: { id: $id }) { errors { code } } }', {
    id: linked.linkIdentity.identity.id,
  })
  expect(await call('deleteConnection', { id })).toEqual({ connection: null, errors: [] })
  expect(await harness.app.database.prisma.connectionSecret.count()).toBe(0)
})

test.each(['updateConnection', 'deleteConnection'] as const)('%s of none is answered with its path', async (name) => {
  for (const id of ['0190a5b2-0000-7000-8000-00000000beef', 'x'])
    expect((await call(name, { id })).errors).toEqual([{ code: 'CONNECTION_NOT_FOUND', path: ['input', 'id'] }])
})

test('who may read connections may not change them', async () => {
  const reader = await harness.adminToken('read:connections')
  const answer = await harness.run('mutation($input: CreateConnectionInput!) { createConnection(input: $input) { errors { code } } }', {
    token: reader,
    variables: { input: acme },
  })

  expect(codesOf(answer, 'createConnection')).toEqual(['FORBIDDEN'])
})
