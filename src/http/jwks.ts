import type { SigningKeys } from '../crypto/signing-keys.ts'

/** Where verifiers find the public keys. */
export const jwksPath = '/.well-known/jwks.json'

/** Five minutes: a new key is published for longer before it signs. */
const maxAgeSeconds = 300

/** The public keys that own tokens are verified with, RFC 7517 §5. */
export function jwksResponse(signingKeys: SigningKeys): Readonly<{ body: string; headers: Readonly<Record<string, string>> }> {
  return {
    body: JSON.stringify({ keys: signingKeys.publicJwks() }),
    headers: { 'content-type': 'application/jwk-set+json', 'cache-control': `public, max-age=${maxAgeSeconds}` },
  }
}
