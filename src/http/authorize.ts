import type { App } from '../app.ts'
import { newOpaqueToken } from '../crypto/opaque-token.ts'
import type { AuthorizationIntent } from '../domain/authorization/authorization-request.ts'
import { beginAuthorization } from '../domain/authorization/begin-authorization.ts'
import { isCodeChallenge } from '../domain/authorization/code-challenge.ts'
import { isStorableText } from '../domain/normalize.ts'
import { allowedRedirect } from '../domain/redirect.ts'
import { authorizationPage, authorizationScope, backWithFailure, isRateLimited } from './authorization-answers.ts'
import { createBrowserCookie } from './browser-cookie.ts'
import { withDeadline } from './deadline.ts'
import type { Answer, Exchange, Route } from './exchange.ts'
import { onlyOnce } from './form.ts'
import { HttpError } from './http-error.ts'

/** Where an application sends a browser to sign in by a provider. */
export const authorizePath = '/auth/authorize'

const stateMaxLength = 1024
const hintMaxLength = 320

type Asked = Readonly<{ redirectTo: string; codeChallenge: string; appState: string | null; intent: AuthorizationIntent }>

/**
 * `GET /auth/authorize`: sends the browser on to the provider. What is wrong with `redirect_to` or PKCE is said on a page, for nobody
 * may be sent anywhere by it; everything else goes back to the application as `error`.
 */
export function createAuthorizeRoute(app: App): Route {
  return async (exchange) => {
    try {
      const query = onlyOnce(new URL(exchange.request.url ?? '', 'http://localhost').searchParams)
      const asked = parse(app, query)
      return await withDeadline(exchange.request, app.config.requestTimeoutMs, () => begin(app, exchange, asked, query))
    } catch (error) {
      return authorizationPage(error)
    }
  }
}

async function begin(app: App, exchange: Exchange, asked: Asked, query: ReadonlyMap<string, string>): Promise<Answer> {
  const cookie = createBrowserCookie(app.authentication.links.publicUrl)
  const browser = cookie.read(exchange.request.headers.cookie) ?? newOpaqueToken()
  const input = { ...asked, connection: query.get('connection') ?? '', loginHint: query.get('login_hint') ?? null, browser }
  try {
    const { url, isFormPost } = await beginAuthorization(authorizationScope(app, exchange), input)
    return { status: 303, headers: { Location: url, 'Set-Cookie': cookie.write(browser, { isFormPost }) } }
  } catch (error) {
    if (isRateLimited(error)) throw error
    return backWithFailure(app, exchange, { ...asked, connection: null }, error)
  }
}

/** @throws {HttpError} 400 for what cannot be answered by a redirect, or is no request at all */
function parse({ authentication }: App, query: ReadonlyMap<string, string>): Asked {
  const redirectTo = allowedRedirect(query.get('redirect_to') ?? '', authentication.links.allowedRedirects)
  if (redirectTo === null) throw refused('`redirect_to` is missing, or none of ALLOWED_REDIRECTS.')
  const codeChallenge = query.get('code_challenge') ?? ''
  if (!isCodeChallenge(codeChallenge) || query.get('code_challenge_method') !== 'S256')
    throw refused('It needs a `code_challenge` by the method S256 (RFC 7636).')
  const intent = query.get('intent') ?? 'sign_in'
  if (intent !== 'sign_in' && intent !== 'link') throw refused('`intent` is `link`, or absent.')
  const appState = query.get('state') ?? null
  if (tooLong(appState, stateMaxLength)) throw refused(`\`state\` has ${stateMaxLength} characters at most.`)
  if (tooLong(query.get('login_hint') ?? null, hintMaxLength)) throw refused(`\`login_hint\` has ${hintMaxLength} characters at most.`)
  return { redirectTo, codeChallenge, appState, intent: intent === 'link' ? 'LINK' : 'SIGN_IN' }
}

function tooLong(text: string | null, most: number): boolean {
  return text !== null && (text.length > most || !isStorableText(text))
}

function refused(message: string): HttpError {
  return new HttpError(400, 'BAD_USER_INPUT', message)
}
