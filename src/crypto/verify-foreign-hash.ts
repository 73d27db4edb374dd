import { type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'
import { verify } from '@node-rs/argon2'
import { deriveKey, digest, hmac } from './digest.ts'
import type { ForeignHash } from './foreign-hash.ts'
import { verifyBcrypt } from './hash-thread.ts'
import { anyForm, passwordForms } from './password-forms.ts'
import { isBcryptHash } from './standard-hash.ts'

/**
 * Whether the password belongs to a hash from another system. What takes long is done in other threads.
 * @throws when they could not do it
 */
export async function verifyForeignHash(foreign: ForeignHash, plainPassword: string): Promise<boolean> {
  const passwords = passwordForms(plainPassword, foreign.encoding)
  if (foreign.algorithm.kind !== 'standard')
    return anyForm(passwords, async (password) => timingSafeEqual(await compute(foreign, password), foreign.hash))
  const hash = foreign.hash.toString()
  const messages = passwords.map((password) => salted(foreign, password))
  return isBcryptHash(hash) ? verifyBcrypt(hash, messages) : anyForm(messages, (message) => verify(hash, message))
}

async function compute(foreign: ForeignHash, password: Buffer): Promise<Buffer> {
  const { algorithm, salt, hash } = foreign
  if (algorithm.kind === 'digest') return digest(algorithm.digest, salted(foreign, password))
  if (algorithm.kind === 'hmac') return hmac(algorithm.digest, algorithm.key, salted(foreign, password))
  if (algorithm.kind === 'pbkdf2') return deriveKey(algorithm.digest, password, salt, algorithm.iterations, hash.length)
  if (algorithm.kind === 'scrypt') return deriveByScrypt(password, salt, hash.length, algorithm)
  throw new Error('argon2 and bcrypt verify by themselves')
}

function salted({ salt, saltPosition }: ForeignHash, password: Buffer): Buffer {
  return Buffer.concat(saltPosition === 'prefix' ? [salt, password] : [password, salt])
}

/** RFC 7914. */
function deriveByScrypt(password: Buffer, salt: Buffer, length: number, parameters: ScryptParameters): Promise<Buffer> {
  const { cost, blockSize, parallelization } = parameters
  // The default is 32 MiB; what may be kept at all needs less than this.
  const options: ScryptOptions = { cost, blockSize, parallelization, maxmem: 2 ** 29 }
  return new Promise((resolve, reject) => {
    scrypt(password, salt, length, options, (error, key) => (error === null ? resolve(key) : reject(error)))
  })
}

type ScryptParameters = Readonly<{ cost: number; blockSize: number; parallelization: number }>
