import { createHash } from 'node:crypto'
import bcrypt from 'bcryptjs'
import { describe, expect, test } from 'vitest'
import { foreignPasswordHash } from '../src/crypto/auth0-hash.ts'
import { isOutdatedHash, isPasswordHash, isWeakHash, leastArgon2, verifyPassword } from '../src/crypto/password-hash.ts'
import { foreignHashes, password } from './foreign-hashes.ts'

/** What the hash is kept as. @throws when it is refused */
function kept(custom: unknown): string {
  const made = foreignPasswordHash(custom)
  if ('problems' in made) throw new Error(JSON.stringify(made.problems))
  return made.hash
}

/** Why it is refused, by paths. */
function refused(custom: unknown): string[] {
  const made = foreignPasswordHash(custom)
  return 'problems' in made ? made.problems.map(({ path }) => path.join('.')) : []
}

describe.each(foreignHashes)('$what', ({ custom, password: plain = password, strength }) => {
  test('is kept as one string, and its password belongs to it and no other', async () => {
    const hash = kept(custom)

    expect(isPasswordHash(hash)).toBe(true)
    expect(await verifyPassword(hash, plain)).toBe(true)
    for (const wrong of [`${plain} `, plain.toUpperCase(), '']) expect(await verifyPassword(hash, wrong)).toBe(false)
  })

  test(`is ${strength}, and makes way for argon2id where it is not that already`, () => {
    const hash = kept(custom)

    expect(isWeakHash(hash)).toBe(strength === 'weak')
    expect(isOutdatedHash(hash, leastArgon2)).toBe(!hash.startsWith('$argon2id'))
  })
})

test('argon2 and bcrypt strings stay as they are', () => {
  const value = '$2b$10$C9hB01.YxRSTcn/ZOOo4j.TW7xCKKFKBSF.C7E0xiUwumqIDqWUXG'

  expect(kept({ algorithm: 'bcrypt', hash: { value } })).toBe(value)
})

test('a salt before bcrypt counts towards the 72 bytes that it looks at', async () => {
  const salt = 'x'.repeat(70)
  const hash = kept({ algorithm: 'bcrypt', hash: { value: await bcrypt.hash(`${salt}ab`, 4) }, salt: { value: salt } })

  expect(await verifyPassword(hash, 'abc')).toBe(true)
  expect(await verifyPassword(hash, 'ac')).toBe(false)
})

test('a password is tried as it was sent and in its normal form', async () => {
  const of = (text: string) => kept({ algorithm: 'md5', hash: { value: createHash('md5').update(text).digest('hex'), encoding: 'hex' } })

  expect(await verifyPassword(of('cafe\u0301'), 'cafe\u0301')).toBe(true)
  expect(await verifyPassword(of('caf\u00e9'), 'cafe\u0301')).toBe(true)
  expect(await verifyPassword(of('cafe\u0301'), 'caf\u00e9')).toBe(false)
})

const hex = (bytes: number) => 'ab'.repeat(bytes)
const phc = (head: string, bytes = 64) => `$pbkdf2-${head}$c2FsdHNhbHQ$${Buffer.alloc(bytes, 7).toString('base64').replace(/=+$/, '')}`

describe('what costs more than a sign-in may is refused:', () => {
  const scrypt = (parameters: object) => ({ algorithm: 'scrypt', hash: { value: hex(32), encoding: 'hex' }, keylen: 32, ...parameters })

  test.each([
    ['a thousand million iterations', { algorithm: 'pbkdf2', hash: { value: phc('sha512$i=999999999,l=64') } }, 'hash.value'],
    ['iterations for many blocks', { algorithm: 'pbkdf2', hash: { value: phc('sha1$i=1000000,l=640', 640) } }, 'hash.value'],
    ['many iterations of a slow digest', { algorithm: 'pbkdf2', hash: { value: phc('whirlpool$i=1000001,l=64') } }, 'hash.value'],
    ['a terabyte of memory', scrypt({ cost: 2 ** 30, blockSize: 8 }), 'hash.value'],
    ['large blocks', scrypt({ cost: 2, blockSize: 2 ** 22 }), 'hash.value'],
    ['many lanes', scrypt({ cost: 2 ** 14, parallelization: 1000 }), 'hash.value'],
    ['a salt of 4 kB', { algorithm: 'md5', hash: { value: hex(16), encoding: 'hex' }, salt: { value: 'x'.repeat(4000) } }, 'hash.value'],
    [
      'a key of 4 kB',
      { algorithm: 'hmac', hash: { value: hex(16), encoding: 'hex', digest: 'md5', key: { value: 'x'.repeat(4000) } } },
      'hash.value',
    ],
    ['bcrypt of 2^31 rounds', { algorithm: 'bcrypt', hash: { value: `$2b$31$${'a'.repeat(53)}` } }, 'hash.value'],
    [
      'argon2 of 4 GiB',
      { algorithm: 'argon2', hash: { value: '$argon2id$v=19$m=4194304,t=2,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA' } },
      'hash.value',
    ],
  ])('%s', (_what, custom, path) => {
    expect(refused(custom)).toEqual([path])
  })

  test('and none of it verifies where it stands in the database all the same', async () => {
    for (const hash of [
      phc('sha512$i=999999999,l=64'),
      '$scrypt$ln=30,r=8,p=1$c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
      '$scrypt$ln=1e3,r=8,p=1$c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
    ]) {
      expect(isPasswordHash(hash)).toBe(false)
      expect(await verifyPassword(hash, password)).toBe(false)
    }
  })
})

const md5 = { algorithm: 'md5', hash: { value: hex(16), encoding: 'hex' } }

