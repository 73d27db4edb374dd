import { describe, expect, test } from 'vitest'
import {
  foldCase,
  foldText,
  isStorableText,
  isUuid,
  normalizeEmail,
  normalizeExternalId,
  normalizePhoneNumber,
  normalizeUsername,
} from '../src/domain/normalize.ts'

const [nul, lead, trail] = ['\u0000', '\ud83d', '\ude00']

describe('an e-mail address', () => {
  test.each([
    ['Jane.Doe@Example.COM', 'jane.doe@example.com', 'Jane.Doe@Example.COM'],
    ['  jane@example.com\n', 'jane@example.com', 'jane@example.com'],
    ['jane+news@example.com', 'jane+news@example.com', 'jane+news@example.com'],
    ["o'hara!#$%&*/=?^_`{|}~-@example.com", "o'hara!#$%&*/=?^_`{|}~-@example.com", "o'hara!#$%&*/=?^_`{|}~-@example.com"],
    ['admin@localhost', 'admin@localhost', 'admin@localhost'],
    ['Jane.DOE+News@example.com', 'jane.doe+news@example.com', 'Jane.DOE+News@example.com'],
    ['\u00c9@example.com', '\u00e9@example.com', '\u00c9@example.com'],
    ['E\u0301@example.com', '\u00e9@example.com', '\u00c9@example.com'],
    ['\u212Aelvin@example.com', 'kelvin@example.com', 'Kelvin@example.com'],
    ['İpek@example.com', 'i\u0307pek@example.com', 'İpek@example.com'],
    ['ıpek@example.com', 'ıpek@example.com', 'ıpek@example.com'],
    ['ΝΊΚΟΣ@example.com', 'νίκοσ@example.com', 'ΝΊΚΟΣ@example.com'],
    ['ｊａｎｅ＠ｅｘａｍｐｌｅ．ｃｏｍ', 'jane@example.com', 'jane@example.com'],
    ['jane@MÜNCHEN.example', 'jane@xn--mnchen-3ya.example', 'jane@MÜNCHEN.example'],
    ['jane@xn--mnchen-3ya.example', 'jane@xn--mnchen-3ya.example', 'jane@xn--mnchen-3ya.example'],
    ['用户@例え。テスト', '用户@xn--r8jz45g.xn--zckzah', '用户@例え.テスト'],
    ['🦊@example.com', '🦊@example.com', '🦊@example.com'],
  ])('%s is compared as %s', (typed, normal, email) => {
    expect(normalizeEmail(typed)).toEqual({ email: email.normalize('NFKC'), normal })
  })

  test('the dotless i, a sharp s and their look-alikes are different mailboxes', () => {
    const forms = ['mıke@example.com', 'mike@example.com', 'strasse@example.com', 'straße@example.com'].map(
      (text) => normalizeEmail(text)?.normal,
    )

    expect(new Set(forms).size).toBe(4)
  })

  test('mail goes to the address that is compared, whatever was typed: only the case may differ', () => {
    for (const typed of ['ﬁona@example.com', 'ｊane＠example.com', '\u212A@例え。テスト']) {
      const { email = '', normal = '' } = normalizeEmail(typed) ?? {}
      expect(normalizeEmail(email)?.normal).toBe(normal)
      expect(email.split('@')[0]?.toLowerCase()).toBe(normal.split('@')[0])
    }
  })

  test.each([
    '',
    'jane',
    '@example.com',
    'jane@',
    'a@b@example.com',
    'a＠b@example.com',
    'jane doe@example.com',
    'jane\u00a0doe@example.com',
    '"jane doe"@example.com',
    '"jane"@example.com',
    'Jane <jane@example.com>',
    'jane@exa mple.com',
    'jane@example..com',
    'jane@.example.com',
    'jane@example.com.',
    'jane@-example.com',
    'jane@exam_ple.com',
    'jane@example.com/path',
    'jane@ex%61mple.com',
    'jane@example.com:25',
    'jane@[192.0.2.1]',
    'jane@192.0.2.1',
    'jane@0x7f.1',
    'jane@xn--a',
    'jane@xn--a.example',
    `jane\r\nBcc: all@example.com`,
    `ja${nul}ne@example.com`,
    'ja\u200bne@example.com',
    'ja\u202ene@example.com',
    `ja${lead}ne@example.com`,
    `${'a'.repeat(65)}@example.com`,
    `${'é'.repeat(33)}@example.com`,
    `jane@${'a'.repeat(64)}.com`,
    `jane@${'a.'.repeat(125)}com`,
  ])('%j is none', (text) => {
    expect(normalizeEmail(text)).toBeNull()
  })

  test('the longest one has 254 octets, 64 of them before the @', () => {
    const domain = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(57)}.com`

    expect(normalizeEmail(`${'x'.repeat(64)}@${domain}`)?.normal).toHaveLength(254)
    expect(normalizeEmail(`${'x'.repeat(64)}@a${domain.replace('c', 'cc').slice(1)}`)).toBeNull()
  })

  test('a megabyte is refused at once', () => {
    const start = performance.now()

    expect(normalizeEmail(`${'a'.repeat(1_000_000)}@example.com`)).toBeNull()
    expect(performance.now() - start).toBeLessThan(50)
  })
})

describe('a phone number', () => {
  test.each([
    ['+4915112345678', '+4915112345678'],
    [' +49 (151) 123-456.78 ', '+4915112345678'],
    ['+49\u00a0151\u2011123\u2013456 78', '+4915112345678'],
    ['＋４９１５１１２３４５６７８', '+4915112345678'],
  ])('%s is %s', (typed, normal) => {
    expect(normalizePhoneNumber(typed)).toBe(normal)
  })

  test.each([
    '',
    '015112345678',
    '004915112345678',
    '+015112345678',
    '+49 (0) 151 1234567',
    '+49',
    '+1234567890123456',
    '+49151x1234',
    '+٤٩١٥١١٢٣٤٥',
  ])('%j is none', (text) => {
    expect(normalizePhoneNumber(text)).toBeNull()
  })
})

describe('a username', () => {
  test.each([
    ['Jane_Doe', 'jane_doe', 'Jane_Doe'],
    [' jane ', 'jane', 'jane'],
    ['ÉMILE', 'émile', 'ÉMILE'],
    ['ＪＡＮＥ', 'jane', 'JANE'],
    ['a+b', 'a+b', 'a+b'],
    ['x'.repeat(64), 'x'.repeat(64), 'x'.repeat(64)],
    ['🦊'.repeat(64), '🦊'.repeat(64), '🦊'.repeat(64)],
  ])('%s is compared as %s', (typed, normal, username) => {
    expect(normalizeUsername(typed)).toEqual({ username, normal })
  })

  test.each(['', ' ', 'jane@home', 'ja＠ne', 'jane doe', 'ja\tne', 'ja\u200bne', '+49151', '＋49', 'x'.repeat(65), `a${nul}`, `a${trail}`])(
    '%j is none',
    (text) => {
      expect(normalizeUsername(text)).toBeNull()
    },
  )
})

describe('an external id', () => {
  test.each([' Crm|42 ', 'x'.repeat(255), '🦊'.repeat(255)])('%j is kept exactly', (text) => {
    expect(normalizeExternalId(text)).toBe(text)
  })

  test.each(['', 'x'.repeat(256), '🦊'.repeat(256), `a${nul}b`, `a${lead}`])('%j is none', (text) => {
    expect(normalizeExternalId(text)).toBeNull()
  })
})

describe('folding', () => {
  test('is the same for every case and Unicode form, and folding again changes nothing', () => {
    for (let code = 0; code < 0x110000; code++) {
      if (code >= 0xd800 && code < 0xe000) continue
      const character = String.fromCodePoint(code)
      const folded = foldCase(character)
      if (foldCase(folded) !== folded || foldCase(character.normalize('NFD')) !== folded || foldCase(character.toLowerCase()) !== folded)
        expect.unreachable(`U+${code.toString(16)}`)
    }
  })

  test('a part of a word folds to a part of the folded word', () => {
    expect(foldCase('ΝΊΚΟΣ ΝΊΚΟΣΑ')).toContain(foldCase('Σ'))
    expect(foldCase('ΝΊΚΟΣΑ').startsWith(foldCase('ΝΊΚΟΣ'))).toBe(true)
  })

  test('a name is cut after 256 characters, and never in the middle of one', () => {
    expect(Array.from(foldText('🦊'.repeat(300)))).toHaveLength(256)
    expect(isStorableText(foldText(`a${'🦊'.repeat(300)}`))).toBe(true)
    expect(Array.from(foldText('\ufdfa'.repeat(300)))).toHaveLength(256)
  })
})

test('text with NUL or half of a surrogate pair cannot be stored', () => {
  expect(['', 'jane', '🦊', '\ufffd', '\ufeff'].every(isStorableText)).toBe(true)
  expect([nul, `a${nul}`, lead, trail, `${trail}${lead}`, `a${lead}b`].some(isStorableText)).toBe(false)
})

test('a UUID is told by its form', () => {
  expect(['0190a5b2-0000-7000-8000-000000000000', '0190A5B2-0000-4000-8000-00000000000F'].every(isUuid)).toBe(true)
  expect(
    [
      '',
      '0190a5b2',
      '0190a5b2-0000-7000-8000-00000000000g',
      '{0190a5b2-0000-7000-8000-000000000000}',
      '0190a5b2-0000-7000-8000-000000000000\n',
    ].some(isUuid),
  ).toBe(false)
})
