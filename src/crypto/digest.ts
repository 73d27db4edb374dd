import { createHash, createHmac, pbkdf2 } from 'node:crypto'
import { promisify } from 'node:util'
import { threadPbkdf2 } from './hash-thread.ts'

/** Digests that other systems made password hashes with, by the name we keep them by, and how many bytes each has. */
export const digestBytes = {
  md4: 16,
  md5: 16,
  ripemd160: 20,
  sha1: 20,
  sha224: 28,
  sha256: 32,
  sha384: 48,
  sha512: 64,
  whirlpool: 64,
} as const

/** A digest's name. */
export type DigestName = keyof typeof digestBytes

/** Whether the text is the name of a digest. */
export function isDigestName(text: string): text is DigestName {
  return Object.hasOwn(digestBytes, text)
}

/** OpenSSL has these two in its legacy provider only, which is not loaded. */
export function isForeignToOpenssl(name: DigestName): name is 'md4' | 'whirlpool' {
  return name === 'md4' || name === 'whirlpool'
}

/** The digest of the message. */
export async function digest(name: DigestName, message: Buffer): Promise<Buffer> {
  if (!isForeignToOpenssl(name)) return createHash(name).update(message).digest()
  const { createMD4, createWhirlpool } = await import('hash-wasm')
  const hasher = await (name === 'md4' ? createMD4() : createWhirlpool())
  return Buffer.from(hasher.init().update(message).digest('binary'))
}

/** The HMAC of the message, RFC 2104. */
export async function hmac(name: DigestName, key: Buffer, message: Buffer): Promise<Buffer> {
  if (!isForeignToOpenssl(name)) return createHmac(name, key).update(message).digest()
  const { createHMAC, createMD4, createWhirlpool } = await import('hash-wasm')
  const hasher = await createHMAC(name === 'md4' ? createMD4() : createWhirlpool(), key)
  return Buffer.from(hasher.init().update(message).digest('binary'))
}

/** A key derived by PBKDF2, RFC 8018 §5.2, in another thread. */
export function deriveKey(name: DigestName, password: Buffer, salt: Buffer, iterations: number, length: number): Promise<Buffer> {
  if (isForeignToOpenssl(name)) return threadPbkdf2({ digest: name, password, salt, iterations, length })
  return promisify(pbkdf2)(password, salt, iterations, length, name)
}
