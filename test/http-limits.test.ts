import { getIntrospectionQuery } from 'graphql'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Reply, startServer, type TestServer } from './server.ts'

let server: TestServer
let development: TestServer

beforeAll(async () => {
  server = await startServer()
  development = await startServer({ NODE_ENV: 'development' })
})

afterAll(async () => {
  await server.server.drain()
  await development.server.drain()
})

const repeat = (count: number, write: (index: number) => string) => Array.from({ length: count }, (_, index) => write(index)).join(' ')
const doubling = (n: number) =>
  `{me{...F0}} ${repeat(n, (i) => `fragment F${i} on User{a:me{...F${i + 1}} b:me{...F${i + 1}}}`)} fragment F${n} on User{id}`
const wide = (n: number) =>
  `{me{...F0}} ${repeat(n, (i) => `fragment F${i} on User{...F${i + 1} ...F${i + 1} ...F${i + 1}}`)} fragment F${n} on User{id}`
const code = ({ json }: Reply) => json.errors?.[0]?.extensions?.code ?? 'OK'

/** The best of three rounds: this machine does other things as well. */
async function probed(work: () => Promise<Reply>): ReturnType<typeof probedOnce> {
  const rounds = [await probedOnce(work), await probedOnce(work), await probedOnce(work)]
  const [first] = rounds as [Awaited<ReturnType<typeof probedOnce>>]
  return {
    ...first,
    took: Math.min(...rounds.map(({ took }) => took)),
    longestProbe: Math.min(...rounds.map(({ longestProbe }) => longestProbe)),
  }
}

