import { hash, type Options, verify } from '@node-rs/argon2'

/** argon2id with 19 MiB, two passes, one lane: OWASP ASVS 5.0 §11.4.2 and its Password Storage Cheat Sheet. */
/* `algorithm: 2` is argon2id; the package's enum cannot be named under isolatedModules. */
const parameters: Options = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/** Base64 without padding of a salt or hash of 8 to 64 bytes. */
const base64 = '[A-Za-z0-9+/]{11,86}'
const argon2Shape = new RegExp(`^\\$argon2(?:id|i)\\$v=19\\$m=(\\d{1,7}),t=(\\d{1,2}),p=(\\d{1,2})\\$${base64}\\$${base64}$`)
const bcryptShape = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/

/** What one verification of somebody else's hash may cost: 256 MiB, 16 passes, 16 lanes; bcrypt 2^15 rounds, about 3 s. */
const most = { memoryKiB: 262_144, passes: 16, lanes: 16, bcryptCost: 15 }

/**
 * Hashes a password as an argon2id PHC string. The password is normalised to NFKC first, so that the same one typed on another
 * keyboard matches (NIST SP 800-63B-4 §3.1.1.2). Takes about 10 ms of a core and 19 MiB.
 */
export function hashPassword(plainPassword: string): Promise<string> {
  return hash(plainPassword.normalize('NFKC'), parameters)
}

/** Whether the password belongs to the argon2 hash. A hash that is not one, or costs too much, matches nothing and never throws. */
export async function verifyPassword(passwordHash: string, plainPassword: string): Promise<boolean> {
  if (!isArgon2Hash(passwordHash)) return false
  try {
    return await verify(passwordHash, plainPassword.normalize('NFKC'))
  } catch {
    return false
  }
}

/** Whether the text is a hash that may be kept: an argon2id or argon2i PHC string, or bcrypt, within the cost we are willing to pay. */
export function isPasswordHash(text: string): boolean {
  return isArgon2Hash(text) || isBcryptHash(text)
}

function isArgon2Hash(text: string): boolean {
  const [memoryKiB = 0, passes = 0, lanes = 0] = argon2Shape.exec(text)?.slice(1).map(Number) ?? []
  // RFC 9106 §3.1: at least 8 KiB a lane.
  const inRange = lanes >= 1 && lanes <= most.lanes && passes >= 1 && passes <= most.passes
  return inRange && memoryKiB >= 8 * lanes && memoryKiB <= most.memoryKiB
}

function isBcryptHash(text: string): boolean {
  const cost = Number(bcryptShape.exec(text)?.[1] ?? 0)
  return cost >= 4 && cost <= most.bcryptCost
}