test.each([
  ['nothing', null, ''],
  ['a text', '5f4dcc3b5aa765d61d8327deb882cf99', ''],
  ['an algorithm that Auth0 does not have', { ...md5, algorithm: 'crc32' }, 'algorithm'],
  ['another property', { ...md5, rounds: 2 }, 'rounds'],
  ['another property that looks like a path', { ...md5, 'hash.digest': 'md5' }, 'hash.digest'],
  ['no hash', { algorithm: 'md5' }, 'hash.value'],
  ['a hash that is a list', { algorithm: 'md5', hash: [hex(16)] }, 'hash'],
  ['no encoding where there are bytes', { algorithm: 'md5', hash: { value: hex(16) } }, 'hash.encoding'],
  ['a hash that is not hex', { algorithm: 'md5', hash: { value: 'xyz', encoding: 'hex' } }, 'hash.value'],
  ['base64 cut short', { algorithm: 'md5', hash: { value: 'AbuUujgF0pPPkJPSFRTpmA*', encoding: 'base64' } }, 'hash.value'],
  ['a hash of another length', { algorithm: 'md5', hash: { value: hex(20), encoding: 'hex' } }, 'hash.value'],
  ['a salt without a value', { ...md5, salt: { position: 'prefix' } }, 'salt.value'],
  ['a salt in the middle', { ...md5, salt: { value: 'a', position: 'middle' } }, 'salt.position'],
  ['a lone surrogate as salt', { ...md5, salt: { value: '\ud800' } }, 'salt.value'],
  ['hmac without a digest', { algorithm: 'hmac', hash: { ...md5.hash, key: { value: 'a' } } }, 'hash.digest'],
  ['hmac without a key', { algorithm: 'hmac', hash: { ...md5.hash, digest: 'md5' } }, 'hash.key.value'],
  ['argon2 with a salt beside', { algorithm: 'argon2', hash: { value: 'x' }, salt: { value: 'a' } }, 'salt'],
  ['argon2 in hex', { algorithm: 'argon2', hash: { value: 'x', encoding: 'hex' } }, 'hash.encoding'],
  ['a bcrypt string as argon2', { algorithm: 'argon2', hash: { value: `$2b$10$${'a'.repeat(53)}` } }, 'hash.value'],
  ['crypt of LDAP', { algorithm: 'ldap', hash: { value: '{CRYPT}$1$abc$def' } }, 'hash.value'],
  ['a salted scheme without a salt', { algorithm: 'ldap', hash: { value: '{SSHA}/8wfRUGm8tTSBrWrjhQj2hPe5cw=' } }, 'hash.value'],
  ['an unsalted scheme with more after it', { algorithm: 'ldap', hash: { value: '{MD5}/8wfRUGm8tTSBrWrjhQj2hPe5cw=' } }, 'hash.value'],
  ['PBKDF2 over a digest nobody has', { algorithm: 'pbkdf2', hash: { value: phc('mdc2$i=1000,l=64') } }, 'hash.value'],
  ['PBKDF2 of another length than it says', { algorithm: 'pbkdf2', hash: { value: phc('sha512$i=1000,l=32') } }, 'hash.value'],
  ['PBKDF2 without iterations', { algorithm: 'pbkdf2', hash: { value: phc('sha512$i=0,l=64') } }, 'hash.value'],
  ['scrypt without a length', { algorithm: 'scrypt', hash: { value: hex(32), encoding: 'hex' } }, 'keylen'],
  ['scrypt of another length', { algorithm: 'scrypt', hash: { value: hex(32), encoding: 'hex' }, keylen: 64 }, 'keylen'],
  [
    'scrypt of a cost that is no power of two',
    { algorithm: 'scrypt', hash: { value: hex(32), encoding: 'hex' }, keylen: 32, cost: 1000 },
    'hash.value',
  ],
  ['scrypt of a cost that is a text', { algorithm: 'scrypt', hash: { value: hex(32), encoding: 'hex' }, keylen: 32, cost: '1024' }, 'cost'],
  ['a key of eight bytes', { algorithm: 'scrypt', hash: { value: hex(8), encoding: 'hex' }, keylen: 8 }, 'hash.value'],
])('%s is refused with its path, and no value is repeated', (_what, custom, path) => {
  expect(refused(custom)).toEqual([path])
  expect(JSON.stringify(foreignPasswordHash(custom))).not.toContain(hex(16))
})

test.each([
  '$digest-md5$$$AAAAAAAAAAAAAAAAAAAAAA==',
  '$digest-md5$enc=utf8$$AAAAAAAAAAAAAAAAAAAAAA',
  '$digest-md5$enc=hex$$AAAAAAAAAAAAAAAAAAAAAA',
  '$digest-md5$x=1$$AAAAAAAAAAAAAAAAAAAAAA',
  '$digest-md5$$$AAAAAAAAAAAAAAAAAAAAAA$',
  '$digest-constructor$$$AAAAAAAAAAAAAAAAAAAAAA',
  '$digest-md5$$$AAAA',
  '$digest-md5$$$AAAAAAAAAAAAAAAAAAAAAA\n',
  `$standard$$$${Buffer.from('$standard$$$').toString('base64')}`,
])('%s is not what is kept of any hash', (text) => {
  expect(isPasswordHash(text)).toBe(false)
})

test('the event loop goes on while a hash of another library is verified', async () => {
  const hash = kept({ algorithm: 'pbkdf2', hash: { value: phc('md4$i=100000,l=64') } })
  let ticks = 0
  const timer = setInterval(() => ticks++, 10)

  await verifyPassword(hash, password)
  clearInterval(timer)

  expect(ticks).toBeGreaterThan(5)
})