/** The time of the request itself, and the longest wait of a probe that is sent every 10 ms meanwhile. */
async function probedOnce(work: () => Promise<Reply>): Promise<{ answer: Reply; took: number; longestProbe: number }> {
  const waits: number[] = []
  let isDone = false
  const probing = (async () => {
    while (!isDone) {
      const startedAt = performance.now()
      await fetch(`${server.url}/health/live`)
      waits.push(performance.now() - startedAt)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  })()
  const startedAt = performance.now()
  const answer = await work()
  const took = performance.now() - startedAt
  isDone = true
  await probing
  return { answer, took, longestProbe: Math.max(...waits) }
}

describe('T-DoS-1 (L1): fragments that double', () => {
  test.each([10, 15, 20, 25, 40])('%i levels are refused at once, and a probe does not wait', async (levels) => {
    await server.run(doubling(levels))
    const { answer, took, longestProbe } = await probed(() => server.run(doubling(levels).replace('{id}', `{id #${levels}\n}`)))
    expect(code(answer)).toBe('QUERY_TOO_COMPLEX')
    expect(took).toBeLessThan(50)
    expect(longestProbe).toBeLessThan(100)
  })
  test('T-DoS-2 (L2): the time to refuse is linear in the length of the document', async () => {
    const time = async (levels: number) => {
      const times: number[] = []
      for (let round = 0; round < 15; round++) {
        const startedAt = performance.now()
        await server.run(`#${round}\n${doubling(levels)}`)
        times.push(performance.now() - startedAt)
      }
      return times.sort((a, b) => a - b)[7] ?? 0
    }
    await time(20)
    const [short, long] = [await time(20), await time(40)]
    expect(long).toBeLessThan(short * 3 + 2)
  })
})

describe('documents that ask for too much (SECURITY.md A4)', () => {
  const aliases = (count: number) => repeat(count, (i) => `a${i}:touch`)
  test.each([
    ['fragments spread three times, 14 levels', wide(14)],
    ['a thousand aliased mutations (L9)', `mutation{${aliases(1000)}}`],
    ['eleven aliased mutations', `mutation{${aliases(11)}}`],
    ['a hundred spreads of fifteen aliases', `mutation{${repeat(100, () => '...F')}} fragment F on Mutation{${aliases(15)}}`],
    ['eleven mutations in inline fragments', `mutation{${repeat(11, (i) => `...{a${i}:touch}`)}}`],
    ['ten thousand times the same field', `{me{${repeat(10_000, () => 'id')}}}`],
    ['a thousand times the same field', `{me{${repeat(1001, () => 'id')}}}`],
    ['inline fragments, a hundred in each of a hundred', `{${repeat(100, () => `...{me{${repeat(100, () => '...{id}')}}}`)}}`],
    ['twenty thousand levels', `${'{me'.repeat(20_000)}{id}${'}'.repeat(20_000)}`],
    ['twenty-one levels', `${'{me'.repeat(20)}{id}${'}'.repeat(20)}`],
    ['a list literal of ten thousand levels', `{echo(json:${'['.repeat(10_000)}${']'.repeat(10_000)})}`],
    ['a type of ten thousand levels', `query($a:${'['.repeat(10_000)}Int${']'.repeat(10_000)}){me{id}}`],
    ['three thousand directives', `{me{id ${repeat(3000, () => '@aa')}}}`],
    ['fifty-one directives', `{me{id ${repeat(51, () => '@aa')}}}`],
    ['directives on an operation', `query ${repeat(51, () => '@aa')} {me{id}}`],
    ['three thousand unknown fields', `{${repeat(3000, (i) => `unknown${i}`)}}`],
    ['fifty-one aliases', `{me{${repeat(51, (i) => `a${i}:id`)}}}`],
  ])('%s: refused before anything runs', async (_name, query) => {
    const { answer, took, longestProbe } = await probed(() => server.run(query))
    expect(code(answer)).toBe('QUERY_TOO_COMPLEX')
    expect(answer.json.data).toBeUndefined()
    expect(server.schema.calls.get('touch')).toBeUndefined()
    expect(took).toBeLessThan(250)
    expect(longestProbe).toBeLessThan(100)
  })
  test.each([
    ['ten mutations', `mutation{${aliases(10)}}`],
    ['twenty levels', `${'{me'.repeat(19)}{id}${'}'.repeat(19)}`],
    ['fifty aliases', `{me{${repeat(50, (i) => `a${i}:id`)}}}`],
    ['a fragment of a fragment', '{me{...A}} fragment A on User{...B ...B} fragment B on User{id email}'],
  ])('%s are within the limits', async (_name, query) => {
    expect(code(await server.run(query))).toBe('OK')
  })
  test('a fragment that spreads itself is refused, not followed', async () => {
    for (const query of [
      '{me{...A}} fragment A on User{...A}',
      '{me{...A}} fragment A on User{me{...B}} fragment B on User{me{...A}}',
      `{me{...F0}} ${repeat(30, (i) => `fragment F${i} on User{me{...F${(i + 1) % 30} ...F${(i + 7) % 30}}}`)}`,
    ])
      expect(['BAD_USER_INPUT', 'QUERY_TOO_COMPLEX']).toContain(code(await server.run(query)))
  })
  test('literals and types as deep as the tokens allow break nothing', async () => {
    for (let levels = 100; levels <= 2000; levels += 100) {
      const [open, close] = ['['.repeat(levels), ']'.repeat(levels)]
      const queries = [
        `{echo(json:${open}${close})}`,
        `query($a:${open}Int${close}){echo(json:$a)}`,
        `{echo(json:${'{a:'.repeat(levels)}1${'}'.repeat(levels)})}`,
        `{echo(text:${open}1${close})}`,
      ]
      for (const query of queries) expect(['OK', 'BAD_USER_INPUT', 'QUERY_TOO_COMPLEX']).toContain(code(await server.run(query)))
    }
  })
  test('an unused operation does not lend its limits to the one that runs', async () => {
    const query = `query A {me{id}} query B {me{${repeat(51, (i) => `a${i}:id`)}}}`
    expect(code(await server.post(JSON.stringify({ query, operationName: 'A' })))).toBe('QUERY_TOO_COMPLEX')
  })
  test('many wrong fields are answered with few errors', async () => {
    const { json, text } = await server.run(`{${repeat(900, (i) => `unknown${i}`)}}`)
    expect(json.errors.length).toBeLessThan(25)
    expect(text.length).toBeLessThan(5000)
  })
})

describe('T-INT (L5): introspection', () => {
  const didYouMean = /did you mean/i

  test('T-INT-1: in production there is none, by any name', async () => {
    for (const query of [
      getIntrospectionQuery(),
      '{__schema{types{name}}}',
      '{a:__type(name:"User"){name}}',
      '{...F} fragment F on Query{__schema{queryType{name}}}',
    ]) {
      const answer = await server.run(query)
      expect(code(answer)).toBe('BAD_USER_INPUT')
      expect(answer.json.data).toBeUndefined()
    }
    expect((await server.run('{__typename}')).json.data.__typename).toBe('Query')
  })
  test('T-INT-2: in production there is no GraphiQL', async () => {
    const answer = await fetch(`${server.url}/graphql`, { headers: { accept: 'text/html' } })
    expect(answer.status).toBe(405)
  })
  test.each([
    '{me{emai}}',
    '{mee{id}}',
    '{echo(tex:"a")}',
    '{echo(input:{emai:"a@b.c",count:1})}',
    '{me{...F}} fragment F on Userr{id}',
    '{me{id @skipp(if:true)}}',
    'query($a:Strin){echo(text:$a)}',
  ])('T-INT-3: in production %s suggests no name', async (query) => {
    const { text } = await server.run(query)
    expect(text).toContain('BAD_USER_INPUT')
    expect(text).not.toMatch(didYouMean)
  })
  test('T-INT-3: nor do variables', async () => {
    const { text } = await server.run('query($i:EchoInput){echo(input:$i)}', { i: { emai: 'a@b.c', count: 1 } })
    expect(text).toContain('is not defined by type')
    expect(text).not.toMatch(didYouMean)
  })
  test('in development both are there, for the standard query of any client', async () => {
    const options = {
      descriptions: true,
      specifiedByUrl: true,
      directiveIsRepeatable: true,
      schemaDescription: true,
      inputValueDeprecation: true,
      oneOf: true,
    }
    expect(code(await development.run(getIntrospectionQuery(options)))).toBe('OK')
    expect((await development.run('{me{emai}}')).text).toMatch(didYouMean)
  })
  test.each([
    ['fields of types of fields', `{__schema{types{${'fields{type{'.repeat(5)}name${'}}'.repeat(5)}}}}`],
    [
      'fragments that double',
      `{__schema{types{...F0}}} ${repeat(20, (i) => `fragment F${i} on __Type{a:ofType{...F${i + 1}} b:ofType{...F${i + 1}}}`)} fragment F20 on __Type{name}`,
    ],
    ['many names of one thing', `{__schema{types{fields{type{fields{args{${repeat(40, (i) => `a${i}:name`)}}}}}}}}`],
    ['the whole schema, many times', `{${repeat(20, (i) => `a${i}:__schema{types{fields{args{type{fields{name}}}}}}`)}}`],
  ])('an introspection bomb of %s is refused', async (_name, query) => {
    const { answer, took } = await probed(() => development.run(query))
    expect(['QUERY_TOO_COMPLEX', 'BAD_USER_INPUT']).toContain(code(answer))
    expect(answer.json.data).toBeUndefined()
    expect(took).toBeLessThan(250)
  })
})

describe('the deadline', () => {
  let hasty: TestServer
  beforeAll(async () => {
    hasty = await startServer({ REQUEST_TIMEOUT_MS: '500' })
  })
  afterAll(() => hasty.server.drain())

  test('R5: what takes longer is 503 with Retry-After', async () => {
    const startedAt = performance.now()
    const answer = await hasty.run('{ slow(ms: 3000) }')
    expect(performance.now() - startedAt).toBeLessThan(900)
    expect(answer.status).toBe(503)
    expect(answer.headers.get('retry-after')).toBe('1')
    expect(code(answer)).toBe('SERVICE_UNAVAILABLE')
  })
  test('after it no further mutation begins', async () => {
    const answer = await hasty.run('mutation { a: slowTouch(ms: 700) b: touch }')
    expect(answer.status).toBe(503)
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(hasty.schema.calls.get('slowTouch')).toBe(1)
    expect(hasty.schema.calls.get('touch')).toBeUndefined()
  })
  test('nor after the caller is gone', async () => {
    hasty.schema.calls.clear()
    await expect(
      fetch(`${hasty.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query: 'mutation { a: slowTouch(ms: 200) b: touch }' }),
        signal: AbortSignal.timeout(100),
      }),
    ).rejects.toThrow()
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(hasty.schema.calls.get('slowTouch')).toBe(1)
    expect(hasty.schema.calls.get('touch')).toBeUndefined()
  })
})
