import type { App } from '../app.ts'
import { takeRequest } from '../domain/authorization/authorization-request.ts'
import { callbackPath } from '../domain/authorization/callback-url.ts'
import { completeAuthorization } from '../domain/authorization/complete-authorization.ts'
import { DomainError } from '../domain/errors.ts'
import type { Ending } from '../ports/ending.ts'
import { authorizationPage, authorizationScope, back, backWithFailure } from './authorization-answers.ts'
import { createBrowserCookie } from './browser-cookie.ts'
import { withDeadline } from './deadline.ts'
import type { Answer, Exchange, Route } from './exchange.ts'
import { onlyOnce, readForm } from './form.ts'

/** `GET /auth/callback/:connection`: a provider sends the browser back. */
export function createCallbackRoute(app: App): Route {
  return (exchange) => answer(app, exchange, async () => onlyOnce(urlOf(exchange).searchParams))
}

/** `POST /auth/callback/:connection`: the same by a form, as Apple wants it. */
export function createCallbackFormRoute(app: App): Route {
  return (exchange) => answer(app, exchange, () => readForm(exchange.request))
}

async function answer(app: App, exchange: Exchange, read: () => Promise<ReadonlyMap<string, string>>): Promise<Answer> {
  try {
    const parameters = await read()
    return await withDeadline(exchange.request, app.config.requestTimeoutMs, (ending) => finish(app, exchange, parameters, ending))
  } catch (error) {
    return authorizationPage(error)
  }
}

/** Only who has both the state and the cookie is sent anywhere. @throws {DomainError} TOKEN_NOT_VALID */
async function finish(app: App, exchange: Exchange, parameters: ReadonlyMap<string, string>, ending: Ending): Promise<Answer> {
  const scope = authorizationScope(app, exchange)
  const browser = createBrowserCookie(scope.links.publicUrl).read(exchange.request.headers.cookie)
  const state = parameters.get('state') ?? ''
  const request = browser === null ? null : await takeRequest(scope, { state, browser })
  if (request === null) throw new DomainError('TOKEN_NOT_VALID', 'Nobody of this browser is on the way.', [], {})
  const key = urlOf(exchange).pathname.slice(callbackPath.length)
  try {
    const input = { request, key, state, parameters: new URLSearchParams([...parameters]) }
    return back(request, { code: await completeAuthorization(scope, input, ending) })
  } catch (error) {
    return backWithFailure(app, exchange, { ...request, connection: key }, error)
  }
}

function urlOf({ request }: Exchange): URL {
  return new URL(request.url ?? '', 'http://localhost')
}
