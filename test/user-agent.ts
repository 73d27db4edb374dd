/** What a browser does without its window: it keeps cookies by origin, and follows redirects as far as it is told. */
export type UserAgent = Readonly<{
  /** One request. */
  send: (url: string, form?: Record<string, string>) => Promise<Response>
  /** Follows redirects until one leads to a URL that begins so, which is not opened, or to a page. */
  follow: (url: string, until: string, form?: Record<string, string>) => Promise<Arrived>
  /** The cookies of an origin, by their names. */
  cookies: (origin: string) => Map<string, string>
}>

/** Where it has come to: the page, or null where it stopped before. */
export type Arrived = Readonly<{ url: string; response: Response; page: string | null }>

const mostRedirects = 10

/** A new one, without cookies. */
export function createUserAgent(): UserAgent {
  const jars = new Map<string, Map<string, string>>()
  const cookies = (origin: string) => {
    const jar = jars.get(origin) ?? new Map<string, string>()
    jars.set(origin, jar)
    return jar
  }
  const send: UserAgent['send'] = async (url, form) => {
    const jar = cookies(new URL(url).origin)
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const body = form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) }
    const response = await fetch(url, { redirect: 'manual', headers: { ...(cookie ? { cookie } : {}) }, ...body })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '') jar.delete(name)
      else jar.set(name, value)
    }
    return response
  }
  const follow: UserAgent['follow'] = async (start, until, form) => {
    let url = start
    let response = await send(url, form)
    for (let count = 0; count < mostRedirects; count++) {
      const location = response.headers.get('location')
      if (location === null) return { url, response, page: await response.text() }
      url = new URL(location, url).href
      if (url.startsWith(until)) return { url, response, page: null }
      response = await send(url)
    }
    throw new Error(`${start} redirects for ever`)
  }
  return { send, follow, cookies }
}
