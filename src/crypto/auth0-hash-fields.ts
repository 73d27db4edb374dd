import type { DigestName } from './digest.ts'

/** What is wrong, and where in the object. */
export type Auth0Problem = Readonly<{ path: readonly string[]; message: string }>

const algorithms = ['argon2', 'bcrypt', 'hmac', 'ldap', 'md4', 'md5', 'sha1', 'sha256', 'sha512', 'pbkdf2', 'scrypt'] as const
const encodings = ['base64', 'hex', 'utf8'] as const
const digests: readonly DigestName[] = ['md4', 'md5', 'ripemd160', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512', 'whirlpool']
const passwordEncodings = ['ascii', 'utf8', 'utf16le', 'ucs2', 'latin1', 'binary'] as const
const maxLength = 4096

type Encoding = (typeof encodings)[number]

/** The members of `custom_password_hash`, by their paths. */
export type Auth0Fields = Readonly<{
  algorithm: (typeof algorithms)[number]
  'hash.value': string
  'hash.encoding'?: Encoding
  'hash.digest'?: DigestName
  'hash.key.value'?: string
  'hash.key.encoding'?: Encoding
  'salt.value'?: string | undefined
  'salt.encoding'?: Encoding
  'salt.position'?: 'prefix' | 'suffix'
  'password.encoding'?: (typeof passwordEncodings)[number]
  keylen?: number
  cost?: number
  blockSize?: number
  parallelization?: number
}>

/** By its path, what a member may be; null for an object. */
const members: Readonly<Record<string, readonly string[] | 'text' | 'integer' | null>> = {
  algorithm: algorithms,
  hash: null,
  'hash.value': 'text',
  'hash.encoding': encodings,
  'hash.digest': digests,
  'hash.key': null,
  'hash.key.value': 'text',
  'hash.key.encoding': encodings,
  salt: null,
  'salt.value': 'text',
  'salt.encoding': encodings,
  'salt.position': ['prefix', 'suffix'],
  password: null,
  'password.encoding': passwordEncodings,
  keylen: 'integer',
  cost: 'integer',
  blockSize: 'integer',
  parallelization: 'integer',
}

/** What must be there: always, or where the object is that it belongs to. */
const required = [
  ['algorithm', null],
  ['hash.value', null],
  ['hash.key.value', 'hash.key'],
  ['salt.value', 'salt'],
] as const

/** Reads the object by Auth0's JSON schema. `fields` is null where there are problems. */
export function auth0Fields(custom: unknown): { fields: Auth0Fields | null; problems: readonly Auth0Problem[] } {
  const found = new Map<string, unknown>()
  const problems = collect(custom, [], found)
  if (problems.length === 0) problems.push(...missing(found))
  return problems.length > 0 ? { fields: null, problems } : { fields: Object.fromEntries(found) as Auth0Fields, problems }
}

function missing(found: ReadonlyMap<string, unknown>): Auth0Problem[] {
  return required.flatMap(([path, owner]) => {
    const isMissing = !found.has(path) && (owner === null || found.has(owner))
    return isMissing ? [{ path: path.split('.'), message: 'This is missing.' }] : []
  })
}

function collect(value: unknown, path: readonly string[], found: Map<string, unknown>): Auth0Problem[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [{ path, message: 'This is an object.' }]
  return Object.entries(value).flatMap(([key, inner]) => {
    const at = [...path, key.slice(0, 100)]
    const name = [...path, key].join('.')
    if (key.includes('.') || !Object.hasOwn(members, name)) return [{ path: at, message: 'There is no such property.' }]
    found.set(name, inner)
    return members[name] === null ? collect(inner, at, found) : memberProblem(name, inner, at)
  })
}

function memberProblem(name: string, value: unknown, path: readonly string[]): Auth0Problem[] {
  const member = members[name]
  if (member === 'text')
    return typeof value === 'string' && value.length <= maxLength
      ? []
      : [{ path, message: `This is a text of ${maxLength} characters at most.` }]
  if (member === 'integer')
    return Number.isSafeInteger(value) && Number(value) > 0 ? [] : [{ path, message: 'This is a positive integer.' }]
  return typeof value === 'string' && member?.includes(value) ? [] : [{ path, message: `This is one of ${member?.join(', ')}.` }]
}
