import { createServer as createHttpServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { App } from './app.ts'
import { createContext } from './context.ts'
import { createOperationRunner } from './graphql/operation.ts'
import { cutToPublic } from './graphql/public-schema.ts'
import { createActivity, drainServer } from './http/drain.ts'
import type { Exchange } from './http/exchange.ts'
import { createGraphQLRoute } from './http/graphql.ts'
import { createListener } from './http/listener.ts'
import { createPace } from './http/pace.ts'
import { refuseBadConnections } from './http/refused-connection.ts'
import { createRoutes } from './http/routes.ts'
import { securityHeaders } from './http/security-headers.ts'
import { createShedding } from './http/shed.ts'
import { createSlots } from './http/slots.ts'
import { watchBodies } from './http/slow-bodies.ts'
import { createUploadRoute } from './http/uploads.ts'

/** GraphQL requests at work at once, over all connections of a server; a further one is refused. */
const maxInFlight = 256
/** GraphQL requests that begin in one turn of the event loop: a few milliseconds of work. */
const beginPerTurn = 16
const maxConnections = 2000
/** How long nothing may move on a connection with a request at work, so that nobody keeps answers here by not reading them. */
const socketTimeoutMs = 30_000

/** What Node waits for and takes at most. Its own defaults are a minute and more, checked every half minute. */
const nodeLimits = {
  headersTimeout: 5000,
  // A file may take as long as it does; everything else is held to `bodyTimeoutMs`.
  requestTimeout: 0,
  connectionsCheckingInterval: 1000,
  keepAliveTimeout: 65_000,
  maxHeaderSize: 8192,
} as const

/** How long a request may take to come whole. */
const bodyTimeoutMs = 10_000
/** Files on their way at once, over all connections of a server; a further one is refused. */
const maxUploads = 8

/** A server over HTTP. */
export type RosterServer = Readonly<{
  /** Begins to listen; port 0 takes a free one. */
  listen: (port: number, host: string) => Promise<AddressInfo>
  /**
   * Ends gracefully: `/health/ready` says 503 at once; after `delayMs`, time for probes to see it, nothing new is accepted; requests
   * at work may finish until the drain timeout of the configuration.
   */
  drain: (delayMs?: number) => Promise<void>
}>

type Options = Readonly<{
  /** The whole graph with `/metrics`, or what users and the public can reach. */
  graph: 'whole' | 'public'
  maxInFlight?: number
}>

/** Makes a server of the app; several can serve one app. */
export function createServer(app: App, { graph, maxInFlight: slotCount = maxInFlight }: Options): RosterServer {
  const { config, metrics, traffic } = app
  const activity = createActivity()
  const draining = new AbortController()
  const isDraining = () => draining.signal.aborted
  const server = createHttpServer(nodeLimits)
  const bodies = watchBodies(server, bodyTimeoutMs)
  const onWork = (difference: 1 | -1): void => {
    metrics.inFlight(difference)
    traffic.change(difference)
  }
  const slots = createSlots(slotCount, onWork, metrics.shed)
  const isRefused = createShedding(app, slots)
  const routes = createRoutes(app, {
    isWhole: graph === 'whole',
    isDraining,
    upload: createUploadRoute(app, { slots: createSlots(maxUploads, () => {}, metrics.shed), mayTakeLong: bodies.mayTakeLong }),
    graphql: createGraphQLRoute({
      config,
      draining: draining.signal,
      slots,
      run: createRun(app, graph),
    }),
  })
  const listener = createListener({ app, routes, isDraining })
  server.maxConnections = maxConnections
  server.setTimeout(socketTimeoutMs)
  refuseBadConnections(server, securityHeaders(config))
  // Each request at work on a connection listens to its end, and a caller may send many at once.
  server.on('connection', (socket) => socket.setMaxListeners(0))
  for (const event of ['request', 'checkExpectation'])
    server.on(event, (request, response) => {
      bodies.watch(request)
      if (isRefused(request, response)) return
      activity.begin(request, response)
      listener(request, response)
    })
  const drain = async (delayMs = 0): Promise<void> => {
    draining.abort()
    await delay(delayMs)
    await drainServer(server, activity, config.drainTimeoutMs)
  }
  return { listen: (port, host) => listen(server, port, host), drain }
}

function createRun(app: App, graph: Options['graph']): Parameters<typeof createGraphQLRoute>[0]['run'] {
  const run = createOperationRunner(app, graph === 'whole' ? app.schema : cutToPublic(app.schema))
  const pace = createPace(beginPerTurn)
  return async (params, exchange, ending) => {
    await pace()
    return run(params, {
      requestId: exchange.requestId,
      ending,
      createContext: (counts) => createContext(app, originOf(exchange), counts, ending),
    })
  }
}

function originOf({ request: { headers }, ip, requestId }: Exchange): Parameters<typeof createContext>[1] {
  return { authorization: headers.authorization ?? null, ip, userAgent: headers['user-agent']?.slice(0, 512) ?? null, requestId }
}

function listen(server: Server, port: number, host: string): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host }, () => {
      server.removeListener('error', reject)
      resolve(server.address() as AddressInfo)
    })
  })
}
