import type { App } from '../app.ts'
import { callbackPath } from '../domain/authorization/callback-url.ts'
import { downloadPath } from '../domain/job/download-path.ts'
import { verifyPath } from '../domain/link/action-link.ts'
import { authorizePath, createAuthorizeRoute } from './authorize.ts'
import { createCallbackFormRoute, createCallbackRoute } from './callback.ts'
import { createPreflightRoute } from './cors.ts'
import { type Exchange, json, type Route } from './exchange.ts'
import { createExportsRoute } from './exports.ts'
import { createGraphiQLRoute } from './graphiql.ts'
import { createReady, live } from './health.ts'
import { HttpError } from './http-error.ts'
import { jwksPath, jwksResponse } from './jwks.ts'
import { createMailboxRoute, mailboxPath } from './mailbox.ts'
import { createOwnDataRoute, ownDataPath } from './own-data.ts'
import { uploadsPath } from './uploads.ts'
import { createUserInfoRoute, userInfoPath } from './user-info.ts'
import { createVerifyPageRoute, createVerifyRoute } from './verify.ts'

/** Where GraphQL is served. */
export const graphqlPath = '/graphql'

type Methods = Readonly<Partial<Record<'GET' | 'POST' | 'PUT' | 'OPTIONS', Route>>>

/** Every path that is served, and by which methods. */
export type Routes = ReadonlyMap<string, Methods>

type Parts = Readonly<{ isWhole: boolean; graphql: Route; upload: Route; isDraining: () => boolean }>

/** The routes of a server. A path is served as it stands here, or not at all: `//graphql`, `/graphql/` and `/%67raphql` are 404. */
export function createRoutes(app: App, { isWhole, graphql, upload, isDraining }: Parts): Routes {
  const { config, database, mailbox, metrics, signingKeys } = app
  const graphiql = createGraphiQLRoute(isWhole ? (app.developmentToken?.token ?? null) : null)
  const userInfo = createUserInfoRoute(app)
  return new Map<string, Methods>([
    [graphqlPath, { POST: graphql, OPTIONS: createPreflightRoute(config, ['POST']), ...(config.graphiql ? { GET: graphiql } : {}) }],
    [authorizePath, { GET: createAuthorizeRoute(app) }],
    [callbackLabel, { GET: createCallbackRoute(app), POST: createCallbackFormRoute(app) }],
    [verifyPath, { GET: createVerifyPageRoute(app), POST: createVerifyRoute(app) }],
    [userInfoPath, { GET: userInfo, POST: userInfo, OPTIONS: createPreflightRoute(config, ['GET', 'POST']) }],
    [ownDataPath, { GET: createOwnDataRoute(app), OPTIONS: createPreflightRoute(config, ['GET']) }],
    ['/health/live', { GET: live }],
    ['/health/ready', { GET: createReady(database, isDraining) }],
    [jwksPath, { GET: () => ({ status: 200, ...jwksResponse(signingKeys) }) }],
    ...(isWhole
      ? ([
          [uploadsPath, { PUT: upload }],
          [exportsLabel, { GET: createExportsRoute(app) }],
          ['/metrics', { GET: metricsRoute(metrics) }],
        ] as const)
      : []),
    ...(isWhole && mailbox !== null ? ([[mailboxPath, { GET: createMailboxRoute(mailbox) }]] as const) : []),
    ...(config.mode === 'development' && config.graphiql
      ? ([['/', { GET: () => ({ status: 302, headers: { Location: graphqlPath } }) }]] as const)
      : []),
  ])
}

/** The route of a request, and its path as a label: one of the paths above, or `unmatched`. */
export function findRoute(routes: Routes, { request }: Exchange): Readonly<{ label: string; route: Route }> {
  const [path = ''] = (request.url ?? '').split('?', 1)
  const { label = path } = named.find(({ pattern }) => pattern.test(path)) ?? {}
  const methods = named.some(({ label }) => label === path) ? undefined : routes.get(label)
  if (methods === undefined) return { label: 'unmatched', route: () => json(404, notFound) }
  const method = request.method === 'HEAD' ? 'GET' : request.method
  const route = Object.entries(methods).find(([name]) => name === method)?.[1]
  return { label, route: route ?? (() => methodNotAllowed(methods)) }
}

const callbackLabel = `${callbackPath}:connection`
const exportsLabel = downloadPath(':id')

/** The paths with a connection's key or a job's id in them: as it is kept, or it is not served. */
const named = [
  { label: callbackLabel, pattern: new RegExp(`^${callbackPath}[a-z0-9][a-z0-9_-]{0,62}$`) },
  { label: exportsLabel, pattern: new RegExp(`^${downloadPath('[0-9a-f-]{36}')}$`) },
]

const notFound = { errors: [{ message: 'There is nothing here.', extensions: { code: 'NOT_FOUND' } }] }

function methodNotAllowed(methods: Methods): never {
  const allowed = Object.keys(methods).flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
  throw new HttpError(405, 'BAD_USER_INPUT', 'This method is not served here.', { Allow: allowed.join(', ') })
}

function metricsRoute(metrics: App['metrics']): Route {
  return async () => ({ status: 200, headers: { 'Content-Type': metrics.contentType }, body: await metrics.text() })
}
