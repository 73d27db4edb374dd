import { createHash, randomBytes } from 'node:crypto'

/** A new token of 256 random bits, as 43 characters of base64url. Only its hash is kept (OWASP ASVS 5.0 §7.2.2, §7.2.3). */
export function newOpaqueToken(): string {
  return randomBytes(32).toString('base64url')
}

/** What is kept of an opaque token: its SHA-256, 32 bytes. It has too many bits to be guessed, so no slow hash is needed. */
export function hashOpaqueToken(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
