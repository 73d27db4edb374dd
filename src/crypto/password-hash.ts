import { randomBytes } from 'node:crypto'
import { hash, type Options, verify } from '@node-rs/argon2'
import { verifyBcrypt } from './bcrypt.ts'

/** What hashing with argon2id costs. */
export type Argon2Parameters = Readonly<{ memoryKiB: number; passes: number; lanes: number }>

/** 19 MiB, two passes, one lane: OWASP ASVS 5.0 §11.4.2 and its Password Storage Cheat Sheet. No hash of ours costs less. */
export const leastArgon2: Argon2Parameters = { memoryKiB: 19_456, passes: 2, lanes: 1 }

/** Base64 without padding of a salt or hash of 8 to 64 bytes. */
const base64 = '[A-Za-z0-9+/]{11,86}'
const argon2Shape = new RegExp(`^\\$argon2(?:id|i)\\$v=19\\$m=(\\d{1,7}),t=(\\d{1,2}),p=(\\d{1,2})\\$${base64}\\$${base64}$`)
const bcryptShape = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/

/** What one verification of somebody else's hash may cost: 256 MiB, 16 passes, 16 lanes; bcrypt 2^15 rounds, about 3 s. */
const most = { memoryKiB: 262_144, passes: 16, lanes: 16, bcryptCost: 15 }

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
    if (isBcryptHash(passwordHash)) return await verifyBcrypt(passwordHash, plainPassword)
    return isArgon2Hash(passwordHash) && (await verify(passwordHash, plainPassword.normalize('NFKC')))
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

/** Whether the text is a hash that may be kept: an argon2id or argon2i PHC string, or bcrypt, within the cost we are willing to pay. */
export function isPasswordHash(text: string): boolean {
  return isArgon2Hash(text) || isBcryptHash(text)
}

function isArgon2Hash(text: string): boolean {
  const [memoryKiB = 0, passes = 0, lanes = 0] = argon2Parameters(text)
  // RFC 9106 §3.1: at least 8 KiB a lane.
  const inRange = lanes >= 1 && lanes <= most.lanes && passes >= 1 && passes <= most.passes
  return inRange && memoryKiB >= 8 * lanes && memoryKiB <= most.memoryKiB
}

function argon2Parameters(text: string): number[] {
  return argon2Shape.exec(text)?.slice(1).map(Number) ?? []
}

function isBcryptHash(text: string): boolean {
  const cost = Number(bcryptShape.exec(text)?.[1] ?? 0)
  return cost >= 4 && cost <= most.bcryptCost
}
