import { type Auth0Fields, type Auth0Problem, auth0Fields } from './auth0-hash-fields.ts'
import { type DigestName, digestBytes, isDigestName } from './digest.ts'
import { type ForeignAlgorithm, type ForeignHash, foreignHashProblem, formatForeignHash } from './foreign-hash.ts'
import type { PasswordEncoding } from './password-forms.ts'
import { isArgon2Hash, isBcryptHash } from './standard-hash.ts'

/** The hash as it is kept, or everything that is wrong, each with its path in the object. No value is repeated. */
export type ForeignPasswordHash = Readonly<{ hash: string } | { problems: readonly Auth0Problem[] }>

type Made = ForeignHash | Auth0Problem

/**
 * Reads `custom_password_hash` of Auth0's bulk user import: every algorithm, salt and encoding of its schema, but for `mdc2`, which no
 * library of ours knows.
 */
export function foreignPasswordHash(custom: unknown): ForeignPasswordHash {
  const { fields, problems } = auth0Fields(custom)
  if (fields === null) return { problems }
  const made = makers[fields.algorithm](fields)
  if ('message' in made) return { problems: [made] }
  const problem = foreignHashProblem(made)
  if (problem !== null) return { problems: [{ path: ['hash', 'value'], message: problem }] }
  return { hash: isPlain(made) ? made.hash.toString() : formatForeignHash(made) }
}

const makers: { readonly [Algorithm in Auth0Fields['algorithm']]: (fields: Auth0Fields) => Made } = {
  argon2: (fields) => standard(fields, isArgon2Hash),
  bcrypt: (fields) => standard(fields, isBcryptHash),
  hmac: (fields) => {
    const { 'hash.digest': digest, 'hash.key.value': value, 'hash.key.encoding': encoding = 'utf8' } = fields
    if (digest === undefined) return { path: ['hash', 'digest'], message: '`hmac` needs a digest.' }
    if (value === undefined) return { path: ['hash', 'key', 'value'], message: '`hmac` needs a key.' }
    const key = decode(value, encoding)
    return key === null ? malformed(['hash', 'key', 'value']) : ofBytes(fields, { kind: 'hmac', digest, key })
  },
  ldap: (fields) => ofText(fields) ?? ldap(fields),
  md4: (fields) => ofBytes(fields, { kind: 'digest', digest: 'md4' }),
  md5: (fields) => ofBytes(fields, { kind: 'digest', digest: 'md5' }),
  sha1: (fields) => ofBytes(fields, { kind: 'digest', digest: 'sha1' }),
  sha256: (fields) => ofBytes(fields, { kind: 'digest', digest: 'sha256' }),
  sha512: (fields) => ofBytes(fields, { kind: 'digest', digest: 'sha512' }),
  pbkdf2: (fields) => ofText(fields) ?? pbkdf2(fields),
  scrypt: (fields) => {
    const { keylen, cost = 16_384, blockSize = 8, parallelization = 1 } = fields
    if (keylen === undefined) return { path: ['keylen'], message: '`scrypt` needs the length of the key.' }
    const made = ofBytes(fields, { kind: 'scrypt', cost, blockSize, parallelization })
    return 'hash' in made && made.hash.length !== keylen ? { path: ['keylen'], message: 'The hash has another length.' } : made
  },
}

/** Hex or base64, of a password that may be salted. */
function ofBytes(fields: Auth0Fields, algorithm: ForeignAlgorithm): Made {
  const { 'hash.value': value, 'hash.encoding': encoding } = fields
  if (encoding !== 'hex' && encoding !== 'base64') return { path: ['hash', 'encoding'], message: 'The encoding is `hex` or `base64`.' }
  const hash = decode(value, encoding)
  return hash === null ? malformed(['hash', 'value']) : withSalt(fields, algorithm, hash)
}

function withSalt(fields: Auth0Fields, algorithm: ForeignAlgorithm, hash: Buffer): Made {
  const { 'salt.value': value = '', 'salt.encoding': encoding = 'utf8', 'salt.position': saltPosition = 'prefix' } = fields
  const salt = decode(value, encoding)
  if (salt === null) return malformed(['salt', 'value'])
  // Where the algorithm has a place of its own for the salt, or there is none, it stood nowhere else.
  const beside = salt.length > 0 && algorithm.kind !== 'scrypt'
  return { algorithm, encoding: passwordEncoding(fields), salt, saltPosition: beside ? saltPosition : 'prefix', hash }
}

/** A string that says all there is to say. */
function ofText({ 'hash.encoding': encoding = 'utf8', 'salt.value': salt }: Auth0Fields): Auth0Problem | null {
  if (encoding !== 'utf8') return { path: ['hash', 'encoding'], message: 'The encoding is `utf8`.' }
  return salt === undefined ? null : { path: ['salt'], message: 'The hash has the salt in it.' }
}

