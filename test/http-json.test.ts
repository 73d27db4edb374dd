import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startServer, type TestServer } from './server.ts'

let server: TestServer

beforeAll(async () => {
  server = await startServer({ MAX_BODY_BYTES: '10000000' })
})

afterAll(() => server.server.drain())

/** Sends JSON as it is written as the variable `json`. */
const send = (json: string) => server.post(`{"query":"query ($json: JSON) { echo(json: $json) }","variables":{"json":${json}}}`)
const echoed = (json: string) => `{"data":{"echo":{"json":${json}}}}`

describe('T-JSON-1 (L7): a number is carried exactly, or refused', () => {
  test.each([
    '12345678901234567890',
    '9007199254740993',
    '1e400',
    '-1e400',
    '-0',
    '-0.0',
    '0.1000000000000000055511151231257827',
    '1e-400',
    '3.141592653589793238',
  ])('%s is refused with its path, and not repeated', async (number) => {
    const { status, text, json } = await send(`{"a":[1,${number}]}`)
    expect(status).toBe(400)
    expect(json.errors[0].extensions).toEqual({ code: 'BAD_USER_INPUT', path: 'variables.json.a.1' })
    expect(text).not.toContain(number)
  })
  test.each(['0', '-1', '1', '0.1', '-273.15', '9007199254740991', '1e+21'])('%s comes back as it was', async (number) => {
    expect((await send(number)).text).toBe(echoed(number))
  })
  test.each([
    ['1.0', '1'],
    ['1e2', '100'],
    ['0.10', '0.1'],
  ])('%s is %s', async (sent, value) => {
    expect((await send(sent)).text).toBe(echoed(value))
  })
})

describe('T-PP-1 (L6): prototype pollution', () => {
  test.each(['{"__proto__":{"polluted":1}}', '{"a":{"__proto__":{"polluted":1}}}', '[{"\\u005f_proto__":{"polluted":1}}]'])(
    '%s is refused',
    async (json) => {
      const { status } = await send(json)
      expect(status).toBe(400)
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
      expect((await server.run('{ me { id } }')).status).toBe(200)
    },
  )
  test.each(['{"constructor":{"prototype":{"polluted":1}}}', '{"toString":1,"hasOwnProperty":2}'])(
    '%s is data like any other',
    async (json) => {
      expect((await send(json)).text).toBe(echoed(json))
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
    },
  )
  test('a polluted body is refused as well', async () => {
    for (const body of [
      '{"query":"{ me { id } }","__proto__":{"variables":{}}}',
      '{"query":"{ me { id } }","variables":{"__proto__":{"json":1}}}',
    ])
      expect((await server.post(body)).status).toBe(400)
  })
})

describe('T-HTTP-4 (L8): duplicate keys', () => {
  test('two queries are none', async () => {
    const { status, json } = await server.post('{"query":"{ me { id } }","query":"mutation { touch }"}')
    expect(status).toBe(400)
    expect(json.errors[0]).toMatchObject({ message: 'A key is there twice, at query.', extensions: { path: 'query' } })
    expect(server.schema.calls.get('touch')).toBeUndefined()
  })
  test.each(['{"a":1,"a":2}', '{"a":1,"b":{},"\\u0061":2}', '[[{"a":{"b":1},"a":{"b":1}}]]', '{"":1,"":2}', '{"a b":1,"a b":1}'])(
    '%s is refused',
    async (json) => {
      expect((await send(json)).status).toBe(400)
    },
  )
  test.each(['{"a":{"a":{"a":[{"a":1},{"a":2}]}}}', '{"a":"a","b":"a:a,{}[]"}', '{"a\\"":1,"a":2}', '{"a":"\\\\","b":"\\\\\\""}'])(
    '%s is not one of them',
    async (json) => {
      expect((await send(json)).text).toBe(echoed(json))
    },
  )
})

