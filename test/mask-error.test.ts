import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Reply, startServer, type TestServer } from './server.ts'

let server: TestServer

beforeAll(async () => {
  server = await startServer()
})

afterAll(() => server.server.drain())

const graphqlJson = { accept: 'application/graphql-response+json' }
const canary = 'canary-4f1d'
const only = ({ json }: Reply) => json.errors[0]

describe('what the caller can act on keeps its message and code', () => {
  test('FORBIDDEN, with what is needed, at its path, its siblings answered', async () => {
    const { status, json } = await server.run('{ fails(how: "forbidden") me { id } }')
    expect(status).toBe(200)
    expect(json).toEqual({
      data: { fails: null, me: { id: 'u1' } },
      errors: [
        {
          message: 'This needs more.',
          path: ['fails'],
          locations: [{ line: 1, column: 3 }],
          extensions: { code: 'FORBIDDEN', requiredScopes: ['read:users'] },
        },
      ],
    })
  })
  test.each([
    ['forbidden', 403],
    ['unauthenticated', 401],
    ['limited', 429],
    ['error', 500],
  ])('an answer without data because of %s is %i, for clients that read the status', async (how, status) => {
    const query = `{ needed(how: "${how}") }`
    expect((await server.run(query, {}, graphqlJson)).status).toBe(status)
    expect((await server.run(query)).status).toBe(200)
  })
  test('RATE_LIMITED says when to come again', async () => {
    const { headers } = await server.run('{ needed(how: "limited") }', {}, graphqlJson)
    expect(headers.get('retry-after')).toBe('7')
  })
  test('a database that does not answer is 503, where nothing else was answered', async () => {
    for (const accept of ['application/json', 'application/graphql-response+json']) {
      const answer = await server.run('{ fails(how: "unavailable") }', {}, { accept })
      expect(answer.status).toBe(503)
      expect(answer.headers.get('retry-after')).toBe('1')
      expect(only(answer).extensions.code).toBe('SERVICE_UNAVAILABLE')
    }
    expect((await server.run('{ fails(how: "unavailable") me { id } }')).status).toBe(200)
  })
  test('Pothos’ messages are kept, without the value', async () => {
    const answer = await server.run(`{ fails(how: "pothos", text: "${canary}") }`)
    expect(only(answer)).toMatchObject({ message: 'Invalid cursor.', extensions: { code: 'BAD_USER_INPUT' } })
  })
})

