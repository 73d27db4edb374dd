import { createRemoteJWKSet, customFetch, type FetchImplementation } from 'jose'
import { readBoundedText } from './bounded-text.ts'
import type { Logger } from './logger.ts'

/**
 * Finds the public key that an issuer signs with; null when the issuer publishes no such key, or without a `kid` several.
 * @throws {KeysUnavailableError}
 */
export type IssuerKeys = (header: Readonly<{ alg: string; kid?: string }>) => Promise<CryptoKey | null>

/** The issuer's keys cannot be read now. */
export class KeysUnavailableError extends Error {
  override readonly name = 'KeysUnavailableError'
}

/** A slow issuer must not use up a request's time. */
const timeoutMs = 3000
/** How long keys are believed without asking again, and how soon an unknown `kid` makes us ask again. */
const maxAgeMs = 600_000
const cooldownMs = 30_000
/** After a failure, how long nobody waits for the issuer again. */
const retryAfterMs = 5000
/** A set of some dozen keys with certificate chains fits. */
const maxBytes = 262_144

/** Keys of an issuer by its JWKS URL: read when needed, kept for ten minutes, no redirects followed (OWASP ASVS 5.0 §15.3.2). */
export function createIssuerKeys(jwksUrl: string, logger: Logger): IssuerKeys {
  const keys = createRemoteJWKSet(new URL(jwksUrl), {
    timeoutDuration: timeoutMs,
    cacheMaxAge: maxAgeMs,
    cooldownDuration: cooldownMs,
    [customFetch]: fetchKeys(logger),
  })
  return async (header) => {
    try {
      return await keys(header)
    } catch (error) {
      if (error instanceof KeysUnavailableError) throw error
      // No such key, two of them, or one that cannot be used.
      return null
    }
  }
}

function fetchKeys(logger: Logger): FetchImplementation {
  let failedAtMs = Number.NEGATIVE_INFINITY
  return async (url, options) => {
    if (Date.now() < failedAtMs + retryAfterMs) throw new KeysUnavailableError('The keys could not be read a moment ago.')
    try {
      return new Response(await readKeys(url, options))
    } catch (cause) {
      failedAtMs = Date.now()
      logger.warn({ jwksUrl: url, reason: (cause as Error).message }, 'the keys of an issuer cannot be read')
      throw new KeysUnavailableError('The keys cannot be read.', { cause })
    }
  }
}

async function readKeys(url: string, options: Parameters<FetchImplementation>[1]): Promise<string> {
  const response = await fetch(url, { ...options, redirect: 'manual' })
  if (response.status !== 200) throw new Error(`answered ${response.status}`)
  const text = await readBoundedText(response, maxBytes)
  const document = JSON.parse(text) as { keys?: unknown } | null
  if (!Array.isArray(document?.keys)) throw new Error('answered no JSON Web Key Set')
  return text
}
