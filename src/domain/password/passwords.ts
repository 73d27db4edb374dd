import { hashPassword, isOutdatedHash, isQuickHash, unknownPasswordHash, verifyPassword } from '../../crypto/password-hash.ts'
import { commonPasswords } from './common-passwords.ts'
import { type PasswordPolicy, passwordMaxBytes, productWords } from './password-policy.ts'
import { createPasswordWork, defaultBounds, type PasswordWork } from './password-work.ts'

/**
 * All there is to do with passwords in this process. Hashing and verifying wait for their turn in one queue; both throw
 * SERVICE_UNAVAILABLE when it is full.
 */
export type Passwords = Readonly<{
  policy: PasswordPolicy
  hash: (password: string) => Promise<string>
  /** Whether the password belongs to the hash. Without one the answer is no, after as much work. */
  verify: (hash: string | null, password: string) => Promise<boolean>
  /** Whether the hash costs less than what is made now. */
  isOutdated: (hash: string) => boolean
}>

type Settings = Readonly<{
  argon2MemoryKib: number
  argon2Passes: number
  argon2Lanes: number
  passwordMinLength: number
  publicUrl: string | null
  requestTimeoutMs: number
}>

/** Puts it together from the configuration. */
export function createPasswords(
  { passwordMinLength: minLength, publicUrl, requestTimeoutMs, ...config }: Settings,
  work: PasswordWork = createPasswordWork(defaultBounds(requestTimeoutMs)),
): Passwords {
  const argon2 = { memoryKiB: config.argon2MemoryKib, passes: config.argon2Passes, lanes: config.argon2Lanes }
  const nobodys = unknownPasswordHash(argon2)
  return Object.freeze({
    policy: Object.freeze({ minLength, common: commonPasswords(minLength), productWords: productWords(publicUrl) }),
    hash: (password: string) => work(() => hashPassword(password, argon2)),
    verify: async (hash: string | null, password: string) => {
      // What cannot be anybody's password is not worth more work than any other.
      const possible = password.isWellFormed() && Buffer.byteLength(password) <= passwordMaxBytes
      const tried = (possible ? hash : null) ?? nobodys
      const matches = await work(async () => {
        // A hash that verifies at once would tell that there is somebody.
        if (isQuickHash(tried)) await verifyPassword(nobodys, password)
        return verifyPassword(tried, possible ? password : '')
      })
      return matches && possible && hash !== null
    },
    isOutdated: (hash: string) => isOutdatedHash(hash, argon2),
  })
}
