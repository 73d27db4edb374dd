import { RequestError } from '../domain/errors.ts'

/** 8 KiB: own tokens have about 700 characters, those of other issuers a few thousand. */
const maxLength = 8192

/**
 * The token of an Authorization header, RFC 6750 §2.1; null without one. There is no other place a token is read from: one in a
 * URL ends up in logs (§2.3).
 *
 * @throws {RequestError} UNAUTHENTICATED for another scheme, or what cannot be a token
 */
export function bearerToken(authorizationHeader: string | null): string | null {
  if (authorizationHeader === null) return null
  const token = authorizationHeader.length > maxLength ? null : /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i.exec(authorizationHeader)?.[1]
  if (!token) throw new RequestError('UNAUTHENTICATED', 'The Authorization header must be `Bearer` and a token.')
  return token
}
