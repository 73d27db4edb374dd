import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

const version = 'v1'
const cipherName = 'aes-256-gcm'
/** The nonce's and the tag's length in bytes, NIST SP 800-38D §8.2 and §5.2.1.2. */
const nonceLength = 12
const tagLength = 16

/**
 * Encrypts and authenticates text with a key derived from the secret: AES-256-GCM under HKDF-SHA256 (RFC 5869), a random nonce each
 * time. `context` says what the text is and whose (`signing-key:<id>`): a box does not open under another one. The result is
 * `v1.<base64url of nonce, ciphertext and tag>`.
 */
export function seal(secret: string, plaintext: string, context: string): string {
  const nonce = randomBytes(nonceLength)
  const cipher = createCipheriv(cipherName, deriveKey(secret), nonce, { authTagLength: tagLength }).setAAD(Buffer.from(context))
  const box = Buffer.concat([nonce, cipher.update(plaintext, 'utf8'), cipher.final(), cipher.getAuthTag()])
  return `${version}.${box.toString('base64url')}`
}

/** Opens what `seal` closed. @throws when the secret or the context is another one, or a bit was changed */
export function unseal(secret: string, sealed: string, context: string): string {
  const [prefix, text, ...rest] = sealed.split('.')
  const box = Buffer.from(text ?? '', 'base64url')
  if (prefix !== version || rest.length > 0 || box.length < nonceLength + tagLength) throw new Error('This is no sealed box.')
  const decipher = createDecipheriv(cipherName, deriveKey(secret), box.subarray(0, nonceLength), { authTagLength: tagLength })
  decipher.setAAD(Buffer.from(context)).setAuthTag(box.subarray(-tagLength))
  return Buffer.concat([decipher.update(box.subarray(nonceLength, -tagLength)), decipher.final()]).toString('utf8')
}

function deriveKey(secret: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `roster sealed-box ${version}`, 32))
}
