import type { App } from '../app.ts'
import { isUnavailable } from '../database/errors.ts'
import { RequestError, serviceUnavailable } from '../domain/errors.ts'
import { readUserInfo } from '../domain/user-info.ts'
import { bearerToken } from './bearer.ts'
import { corsHeaders } from './cors.ts'
import { withDeadline } from './deadline.ts'
import { type Answer, json, type Route } from './exchange.ts'

/** Where an application asks whose access token it has. */
export const userInfoPath = '/userinfo'

/** `GET` and `POST /userinfo`: the user whose access token is sent, as claims (OpenID Connect Core 5.3). A body is not read. */
export function createUserInfoRoute(app: App): Route {
  const { config } = app
  return ({ request }) => {
    const cors = corsHeaders(request.headers.origin, config.corsOrigins)
    return withDeadline(request, config.requestTimeoutMs, async () => {
      try {
        return json(200, await readClaims(app, request.headers.authorization ?? null), cors)
      } catch (error) {
        return refusal(error, request.headers.authorization !== undefined, cors)
      }
    })
  }
}

/** @throws {RequestError} UNAUTHENTICATED; FORBIDDEN for a token without a user; SERVICE_UNAVAILABLE */
async function readClaims({ authenticate, database, config }: App, authorization: string | null): Promise<object> {
  const { kind, userId } = await authenticate(bearerToken(authorization))
  if (kind === 'anonymous') throw new RequestError('UNAUTHENTICATED', 'This needs an access token.')
  const claims = userId === null ? null : await readUserInfo({ db: database.prisma }, userId, config)
  if (claims === null) throw new RequestError('FORBIDDEN', 'This token has no user.')
  return claims
}

/** RFC 6750 §3: no error is told to who sent no token. @throws what is nothing that was expected */
function refusal(error: unknown, hasToken: boolean, cors: Readonly<Record<string, string>>): Answer {
  const { code, message, extensions } = expected(error)
  const body = { errors: [{ message, extensions: { code } }] }
  if (code === 'SERVICE_UNAVAILABLE') return json(503, body, { ...cors, 'Retry-After': String(extensions['retryAfterSeconds'] ?? 1) })
  if (code === 'FORBIDDEN') return json(403, body, { ...cors, 'WWW-Authenticate': 'Bearer error="insufficient_scope"' })
  return json(401, body, { ...cors, 'WWW-Authenticate': hasToken ? 'Bearer error="invalid_token"' : 'Bearer' })
}

function expected(error: unknown): RequestError {
  const known = isUnavailable(error) ? serviceUnavailable(error) : error
  if (!(known instanceof RequestError)) throw error
  return known
}
