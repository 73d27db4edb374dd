import { authorizationSeconds } from '../domain/authorization/authorization-request.ts'

/**
 * The cookie that ties a sign-in by a provider to the browser that began it: random, and good for nothing else (RFC 9700 §4.7.1). One
 * browser has one value, so that several tabs do not get in each other's way.
 *
 * Over https its name has the prefix `__Host-`, so that no neighbouring site can put its own in the place of ours (RFC 6265bis §4.1.3.2).
 */
export type BrowserCookie = Readonly<{
  /** The value in a request's `Cookie` header; null when there is none that we could have made. */
  read: (cookieHeader: string | undefined) => string | null
  /**
   * What `Set-Cookie` says; it lives as long as somebody may take at the provider. `SameSite=Lax` is sent when the provider sends the
   * browser back by a redirect. Where it has the browser send a form, as Apple does, only one without that restriction is sent.
   */
  write: (value: string, options: Readonly<{ isFormPost: boolean }>) => string
}>

/** The cookie of the Roster that clients reach by this URL. */
export function createBrowserCookie(publicUrl: string): BrowserCookie {
  const isHttps = publicUrl.startsWith('https:')
  const prefix = isHttps ? '__Host-' : ''
  const [lax, form] = [`${prefix}roster-browser`, `${prefix}roster-browser-form`]
  return {
    read: (cookieHeader = '') => {
      const pairs = cookieHeader.split(';').map((part) => part.trim().split('=', 2))
      const values = [lax, form].flatMap((name) => pairs.flatMap(([key, value = '']) => (key === name ? [value] : [])))
      return values.find((value) => /^[A-Za-z0-9_-]{43}$/.test(value)) ?? null
    },
    write: (value, { isFormPost }) => {
      const site = isFormPost && isHttps ? 'None' : 'Lax'
      const attributes = `Path=/; Max-Age=${authorizationSeconds}; HttpOnly; SameSite=${site}${isHttps ? '; Secure' : ''}`
      return `${isFormPost ? form : lax}=${value}; ${attributes}`
    },
  }
}
