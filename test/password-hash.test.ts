import { hash } from '@node-rs/argon2'
import { expect, test } from 'vitest'
import { hashPassword, isPasswordHash, verifyPassword } from '../src/crypto/password-hash.ts'

test('a hash says argon2id with 19 MiB, two passes and one lane (C1 11)', async () => {
  expect(await hashPassword('correct horse battery staple')).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[^$]{22}\$[^$]{43}$/)
})

test('the password matches its hash, and no other does', async () => {
  const passwordHash = await hashPassword('correct horse')

  expect(await verifyPassword(passwordHash, 'correct horse')).toBe(true)
  for (const other of ['', 'correct hors', 'Correct horse', ' correct horse', 'correct horse '])
    expect(await verifyPassword(passwordHash, other)).toBe(false)
})

test('bytes beyond 72 count (C1 4)', async () => {
  expect(await verifyPassword(await hashPassword(`${'x'.repeat(72)}y`), `${'x'.repeat(72)}z`)).toBe(false)
})

test('a password composed on one machine matches the decomposed one of another (L25, C1 5)', async () => {
  expect(await verifyPassword(await hashPassword('Zoë ﬁne'.normalize('NFC')), 'Zoë ﬁne'.normalize('NFD'))).toBe(true)
})

test.each([
  ['nothing', ''],
  ['what is no hash', 'secret'],
  ['a hash cut short', '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ'],
  ['a salt that is not base64', '$argon2id$v=19$m=19456,t=2,p=1$!!!!!!!!!!!!$AAAAAAAAAAAAAAAAAAAAAA'],
  ['a salt of an impossible length', '$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAA'],
  ['4 GiB of memory', '$argon2id$v=19$m=4194304,t=2,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA'],
  ['99 passes', '$argon2id$v=19$m=19456,t=99,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA'],
  ['less memory than lanes need', '$argon2id$v=19$m=16,t=2,p=4$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA'],
  ['bcrypt', `$2b$10$${'a'.repeat(53)}`],
])('verifying against %s answers false and does not throw (L24)', async (_what, passwordHash) => {
  expect(await verifyPassword(passwordHash, 'secret')).toBe(false)
})

test('argon2 and bcrypt hashes may be brought along', async () => {
  const argon2i = await hash('secret', { algorithm: 1, memoryCost: 4096, timeCost: 3, parallelism: 1 })

  expect(isPasswordHash(argon2i)).toBe(true)
  expect(await verifyPassword(argon2i, 'secret')).toBe(true)
  for (const prefix of ['2a', '2b', '2y'])
    expect(isPasswordHash(`$${prefix}$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy`)).toBe(true)
})

test.each([
  '',
  'secret',
  '5f4dcc3b5aa765d61d8327deb882cf99',
  '$argon2d$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA',
  '$argon2id$v=16$m=19456,t=2,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA',
  '$argon2id$v=19$m=19456,t=0,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA',
  '$argon2id$v=19$m=9999999,t=2,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA',
  '$2x$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy',
  '$2b$31$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy',
  '$2b$03$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy',
  '$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy\n',
  '$2b$10$tooShort',
])('%j may not be brought along as a hash', (text) => {
  expect(isPasswordHash(text)).toBe(false)
})