describe('RFC 6750: a token that does not hold', () => {
  test.each(['Bearer nonsense', 'Bearer a.b.c', 'Basic dXNlcjpwYXNz', 'Bearer', 'nonsense'])(
    '%j is 401 with WWW-Authenticate, for every media type',
    async (authorization) => {
      for (const accept of ['application/json', 'application/graphql-response+json']) {
        const answer = await server.run('{ me { id } }', {}, { authorization, accept })
        expect(answer.status).toBe(401)
        expect(answer.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"')
        expect(answer.json.data).toBeUndefined()
        expect(only(answer).extensions).toEqual({ code: 'UNAUTHENTICATED' })
      }
    },
  )
  test('no token at all is told no error', async () => {
    const { headers } = await server.run('{ needed(how: "unauthenticated") }', {}, graphqlJson)
    expect(headers.get('www-authenticate')).toBe('Bearer')
  })
  test('one in the address is not read', async () => {
    const token = await server.adminToken()
    const answer = await fetch(`${server.url}/graphql?access_token=${token}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"query":"{ caller }"}',
    })
    expect(((await answer.json()) as { data: { caller: { kind: string } } }).data.caller.kind).toBe('anonymous')
  })
})

describe('everything else is a fault, told with the request id and nothing else', () => {
  test.each(['error', 'graphql', 'prisma', 'sql', 'json'])('%s', async (how) => {
    server.logs.length = 0
    const answer = await server.run(
      `query ($text: String) { fails(how: "${how}", text: $text) }`,
      { text: canary },
      { 'x-request-id': 'r-7' },
    )
    expect(only(answer)).toEqual({
      message: 'Unexpected error.',
      path: ['fails'],
      locations: [{ line: 1, column: 25 }],
      extensions: { code: 'INTERNAL_SERVER_ERROR', requestId: 'r-7' },
    })
    expect(answer.text).not.toContain(canary)
    const log = JSON.stringify(server.logs)
    expect(log).not.toContain(canary)
    expect(server.logs.filter(({ msg }) => msg === 'unexpected error')).toMatchObject([{ requestId: 'r-7', path: ['fails'] }])
  })
  test('an expected failure that no mutation answered as data', async () => {
    const answer = await server.run(`{ fails(how: "domain", text: "${canary}") }`)
    expect(only(answer)).toEqual({
      message: 'Unexpected error.',
      extensions: { code: 'INTERNAL_SERVER_ERROR', requestId: expect.any(String) },
    })
    expect(answer.json.data).toEqual({ fails: null })
  })
  test('the log says which error, and where', async () => {
    server.logs.length = 0
    await server.run('{ fails(how: "error") }')
    expect(server.logs[0]).toMatchObject({ error: { name: 'Error', message: 'A bug of ours.', cause: { name: 'SyntaxError' } } })
    expect(JSON.stringify(server.logs[0])).toContain('small-schema.ts')
  })
  test('in development it is the same', async () => {
    const development = await startServer({ NODE_ENV: 'development' })
    const { text } = await development.run(`{ fails(how: "error", text: "${canary}") }`)
    expect(text).not.toMatch(/originalError|stack|small-schema/)
    expect(text).not.toContain(canary)
    await development.server.drain()
  })
})

describe('values that were sent are never in a message', () => {
  const secret = 'hunter2'
  test.each([
    ['query ($a: Int!) { slow(ms: $a) }', { a: secret }, 'a', 'expected a value of type "Int!"'],
    ['query ($i: EchoInput) { echo(input: $i) }', { i: { email: secret, count: 1 } }, 'i.email', 'expected a value of type "EmailAddress"'],
    ['query ($i: EchoInput) { echo(input: $i) }', { i: { count: secret } }, 'i.count', 'expected a value of type "Int!"'],
    ['query ($i: EchoInput) { echo(input: $i) }', { i: secret }, 'i', 'expected a value of type "EchoInput"'],
    [
      'query ($i: [EchoInput!]) { echo(inputs: $i) }',
      { i: [{ count: 1 }, { count: [secret] }] },
      'i.1.count',
      'expected a value of type "Int!"',
    ],
    [
      'query ($i: EchoInput) { echo(input: $i) }',
      { i: { count: 1, text: { password: secret } } },
      'i.text',
      'expected a value of type "String"',
    ],
    ['query ($i: EchoInput) { echo(input: $i) }', { i: { text: secret } }, 'i', 'Field "count" of required type "Int!" was not provided'],
    [
      'query ($i: EchoInput) { echo(input: $i) }',
      { i: { count: 1, [`${secret} is the password`]: 1 } },
      'i',
      'expected a value of type "EchoInput"',
    ],
    ['query ($a: Int!) { slow(ms: $a) }', {}, 'a', 'a value of type "Int!" is needed'],
    ['query ($a: Int!) { slow(ms: $a) }', { a: null }, 'a', 'expected a value of type "Int!"'],
  ])('%s with %j', async (query, variables, field, problem) => {
    const answer = await server.run(query, variables)
    expect(only(answer)).toMatchObject({ message: `Variable "$${field}": ${problem}.`, extensions: { code: 'BAD_USER_INPUT', field } })
    expect(answer.json.data).toBeUndefined()
    expect(answer.text).not.toContain(secret)
  })
  test.each([
    [`{ slow(ms: "${secret}") }`, 'Expected a value of type "Int!".'],
    [`{ slow(ms: ${secret}) }`, 'Expected a value of type "Int!".'],
    [`{ echo(input: { email: "${secret}", count: 1 }) }`, 'Expected a value of type "EmailAddress".'],
    [`{ echo(input: { email: "a@example.com", count: 1, text: 4321 }) }`, 'Expected a value of type "String".'],
    [`{ echo(input: "${secret}") }`, 'Expected a value of type "EchoInput".'],
    [`{ echo(inputs: [{ count: 1 }, { count: ["${secret}"] }]) }`, 'Expected a value of type "Int".'],
    [`query ($a: Int = "${secret}") { slow(ms: $a) }`, 'Expected a value of type "Int".'],
    [`{ echo(text: "${secret}" "${secret}") }`, 'Syntax Error: Expected Name, found String.'],
    [`{ echo(text "${secret}") }`, 'Syntax Error: Expected ":", found String.'],
    [`${secret}`, 'Syntax Error: Unexpected Name.'],
    [`{ echo(text: """${secret}""" """${secret}""") }`, 'Syntax Error: Expected Name, found BlockString.'],
    [`{ me { id } ${'}'} ${secret}`, 'Syntax Error: Unexpected Name.'],
    [`{ echo(text: "${secret}`, 'Syntax Error: Unterminated string.'],
  ])('%s', async (query, message) => {
    const answer = await server.run(query)
    expect(only(answer)).toMatchObject({ message, locations: [expect.anything()], extensions: { code: 'BAD_USER_INPUT' } })
    expect(answer.json.data).toBeUndefined()
    expect(answer.text).not.toMatch(/hunter2|4321/)
  })
  test('nor an operation name', async () => {
    const answer = await server.post(JSON.stringify({ query: 'query A { me { id } }', operationName: secret }))
    expect(only(answer).extensions.code).toBe('BAD_USER_INPUT')
    expect(answer.text).not.toContain(secret)
  })
  test('nor a literal that only an execution finds wrong', async () => {
    const answer = await server.run('query ($n: Int) { echo(input: { count: $n, text: "hunter2" }) }')
    expect(only(answer).extensions.code).toBe('BAD_USER_INPUT')
    expect(answer.text).not.toContain(secret)
  })
})
