import type { CustomFetch } from 'openid-client'
import { readBoundedText } from './bounded-text.ts'

/** A provider's whole answer within this time; `inProviderTime` bounds what several of them take. */
export const providerTimeoutMs = 3000
/** A discovery document, a set of keys, a token response or a page of addresses fits many times. */
const maxBytes = 262_144
/** Statuses that an answer without a body has (Fetch Standard, null body status). */
const bodiless = [101, 103, 204, 205, 304]

/**
 * Asks a provider: no redirects are followed (OWASP ASVS 5.0 §15.3.2), the answer is read whole, bounded in size and time. Without TLS
 * only this machine is asked, and only where the issuer itself is on it.
 */
export function createProviderFetch(issuer: URL): CustomFetch {
  const allowsHttp = issuer.protocol === 'http:'
  return async (url, { signal, ...options }) => {
    if (!isAllowed(new URL(url), allowsHttp)) throw new Error('names a URL that is not https')
    const signals = [AbortSignal.timeout(providerTimeoutMs), ...(signal ? [signal] : [])]
    const request = { ...options, redirect: 'manual', signal: AbortSignal.any(signals) } as RequestInit
    const response = await fetch(url, request)
    const text = await readBoundedText(response, maxBytes)
    const { status, headers } = response
    return new Response(bodiless.includes(status) ? null : text, { status, headers })
  }
}

/** Whether a URL that a provider names may be asked. */
export function isAllowed({ protocol, hostname }: URL, allowsHttp: boolean): boolean {
  return protocol === 'https:' || (allowsHttp && protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(hostname))
}
