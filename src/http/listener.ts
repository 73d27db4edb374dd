import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { App } from '../app.ts'
import { isLoopback } from '../config.ts'
import { describeError } from '../ports/describe-error.ts'
import { ConnectionLost } from './body.ts'
import { createClientAddress } from './client-address.ts'
import { type Answer, type Exchange, json } from './exchange.ts'
import { HttpError } from './http-error.ts'
import { requestIdOf } from './request-id.ts'
import { findRoute, graphqlPath, type Routes } from './routes.ts'
import { securityHeaders } from './security-headers.ts'

type Parts = Readonly<{ app: App; routes: Routes; isDraining: () => boolean }>

/** Answers each request by its route, with the headers that every answer has, and writes one log line and one metric of it. */
export function createListener({ app, routes, isDraining }: Parts): RequestListener {
  const clientAddress = createClientAddress(app.config.trustedProxies)
  const headers = securityHeaders(app.config)
  return (request, response) => {
    const startedAt = performance.now()
    const exchange = { request, requestId: requestIdOf(request), ip: clientAddress(request) }
    const { label, route } = findRoute(routes, exchange)
    const work = async (): Promise<void> => {
      const answer = await answerTo(app, exchange, route)
      const sent = send(response, answer, {
        ...headers,
        'X-Request-Id': exchange.requestId,
        ...(isDraining() ? { Connection: 'close' } : {}),
      })
      report(app, exchange, { answer, label, seconds: (performance.now() - startedAt) / 1000 })
      await sent
    }
    work().catch((error: unknown) => {
      app.logger.error({ requestId: exchange.requestId, error: describeError(error) }, 'an answer could not be sent')
      response.destroy()
    })
  }
}

async function answerTo(
  { config, logger }: App,
  exchange: Exchange,
  route: (exchange: Exchange) => Answer | Promise<Answer>,
): Promise<Answer> {
  try {
    if (config.mode === 'development') assertLoopbackHost(exchange.request)
    return await route(exchange)
  } catch (error) {
    const { requestId } = exchange
    if (error instanceof HttpError) return refusal(error)
    if (error instanceof ConnectionLost) return { status: 499 }
    logger.error({ requestId, error: describeError(error) }, 'unexpected error')
    return json(500, { errors: [{ message: 'Unexpected error.', extensions: { code: 'INTERNAL_SERVER_ERROR', requestId } }] })
  }
}

/**
 * A page of another site can have its name point to this machine and then read the answers as its own, GraphiQL's page with the
 * admin token among them (DNS rebinding). It cannot choose another name for the Host header.
 */
function assertLoopbackHost({ headers }: IncomingMessage): void {
  const name = (headers.host ?? '').replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
  if (!isLoopback(name)) throw new HttpError(421, 'BAD_USER_INPUT', 'In development mode, the Host must be this machine: localhost.')
}

function refusal({ status, code, message, headers }: HttpError): Answer {
  return {
    ...json(status, { errors: [{ message, extensions: { code } }] }, headers),
    operation: { type: null, codes: [code], principal: null },
  }
}

async function send(response: ServerResponse, { status, headers, body }: Answer, common: Readonly<Record<string, string>>): Promise<void> {
  if (response.destroyed) return
  for (const [name, value] of Object.entries({ ...common, ...headers })) response.setHeader(name, value)
  response.statusCode = status
  if (typeof body !== 'object' || body instanceof Uint8Array) return void response.end(body)
  for await (const chunk of body) {
    if (response.destroyed) return
    if (!response.write(chunk)) await drained(response)
  }
  response.end()
}

/** Resolves when the caller has read, or is gone. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.removeListener('drain', done).removeListener('close', done)
      resolve()
    }
    response.once('drain', done).once('close', done)
  })
}

/** Node takes three dozen methods; these are served. */
const plainMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'OPTIONS'])

type Report = Readonly<{ answer: Answer; label: string; seconds: number }>

function report({ logger, metrics }: App, { request, requestId }: Exchange, { answer, label, seconds }: Report): void {
  const { status, operation } = answer
  const method = request.method ?? ''
  metrics.request({ method: plainMethods.has(method) ? method : 'other', route: label, status, seconds })
  if (operation && label === graphqlPath) metrics.operation(operation.type ?? 'none', operation.codes[0] ?? 'OK')
  const { kind, userId, tokenId } = operation?.principal ?? { kind: undefined, userId: null, tokenId: null }
  const line = {
    requestId,
    method,
    route: label,
    status,
    durationMs: Math.round(seconds * 10_000) / 10,
    operation: operation?.type ?? undefined,
    codes: operation?.codes.length ? operation.codes : undefined,
    principal: kind,
    principalId: userId ?? tokenId ?? undefined,
  }
  // Probes and scrapes that went well would drown the rest.
  if (status < 300 && !operation && label !== 'unmatched') logger.debug(line, 'request')
  else logger.info(line, 'request')
}
