import { createHash, timingSafeEqual } from 'node:crypto'

/** Whether this is a challenge of PKCE's method S256: 32 bytes as base64url, RFC 7636 §4.2. */
export function isCodeChallenge(text: string): boolean {
  return /^[A-Za-z0-9_-]{43}$/.test(text)
}

/** Whether this is the verifier that a challenge was made of, RFC 7636 §4.6. */
export function matchesChallenge(codeVerifier: string, codeChallenge: string): boolean {
  // RFC 7636 §4.1
  if (!/^[A-Za-z0-9\-._~]{43,128}$/.test(codeVerifier)) return false
  const [given, wanted] = [Buffer.from(challengeOf(codeVerifier)), Buffer.from(codeChallenge)]
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}

/** The challenge of a verifier, by S256. */
export function challengeOf(codeVerifier: string): string {
  return createHash('sha256').update(codeVerifier).digest('base64url')
}
