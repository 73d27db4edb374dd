import type { App } from '../app.ts'
import { readOwnData } from '../domain/own-data.ts'
import { bearerToken } from './bearer.ts'
import { corsHeaders } from './cors.ts'
import type { Route } from './exchange.ts'
import { requestRefusal } from './request-refusal.ts'

/** Where people get all that is held on them. */
export const ownDataPath = '/me/export'

/** `GET /me/export`: all that is held on whoever calls, in one JSON. */
export function createOwnDataRoute(app: App): Route {
  const { config, database, clock } = app
  return async ({ request }) => {
    const { authorization, origin } = request.headers
    const cors = corsHeaders(origin, config.corsOrigins)
    try {
      const principal = await app.authenticate(bearerToken(authorization ?? null))
      const body = await readOwnData({ db: database.prisma, clock, principal })
      const headers = {
        ...cors,
        'Content-Type': 'application/json; charset=utf-8',
        'Content-Disposition': 'attachment; filename="my-data.json"',
        'Cache-Control': 'no-store',
      }
      return { status: 200, headers, ...(request.method === 'HEAD' ? {} : { body }) }
    } catch (error) {
      const refusal = requestRefusal(error, authorization !== undefined)
      return { ...refusal, headers: { ...cors, ...refusal.headers } }
    }
  }
}
