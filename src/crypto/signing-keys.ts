import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose'

/** ECDSA on P-256 with SHA-256, RFC 7518 §3.4: small signatures that every JOSE library verifies. */
export const signingAlgorithm = 'ES256'

/** A public key as `/.well-known/jwks.json` shows it, RFC 7517 §4. */
export type PublicJwk = Readonly<{ kty: 'EC'; crv: string; x: string; y: string; kid: string; alg: string; use: 'sig' }>

/** What tokens are verified with. */
export type VerificationKey = Readonly<{ id: string; jwk: PublicJwk; publicKey: CryptoKey }>

/** What tokens are signed with. */
export type SigningKey = Readonly<{ id: string; privateKey: CryptoKey }>

/** The keys of this Roster: one signs at a time, all of them verify. */
export type SigningKeys = Readonly<{
  /** The key that signs at this time. */
  current: (now: Date) => Promise<SigningKey>
  /** The public half of each key, newest first. */
  publicJwks: () => readonly PublicJwk[]
  /** The key with this `kid`; null when it is none of ours. */
  find: (kid: string) => Promise<VerificationKey | null>
}>

/** A new key pair. `id` is the `kid`, the key's RFC 7638 thumbprint; `privateJwk` is secret. */
export async function generateSigningKey(): Promise<Readonly<{ id: string; publicJwk: PublicJwk; privateJwk: JWK }>> {
  const pair = await generateKeyPair(signingAlgorithm, { extractable: true })
  const privateJwk = await exportJWK(pair.privateKey)
  const id = await calculateJwkThumbprint(privateJwk)
  return { id, publicJwk: publicPart(id, privateJwk), privateJwk }
}

/** Reads a private JWK. The key cannot be exported again. */
export async function importSigningKey(id: string, privateJwk: JWK): Promise<SigningKey> {
  return Object.freeze({ id, privateKey: (await importJWK(privateJwk, signingAlgorithm, { extractable: false })) as CryptoKey })
}

/** Reads a public JWK. */
export async function importVerificationKey(id: string, publicJwk: JWK): Promise<VerificationKey> {
  const jwk = publicPart(id, publicJwk)
  return Object.freeze({ id, jwk, publicKey: (await importJWK({ ...jwk }, signingAlgorithm)) as CryptoKey })
}

/** Names each member, so that no private one is ever let through. */
function publicPart(id: string, { crv = '', x = '', y = '' }: JWK): PublicJwk {
  return { kty: 'EC', crv, x, y, kid: id, alg: signingAlgorithm, use: 'sig' }
}
