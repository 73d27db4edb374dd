import { expect, test } from 'vitest'
import { parseConfig } from '../src/config.ts'
import { ConfigError } from '../src/config-error.ts'
import { newCode } from '../src/domain/one-time-token.ts'
import { allowedRedirect } from '../src/domain/redirect.ts'

test('100,000 codes are spread evenly over all there are (C3.28)', () => {
  const buckets = Array<number>(1000).fill(0)
  for (let count = 0; count < 100_000; count++) {
    const bucket = Math.floor(Number(newCode()) / 1000)
    buckets[bucket] = (buckets[bucket] ?? 0) + 1
  }

  const chiSquare = buckets.reduce((sum, count) => sum + (count - 100) ** 2 / 100, 0)

  // 999 degrees of freedom: beyond these lies one even spread in a million, on either side.
  expect(chiSquare).toBeGreaterThan(800)
  expect(chiSquare).toBeLessThan(1230)
})

test('a redirect is allowed as a whole; only the port of a loopback address may be another (C7.85)', () => {
  const allowed = [
    'https://app.example.com/a?b=c',
    'http://127.0.0.1/done',
    'http://[::1]:1/done',
    'http://localhost:3000/',
    'com.example.app:/done',
  ]

  for (const text of [
    'https://APP.example.com:443/a?b=c',
    'http://127.0.0.1:65000/done',
    'http://[::1]:2/done',
    'http://localhost:3000',
    'com.example.app:/done',
  ])
    expect([text, allowedRedirect(text, allowed)]).not.toEqual([text, null])
  for (const text of [
    'https://app.example.com/a',
    'https://app.example.com/a?b=c#',
    'https://app.example.com/a/?b=c',
    'https://app.example.com:8443/a?b=c',
    'http://app.example.com/a?b=c',
    'https://x@app.example.com/a?b=c',
    'http://localhost:3001/',
    'https://127.0.0.1/done',
    'http://127.0.0.2/done',
    'http://127.0.0.1/done/..',
    '/a',
    '',
  ])
    expect([text, allowedRedirect(text, allowed)]).toEqual([text, null])
})

test('what browsers may not be sent to is refused in the configuration', () => {
  for (const url of [
    'javascript:alert(1)',
    'data:text/html,x',
    'file:///etc/passwd',
    'blob:https://a.example/x',
    'https://u@a.example',
    'https://a.example/#x',
    '*',
    'app:/x',
  ])
    expect(() => parseConfig({ ALLOWED_REDIRECTS: url })).toThrow(ConfigError)
  expect(parseConfig({ ALLOWED_REDIRECTS: 'https://a.example, com.example.app:/x' }).allowedRedirects).toEqual([
    'https://a.example/',
    'com.example.app:/x',
  ])
})
