import { expect, test } from 'vitest'
import { hasDuplicateKeys } from '../src/crypto/duplicate-keys.ts'

test.each([
  '{"a":1,"a":2}',
  '{"a":1,"b":{"c":1,"c":1}}',
  '[{"a":1},{"b":1,"b":2}]',
  '{"sub":"x","s\\u0075b":"y"}',
  '{"a" : 1 , "a" : 2}',
  '{"a":[{"x":1}],"a":2}',
  '{"__proto__":1,"__proto__":2}',
])('%s names a key twice', (json) => {
  expect(hasDuplicateKeys(json)).toBe(true)
})

test.each([
  '{}',
  '"a"',
  '[]',
  '["a","a",{"a":1},{"a":1}]',
  '{"a":{"a":{"a":1}},"b":{"a":1}}',
  '{"a":"\\"a\\":1","b":"{\\"b\\":1,\\"b\\":2}"}',
  '{"a\\\\":1,"a":2}',
  '{"a":"a","b":"a"}',
])('%s names no key twice', (json) => {
  expect(hasDuplicateKeys(json)).toBe(false)
})

test('a megabyte is read in linear time', () => {
  const startedAt = performance.now()
  for (const json of [
    `"${'\\\\'.repeat(500_000)}"`,
    `${'['.repeat(500_000)}${']'.repeat(500_000)}`,
    `{${'"a":{'.repeat(150_000)}${'}'.repeat(150_001)}`,
  ])
    expect(hasDuplicateKeys(json)).toBe(false)

  expect(performance.now() - startedAt).toBeLessThan(2000)
})
