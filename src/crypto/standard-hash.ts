/** Base64 without padding of a salt or hash of 8 to 64 bytes. */
const base64 = '[A-Za-z0-9+/]{11,86}'
const argon2Shape = new RegExp(`^\\$argon2(?:id|i)\\$v=19\\$m=(\\d{1,7}),t=(\\d{1,2}),p=(\\d{1,2})\\$${base64}\\$${base64}$`)
const bcryptShape = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/

/** What one verification of somebody else's hash may cost: 256 MiB, 16 passes, 16 lanes; bcrypt 2^15 rounds, about 2 s. */
const most = { memoryKiB: 262_144, passes: 16, lanes: 16, bcryptCost: 15 }

/** Whether the text is an argon2id or argon2i PHC string, or bcrypt, within the cost we are willing to pay. */
export function isStandardHash(text: string): boolean {
  return isArgon2Hash(text) || isBcryptHash(text)
}

/** Whether the text is an argon2id or argon2i PHC string within that cost. */
export function isArgon2Hash(text: string): boolean {
  const [memoryKiB = 0, passes = 0, lanes = 0] = argon2Parameters(text)
  // RFC 9106 §3.1: at least 8 KiB a lane.
  const inRange = lanes >= 1 && lanes <= most.lanes && passes >= 1 && passes <= most.passes
  return inRange && memoryKiB >= 8 * lanes && memoryKiB <= most.memoryKiB
}

/** Memory in KiB, passes and lanes of an argon2 PHC string; nothing for another text. */
export function argon2Parameters(text: string): number[] {
  return argon2Shape.exec(text)?.slice(1).map(Number) ?? []
}

/** Whether the text is a bcrypt string within that cost. */
export function isBcryptHash(text: string): boolean {
  const cost = Number(bcryptShape.exec(text)?.[1] ?? 0)
  return cost >= 4 && cost <= most.bcryptCost
}