describe('T-STR (L22): text that PostgreSQL refuses or would change', () => {
  test.each([
    ['NUL', '{"a":"x\\u0000y"}', 'variables.json.a'],
    ['a high surrogate alone', '{"a":["\\ud800"]}', 'variables.json.a.0'],
    ['a low surrogate alone', '"\\udc00x"', 'variables.json'],
    ['surrogates the wrong way round', '"\\udc00\\ud800"', 'variables.json'],
    ['a key with NUL', '{"a\\u0000":1}', 'variables.json'],
    ['a key with half a surrogate', '{"a":{"\\ud800":1}}', 'variables.json.a'],
  ])('%s is refused with its path', async (_name, json, path) => {
    const answer = await send(json)
    expect(answer.status).toBe(400)
    expect(answer.json.errors[0].extensions.path).toContain(path)
  })
  test('NUL and half a surrogate are refused in the literals of a document too', async () => {
    for (const text of ['\\u0000', 'a\\u0000b', '\\ud800']) {
      const { json } = await server.run(`{ echo(text: "${text}") }`)
      expect(json.errors[0].extensions.code).toBe('BAD_USER_INPUT')
      expect(json.data).toBeUndefined()
    }
  })
  test('a whole surrogate pair, a BOM and control characters are text', async () => {
    const { json } = await send('"\\ud83d\\ude00 \\ufeff \\u0001 \\u2028"')
    expect(json.data.echo.json).toBe('😀 \ufeff \u0001 \u2028')
  })
})

describe('the bytes of a body', () => {
  const query = (text: string) => new TextEncoder().encode(`{"query":"{ echo(text: \\"${text}\\") }"}`)

  test('a byte order mark is refused (RFC 8259 §8.1)', async () => {
    expect((await server.post(`\ufeff{"query":"{ me { id } }"}`)).status).toBe(400)
  })
  test.each([
    ['overlong', [0xc0, 0xaf]],
    ['cut off', [0xe2, 0x82]],
    ['a surrogate in CESU-8', [0xed, 0xa0, 0x80]],
    ['Latin-1', [0xe9]],
  ])('UTF-8 that is %s is refused, not repaired', async (_name, bytes) => {
    const [start = new Uint8Array(), end = new Uint8Array()] = ['{"query":"{ echo(text: \\"', '\\") }"}'].map((part) =>
      new TextEncoder().encode(part),
    )
    expect((await server.post(new Uint8Array([...start, ...bytes, ...end]))).status).toBe(400)
  })
  test('UTF-8 is read', async () => {
    expect((await server.post(query('Ünïcødé 漢字 😀'))).json.data.echo.text).toBe('Ünïcødé 漢字 😀')
  })
  test('UTF-16 is refused', async () => {
    expect((await server.post(Buffer.from('{"query":"{ me { id } }"}', 'utf16le'))).status).toBe(400)
  })
})

describe('depth', () => {
  const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)

  test('64 levels are read, the body and the variables among them; 65 are not', async () => {
    expect((await send(nested(62))).status).toBe(200)
    expect((await send(nested(63))).status).toBe(400)
    expect((await send(`${'{"a":'.repeat(63)}1${'}'.repeat(63)}`)).status).toBe(400)
  })
  test('the literals of a document as well', async () => {
    expect((await server.run(`{ echo(json: ${nested(64)}) }`)).json.errors).toBeUndefined()
    const { json } = await server.run(`{ echo(json: ${nested(65)}) }`)
    expect(json.errors[0]).toMatchObject({ message: 'A literal may nest 64 levels deep at most.', extensions: { code: 'BAD_USER_INPUT' } })
  })
  test('a million levels are refused in passing', async () => {
    const startedAt = performance.now()
    expect((await send(nested(1_000_000))).status).toBe(400)
    expect(performance.now() - startedAt).toBeLessThan(2000)
  })
})

describe('T-ERR-1 (L11): nothing of a bad body is repeated', () => {
  test.each([
    '{"password":"hunter2"',
    'hunter2',
    '{"query": hunter2}',
    '{"hunter2":1}',
    "{'query':'hunter2'}",
    '{"query":"\\xhunter2"}',
    '{"query":"{ me { id } }","hunter2 hunter2":1,"hunter2 hunter2":2}',
  ])('%s', async (body) => {
    const { status, text, json } = await server.post(body)
    expect(status).toBe(400)
    expect(text).not.toContain('hunter2')
    expect(Object.keys(json)).toEqual(['errors'])
    expect(json.errors[0].extensions.code).toBe('BAD_USER_INPUT')
    expect(text).not.toMatch(/stack|originalError|SyntaxError|\\n {4}at /)
  })
})

test('a large body is read in time linear in its length', async () => {
  const time = async (count: number) => {
    const json = JSON.stringify(Array.from({ length: count }, (_, index) => ({ [`key${index}`]: 'v"\\', n: 1.5 })))
    const startedAt = performance.now()
    expect((await send(json)).status).toBe(200)
    return performance.now() - startedAt
  }
  await time(20_000)
  const [small, large] = [await time(20_000), await time(160_000)]
  expect(large).toBeLessThan(small * 24)
})
