import { type DigestName, digestBytes, isDigestName, isForeignToOpenssl } from './digest.ts'
import type { PasswordEncoding } from './password-forms.ts'
import { isStandardHash } from './standard-hash.ts'

/** What was done with the bytes. `standard` is an argon2 or bcrypt string, of a password that was salted or encoded besides. */
export type ForeignAlgorithm =
  | Readonly<{ kind: 'digest'; digest: DigestName }>
  | Readonly<{ kind: 'hmac'; digest: DigestName; key: Buffer }>
  | Readonly<{ kind: 'pbkdf2'; digest: DigestName; iterations: number }>
  | Readonly<{ kind: 'scrypt'; cost: number; blockSize: number; parallelization: number }>
  | Readonly<{ kind: 'standard' }>

/** A password hash from another system. */
export type ForeignHash = Readonly<{
  algorithm: ForeignAlgorithm
  encoding: PasswordEncoding
  salt: Buffer
  /** Where the salt stood beside the password; PBKDF2 and scrypt have a place of their own for it. */
  saltPosition: 'prefix' | 'suffix'
  /** The bytes; of `standard`, the string. */
  hash: Buffer
}>

/**
 * What may be kept, so that one verification takes about three seconds of a core and 256 MiB at the most. The iterations are those of
 * all blocks together; WebAssembly does five times fewer than OpenSSL in the same time.
 */
const most = { bytes: 1024, iterations: 6_000_000, threadIterations: 1_000_000, scryptMemory: 257 * 2 ** 20, scryptWork: 2 ** 22 }
/** A shorter hash would match by chance. */
const leastBytes = 16

/** Why a hash may not be kept; null when it may. */
export function foreignHashProblem({ algorithm, salt, hash }: ForeignHash): string | null {
  if (salt.length > most.bytes || hash.length > most.bytes) return `A salt and a hash have ${most.bytes} bytes at most.`
  if (algorithm.kind === 'standard') return isStandardHash(hash.toString()) ? null : 'This is no argon2 PHC string or bcrypt string.'
  if (algorithm.kind === 'digest' || algorithm.kind === 'hmac') {
    if (algorithm.kind === 'hmac' && algorithm.key.length > most.bytes) return `A key has ${most.bytes} bytes at most.`
    const { length } = hash
    return length === digestBytes[algorithm.digest] ? null : `A hash of ${algorithm.digest} has ${digestBytes[algorithm.digest]} bytes.`
  }
  if (hash.length < leastBytes) return `A hash has ${leastBytes} bytes or more.`
  return costProblem(algorithm, hash.length)
}

function costProblem(algorithm: Extract<ForeignAlgorithm, { kind: 'pbkdf2' | 'scrypt' }>, length: number): string | null {
  const tooMuch = 'Verifying this hash would cost too much.'
  if (algorithm.kind === 'pbkdf2') {
    const { digest, iterations } = algorithm
    if (!Number.isSafeInteger(iterations) || iterations < 1) return 'PBKDF2 needs one iteration or more.'
    const total = iterations * Math.ceil(length / digestBytes[digest])
    return total > (isForeignToOpenssl(digest) ? most.threadIterations : most.iterations) ? tooMuch : null
  }
  const { cost, blockSize, parallelization } = algorithm
  if (!Number.isSafeInteger(cost) || cost < 2 || !Number.isInteger(Math.log2(cost))) return 'The cost of scrypt is a power of two.'
  if (![blockSize, parallelization].every((number) => Number.isSafeInteger(number) && number >= 1))
    return 'The parameters of scrypt are positive integers.'
  const isTooMuch = 128 * blockSize * (cost + parallelization) > most.scryptMemory || cost * blockSize * parallelization > most.scryptWork
  return isTooMuch ? tooMuch : null
}

/**
 * The string that is kept: `$<algorithm>$<parameters>$<salt>$<hash>`, in base64 without padding, as PHC strings are. `enc` and `salt`
 * say what is not the usual: the password's encoding, and a salt that stood behind it.
 */
export function formatForeignHash({ algorithm, encoding, salt, saltPosition, hash }: ForeignHash): string {
  const unusual = [...(encoding === 'utf8' ? [] : [`enc=${encoding}`]), ...(saltPosition === 'prefix' ? [] : [`salt=${saltPosition}`])]
  return ['', name(algorithm), [...parameters(algorithm, hash.length), ...unusual].join(','), base64(salt), base64(hash)].join('$')
}

function name(algorithm: ForeignAlgorithm): string {
  return 'digest' in algorithm ? `${algorithm.kind}-${algorithm.digest}` : algorithm.kind
}

function parameters(algorithm: ForeignAlgorithm, length: number): string[] {
  if (algorithm.kind === 'hmac') return [`key=${base64(algorithm.key)}`]
  if (algorithm.kind === 'pbkdf2') return [`i=${algorithm.iterations}`, `l=${length}`]
  if (algorithm.kind !== 'scrypt') return []
  return [`ln=${Math.log2(algorithm.cost)}`, `r=${algorithm.blockSize}`, `p=${algorithm.parallelization}`]
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '')
}

/** Reads what `formatForeignHash` wrote; null for anything else, and for what may not be kept. */
export function parseForeignHash(text: string): ForeignHash | null {
  const [empty, id = '', listed = '', salt = '', hash = '', ...rest] = text.split('$', 6)
  if (empty !== '' || rest.length > 0 || text.length > 8 * most.bytes) return null
  const given = new Map(listed.split(',').map((pair) => pair.split(/=(.*)/s, 2) as [string, string]))
  const algorithm = parseAlgorithm(id, given)
  if (algorithm === null) return null
  const bytes = (encoded: string) => Buffer.from(encoded, 'base64')
  const foreign: ForeignHash = {
    algorithm,
    encoding: (given.get('enc') ?? 'utf8') as PasswordEncoding,
    saltPosition: given.get('salt') === 'suffix' ? 'suffix' : 'prefix',
    salt: bytes(salt),
    hash: bytes(hash),
  }
  if (!['utf8', 'latin1', 'utf16le'].includes(foreign.encoding)) return null
  return foreignHashProblem(foreign) === null && formatForeignHash(foreign) === text ? foreign : null
}

function parseAlgorithm(id: string, given: ReadonlyMap<string, string>): ForeignAlgorithm | null {
  const number = (key: string) => Number(given.get(key))
  if (id === 'standard') return { kind: 'standard' }
  if (id === 'scrypt') return { kind: 'scrypt', cost: 2 ** number('ln'), blockSize: number('r'), parallelization: number('p') }
  const [kind = '', digest = ''] = id.split('-', 2)
  if (!isDigestName(digest)) return null
  if (kind === 'digest') return { kind, digest }
  if (kind === 'hmac') return { kind, digest, key: Buffer.from(given.get('key') ?? '', 'base64') }
  return kind === 'pbkdf2' ? { kind, digest, iterations: number('i') } : null
}
