import { describe, expect, test } from 'vitest'
import { DomainError } from '../src/domain/errors.ts'
import { commonPasswords } from '../src/domain/password/common-passwords.ts'
import { type PasswordContext, passwordProblem, productWords } from '../src/domain/password/password-policy.ts'

const policy = { minLength: 8, common: commonPasswords(8), productWords: productWords('https://users.acme-shop.example') }
const person = { email: 'Jane.Doe@example.com', username: 'Sonnenblume' }

/** Why a password may not be used; an empty list: it may. */
function reasons(password: string, context: PasswordContext = person, minLength = 8): readonly string[] {
  const problem = passwordProblem({ ...policy, minLength }, password, ['input', 'password'], context)
  if (problem === null) return []
  return problem instanceof DomainError && problem.code === 'WEAK_PASSWORD'
    ? (problem.details as { reasons: string[] }).reasons
    : [problem.code]
}

test.each([
  ['lower case only', 'correcthorsebatterystaple'],
  ['digits only', '83920174650192837465'],
  ['64 characters', 'x y '.repeat(16)],
  ['1024 bytes', 'correct horse '.repeat(73).slice(0, 1024)],
  ['blanks around it', '  wet paint '],
  ['a name within something longer', 'jane walks her seven dogs'],
  ['another alphabet', 'лошадь батарея'],
])('%s will do: there are no rules of composition (C1.2, C1.3, C1.4)', (_what, password) => {
  expect(reasons(password)).toEqual([])
})

describe('length', () => {
  test('is counted in code points of the normal form, not in UTF-16 units (C1.1)', () => {
    expect(reasons('🐎🔋🍀🌈🎲🎯🚲')).toEqual(['TOO_SHORT'])
    expect(reasons('🐎🔋🍀🌈🎲🎯🚲🚀')).toEqual([])
    expect(reasons('e\u0301'.repeat(7))).toEqual(['TOO_SHORT'])
  })

  test('may be asked for up to what NIST recommends where it is the only factor (C1.1)', () => {
    expect(reasons('fourteen chars', person, 15)).toEqual(['TOO_SHORT'])
    expect(reasons('fifteen chars !', person, 15)).toEqual([])
  })

  test('ends at 1024 bytes (C1.2)', () => {
    expect(reasons(`${'correct horse '.repeat(73)}xyz`)).toEqual(['TOO_LONG'])
    expect(reasons('ä'.repeat(513))).toEqual(['TOO_LONG'])
  })
})

test.each(['password1', 'PASSWORD1', 'Ｐａｓｓｗｏｒｄ１', 'qwertyuiop', '1234567890', 'trustno1', 'iloveyou1'])(
  '%s is one that everybody tries first (C1.6)',
  (password) => {
    expect(reasons(password)).toEqual(['COMMON'])
  },
)

test('more than the 3,000 most common ones that are long enough are refused (C1.6)', () => {
  expect(policy.common().size).toBeGreaterThan(10_000)
  for (const password of policy.common()) expect(passwordProblem(policy, password, [])?.code).toBe('WEAK_PASSWORD')
})

test.each(['jane.doe@example.com', 'JANE.DOE1', 'doe-jane-2026', 'sonnenblume', 'Sonnenblume2026', 'roster-roster', 'acme-shop-1'])(
  '%s is little more than a name that others know (C1.7)',
  (password) => {
    expect(reasons(password)).toEqual(['CONTEXT'])
  },
)

test('everything that is wrong with it is told at once', () => {
  expect(reasons('jane', person)).toEqual(['TOO_SHORT', 'CONTEXT'])
  expect(reasons('half\ud800pair of it')).toEqual(['INVALID_INPUT'])
})
