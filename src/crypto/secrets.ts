import { createHmac, hkdfSync } from 'node:crypto'
import { seal, unseal } from './sealed-box.ts'

/** What is done with the secret of this Roster, so that nobody else holds it. */
export type Secrets = Readonly<{
  /** Encrypts and authenticates text for keeping; `context` says what it is and whose (`outbox:<id>`). See sealed-box.ts. */
  seal: (plaintext: string, context: string) => string
  /** Opens what `seal` closed. @throws when the secret or the context is another one */
  unseal: (sealed: string, context: string) => string
  /**
   * A keyed hash, HMAC-SHA256 (RFC 2104) under a key of its own for each purpose: 32 bytes, the same on every process. Whoever has
   * the database but not the secret cannot try short codes against it.
   */
  digest: (purpose: string, text: string) => Buffer
}>

/** Binds the secret to what it is for. */
export function createSecrets(secret: string): Secrets {
  return Object.freeze({
    seal: (plaintext: string, context: string) => seal(secret, plaintext, context),
    unseal: (sealed: string, context: string) => unseal(secret, sealed, context),
    digest: (purpose: string, text: string) => createHmac('sha256', digestKey(secret, purpose)).update(text).digest(),
  })
}

function digestKey(secret: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `roster digest ${purpose}`, 32))
}
