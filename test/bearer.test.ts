import { expect, test } from 'vitest'
import { bearerToken } from '../src/http/bearer.ts'

const refused = expect.objectContaining({ code: 'UNAUTHENTICATED' })

test('a request without an Authorization header has no token', () => {
  expect(bearerToken(null)).toBeNull()
})

test('the token follows the scheme, in any case (RFC 9110 §11.1)', () => {
  for (const header of ['Bearer a.b-c_d', 'bearer a.b-c_d', 'BEARER  a.b-c_d']) expect(bearerToken(header)).toBe('a.b-c_d')
})

test.each([
  ['nothing', ''],
  ['a scheme alone', 'Bearer'],
  ['a scheme and blanks', 'Bearer   '],
  ['a token alone', 'a.b.c'],
  ['Basic', 'Basic YTpi'],
  ['two tokens', 'Bearer a.b.c d.e.f'],
  ['two headers joined', 'Bearer a.b.c, Bearer d.e.f'],
  ['a token in quotes', 'Bearer "a.b.c"'],
  ['a line break', 'Bearer a.b.c\n'],
  ['a blank before', ' Bearer a.b.c'],
  ['other characters', 'Bearer a.b.c;d'],
  ['more than 8 KiB', `Bearer ${'a'.repeat(8192)}`],
])('%s is refused, never taken for no token', (_what, header) => {
  expect(() => bearerToken(header)).toThrow(refused)
})
