import { randomBytes } from 'node:crypto'
import { hash, type Options, verify } from '@node-rs/argon2'
import { parseForeignHash } from './foreign-hash.ts'
import { verifyBcrypt } from './hash-thread.ts'
import { anyForm, passwordForms } from './password-forms.ts'
import { argon2Parameters, isArgon2Hash, isBcryptHash, isStandardHash } from './standard-hash.ts'
import { verifyForeignHash } from './verify-foreign-hash.ts'

/** What hashing with argon2id costs. */
export type Argon2Parameters = Readonly<{ memoryKiB: number; passes: number; lanes: number }>

/** 19 MiB, two passes, one lane: OWASP ASVS 5.0 §11.4.2 and its Password Storage Cheat Sheet. No hash of ours costs less. */
export const leastArgon2: Argon2Parameters = { memoryKiB: 19_456, passes: 2, lanes: 1 }

/**
 * Hashes a password as an argon2id PHC string. The password is normalised to NFKC first, so that the same one typed on another
 * keyboard matches (NIST SP 800-63B-4 §3.1.1.2). At the least cost it takes about 10 ms of a core and 19 MiB.
 */
export function hashPassword(plainPassword: string, { memoryKiB, passes, lanes }: Argon2Parameters = leastArgon2): Promise<string> {
  // `algorithm: 2` is argon2id; the package's enum cannot be named under isolatedModules.
  const options: Options = { algorithm: 2, memoryCost: memoryKiB, timeCost: passes, parallelism: lanes }
  return hash(plainPassword.normalize('NFKC'), options)
}

/** Whether the password belongs to the hash. A hash that is none, or costs too much, matches nothing and never throws. */
export async function verifyPassword(passwordHash: string, plainPassword: string): Promise<boolean> {
  try {
    const forms = passwordForms(plainPassword)
    if (isArgon2Hash(passwordHash)) return await anyForm(forms, (form) => verify(passwordHash, form))
    if (isBcryptHash(passwordHash)) return await verifyBcrypt(passwordHash, forms)
    const foreign = parseForeignHash(passwordHash)
    return foreign !== null && (await verifyForeignHash(foreign, plainPassword))
  } catch {
    return false
  }
}

/** Whether a hash costs less than these parameters, or is of another kind than argon2id: it is replaced when the password is at hand. */
export function isOutdatedHash(passwordHash: string, { memoryKiB, passes, lanes }: Argon2Parameters): boolean {
  const [memory = 0, time = 0, parallelism = 0] = argon2Parameters(passwordHash)
  return !passwordHash.startsWith('$argon2id$') || memory < memoryKiB || time < passes || parallelism < lanes
}

/** A hash that no password is known to belong to. Verifying against it costs what verifying against a real one costs. */
export function unknownPasswordHash({ memoryKiB, passes, lanes }: Argon2Parameters): string {
  const random = (bytes: number) => randomBytes(bytes).toString('base64').replace(/=+$/, '')
  return `$argon2id$v=19$m=${memoryKiB},t=${passes},p=${lanes}$${random(16)}$${random(32)}`
}

/** Whether the text is a hash that may be kept: argon2 or bcrypt, or one of foreign-hash.ts, within the cost we are willing to pay. */
export function isPasswordHash(text: string): boolean {
  return isStandardHash(text) || parseForeignHash(text) !== null
}

/** Whether verifying the hash takes next to no time, unlike argon2 and its like. */
export function isQuickHash(passwordHash: string): boolean {
  return /^\$(?:digest|hmac)-/.test(passwordHash)
}

/** NIST SP 800-132 §5.2 and OWASP's Password Storage Cheat Sheet ask for more; below this, guessing is cheap. */
const leastIterations = 10_000
const leastScryptWork = 2 ** 14

/**
 * Whether whoever has the hash finds the password easily: one round of any digest, salted or not, with a key or not, is guessed by the
 * thousand million a second; so is PBKDF2 over MD4 or MD5, or of few iterations. False for what is no hash.
 */
export function isWeakHash(passwordHash: string): boolean {
  const algorithm = parseForeignHash(passwordHash)?.algorithm
  if (algorithm === undefined || algorithm.kind === 'standard') return false
  if (algorithm.kind === 'pbkdf2') return algorithm.iterations < leastIterations || /^md/.test(algorithm.digest)
  return algorithm.kind === 'scrypt' ? algorithm.cost * algorithm.blockSize < leastScryptWork : true
}
