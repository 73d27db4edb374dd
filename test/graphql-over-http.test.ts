import { serverAudits } from 'graphql-http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startServer, type TestServer } from './server.ts'

/** What is not done as the audits would have it, and why. */
const notOverGet = 'GraphQL is not offered over GET: a link must not be an operation, and answers must not be cached by their address.'
const introspects = 'It asks with `__type(name:)`, and there is no introspection in production.'
const known: Readonly<Record<string, string>> = { '5A70': notOverGet, D6D5: notOverGet, '6A70': notOverGet }
const knownInProduction: Readonly<Record<string, string>> = { ...known, '2EA1': introspects, '28B9': introspects }

describe.each([
  ['with introspection', { INTROSPECTION: 'true' }, known],
  ['with the defaults of production', {}, knownInProduction],
] as const)('graphql-http’s audits of a server, %s', (_name, environment, exceptions: Readonly<Record<string, string>>) => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer(environment)
  })
  afterAll(() => server.server.drain())

  const audits = serverAudits({ url: () => `${server.url}/graphql` })

  test.each(audits.map((audit) => [audit.id, audit.name, audit] as const))('%s %s', async (id, _audit, { fn }) => {
    const result = await fn()
    const reason = result.status === 'ok' ? undefined : result.reason
    if (exceptions[id] === undefined) expect(reason).toBeUndefined()
    else expect(reason).toBeDefined()
  })
})

test('no MUST is among the exceptions but what production refuses by its configuration', () => {
  const musts = serverAudits({ url: '' }).filter(({ name }) => name.startsWith('MUST'))
  expect(musts.filter(({ id }) => id in known)).toEqual([])
  expect(musts.filter(({ id }) => id in knownInProduction).map(({ id }) => id)).toEqual(['28B9'])
})

describe('what this API does not offer is refused in words', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer({})
  })
  afterAll(() => server.server.drain())

  const send = async (body: object) => {
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    const { errors } = (await response.json()) as { errors: { message: string; extensions: unknown }[] }
    return { status: response.status, message: errors[0]?.message, extensions: errors[0]?.extensions }
  }

  test('a subscription', async () => {
    const { message, extensions } = await send({ query: 'subscription { x }' })
    expect([message, extensions]).toEqual(['There are no subscriptions here.', { code: 'BAD_USER_INPUT' }])
  })

  test('a persisted query, by the word Apollo’s clients fall back at', async () => {
    const extensions = { persistedQuery: { version: 1, sha256Hash: 'a'.repeat(64) } }
    expect(await send({ extensions })).toMatchObject({ status: 400, message: 'PersistedQueryNotSupported' })
  })
})
