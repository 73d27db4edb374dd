import { type ForeignHash, parseForeignHash } from './foreign-hash.ts'
import { isArgon2Hash } from './standard-hash.ts'

/** Writes a hash that is kept as Auth0's `custom_password_hash`, of which `foreignPasswordHash` makes the same again. */
export function auth0CustomHash(passwordHash: string): Readonly<Record<string, unknown>> {
  const foreign = parseForeignHash(passwordHash)
  if (foreign === null) return ofString(passwordHash)
  const { algorithm, salt, saltPosition, encoding, hash } = foreign
  const common = {
    ...(encoding === 'utf8' ? {} : { password: { encoding } }),
    ...(salt.length === 0 ? {} : { salt: { value: base64(salt), encoding: 'base64', position: saltPosition } }),
  }
  if (algorithm.kind === 'standard') return { ...ofString(hash.toString()), ...common }
  const bytes = { value: base64(hash), encoding: 'base64' }
  if (algorithm.kind === 'scrypt') {
    const { cost, blockSize, parallelization } = algorithm
    return { algorithm: 'scrypt', hash: bytes, ...common, keylen: hash.length, cost, blockSize, parallelization }
  }
  if (algorithm.kind === 'hmac') {
    const key = { value: base64(algorithm.key), encoding: 'base64' }
    return { algorithm: 'hmac', hash: { ...bytes, digest: algorithm.digest, key }, ...common }
  }
  if (algorithm.kind === 'pbkdf2') return { ...ofText('pbkdf2', plainPbkdf2(passwordHash)), ...passwordOnly(common) }
  if (['md4', 'md5', 'sha1', 'sha256', 'sha512'].includes(algorithm.digest)) return { algorithm: algorithm.digest, hash: bytes, ...common }
  return { ...ofText('ldap', ldap(foreign, algorithm.digest)), ...passwordOnly(common) }
}

function ofString(hash: string) {
  return ofText(isArgon2Hash(hash) ? 'argon2' : 'bcrypt', hash)
}

function ofText(algorithm: string, value: string) {
  return { algorithm, hash: { value, encoding: 'utf8' } }
}

/** Where the salt is a part of the text. */
function passwordOnly({ password }: { password?: object }): object {
  return password === undefined ? {} : { password }
}

/** Without what Auth0 says beside it. */
function plainPbkdf2(passwordHash: string): string {
  return passwordHash.replace(/,enc=\w+/, '')
}

/** Of SHA-224 and SHA-384, which Auth0 has only so. */
function ldap({ salt, hash }: ForeignHash, digest: string): string {
  return `{${salt.length > 0 ? 'S' : ''}${digest.toUpperCase()}}${base64(Buffer.concat([hash, salt]))}`
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64')
}