function standard(fields: Auth0Fields, isRight: (text: string) => boolean): Made {
  const problem = ofText(fields.algorithm === 'bcrypt' ? { ...fields, 'salt.value': undefined } : fields)
  if (problem !== null) return problem
  if (!isRight(fields['hash.value']))
    return { path: ['hash', 'value'], message: `This is no hash of ${fields.algorithm} that may be kept.` }
  return withSalt(fields, { kind: 'standard' }, Buffer.from(fields['hash.value']))
}

/** Whether the argon2 or bcrypt string says everything. */
function isPlain({ algorithm, encoding, salt }: ForeignHash): boolean {
  return algorithm.kind === 'standard' && encoding === 'utf8' && salt.length === 0
}

/** RFC 2307 §5.3, and the salted schemes of OpenLDAP: the base64 has the salt after the digest. */
function ldap(fields: Auth0Fields): Made {
  const [, isSalted, name = '', base64 = ''] = /^\{(s)?(md5|sha-?\d*)\}(.+)$/i.exec(fields['hash.value']) ?? []
  const digest = { sha: 'sha1' }[name.toLowerCase()] ?? name.toLowerCase().replace('-', '')
  const bytes = decode(base64, 'base64')
  if (!isDigestName(digest) || bytes === null)
    return { path: ['hash', 'value'], message: 'Send a scheme of MD5 or SHA, such as `{SSHA}`, and base64.' }
  const length = isSalted === undefined ? bytes.length : digestBytes[digest]
  if (isSalted !== undefined && bytes.length <= length) return { path: ['hash', 'value'], message: 'There is no salt after the digest.' }
  const [hash, salt] = [bytes.subarray(0, length), bytes.subarray(length)]
  const saltPosition = salt.length > 0 ? 'suffix' : 'prefix'
  return { algorithm: { kind: 'digest', digest }, encoding: passwordEncoding(fields), salt, saltPosition, hash }
}

const pbkdf2Shape = /^\$pbkdf2-([A-Za-z0-9-]{1,40})\$(?:(?:i=(\d{1,9}))?,?(?:l=(\d{1,4}))?\$)?([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/

/** A PHC string; `i` and `l` are 100,000 and 64 where they are not said. */
function pbkdf2(fields: Auth0Fields): Made {
  const [, name = '', iterations = '100000', length = '64', salt = '', hash = ''] = pbkdf2Shape.exec(fields['hash.value']) ?? []
  const path = ['hash', 'value']
  if (name === '') return { path, message: 'Send `$pbkdf2-<digest>$i=<iterations>,l=<length>$<salt>$<hash>`.' }
  const digest = opensslDigest(name)
  if (digest === null) return { path, message: 'This digest is not known.' }
  const bytes = Buffer.from(hash, 'base64')
  if (bytes.length !== Number(length)) return { path, message: 'The hash has another length than `l` says.' }
  const algorithm = { kind: 'pbkdf2', digest, iterations: Number(iterations) } as const
  return { algorithm, encoding: passwordEncoding(fields), salt: Buffer.from(salt, 'base64'), saltPosition: 'prefix', hash: bytes }
}

/** OpenSSL has several names for each: `RSA-SHA1-2`, `sha1WithRSAEncryption`, `ssl3-sha1`, `rmd160`. */
function opensslDigest(name: string): DigestName | null {
  const plain = name.toLowerCase().replace(/^rsa-|^ssl3-|withrsa(?:encryption)?$/g, '')
  const known = { ripemd: 'ripemd160', rmd160: 'ripemd160', 'sha1-2': 'sha1' }[plain] ?? plain
  return isDigestName(known) ? known : null
}

function passwordEncoding({ 'password.encoding': encoding = 'utf8' }: Auth0Fields): PasswordEncoding {
  if (encoding === 'utf8') return encoding
  return encoding === 'utf16le' || encoding === 'ucs2' ? 'utf16le' : 'latin1'
}

/** Null for what is not in this encoding. Base64 may be that of URLs, and go without padding. */
function decode(text: string, encoding: 'base64' | 'hex' | 'utf8'): Buffer | null {
  const shape = { base64: /^[A-Za-z0-9+/_-]*={0,2}$/, hex: /^(?:[0-9a-f]{2})*$/i, utf8: /^/ }[encoding]
  const bytes = Buffer.from(text, encoding)
  const isWhole = encoding !== 'base64' || bytes.length === Math.floor((text.replace(/=+$/, '').length * 3) / 4)
  return shape.test(text) && isWhole && text.isWellFormed() ? bytes : null
}

function malformed(path: readonly string[]): Auth0Problem {
  return { path, message: 'The value is not in its encoding.' }
}
