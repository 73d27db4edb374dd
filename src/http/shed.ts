import type { IncomingMessage, ServerResponse } from 'node:http'
import type { App } from '../app.ts'
import { corsHeaders } from './cors.ts'
import { json } from './exchange.ts'
import { requestIdOf } from './request-id.ts'
import { graphqlPath } from './routes.ts'
import { securityHeaders } from './security-headers.ts'
import { type Slots, unavailable } from './slots.ts'

const logEveryMs = 1000

/** Names and values one after the other, which Node writes down without looking for doubles. */
const flat = (headers: Readonly<Record<string, string>>): string[] => Object.entries(headers).flat()

/**
 * Refuses a GraphQL request that finds no slot as it comes, before anything of it is looked at. Refusing must cost next to nothing, or a
 * server that is asked for twice what it can do has no time left to do it: there is one line a second in the log for all of them, and
 * metrics count them. Answers whether it has refused.
 */
export function createShedding(
  { config, metrics, logger }: App,
  slots: Slots,
): (request: IncomingMessage, response: ServerResponse) => boolean {
  const { status, code, message, headers } = unavailable()
  const { body, headers: ofBody } = json(status, { errors: [{ message, extensions: { code } }] })
  const fixed = flat({ ...securityHeaders(config), ...headers, ...ofBody, 'Content-Length': String(Buffer.byteLength(String(body))) })
  const labels = { method: 'POST', route: graphqlPath, status, seconds: 0 }
  let refused = 0
  const log = (): void => {
    logger.warn({ refused }, 'more is asked than can be answered: requests were refused')
    refused = 0
  }
  return (request, response) => {
    if (request.method !== 'POST' || request.url !== graphqlPath || slots.expect()) return false
    if (refused++ === 0) setTimeout(log, logEveryMs).unref()
    metrics.request(labels)
    metrics.operation('none', code)
    const cors = flat(corsHeaders(request.headers.origin, config.corsOrigins))
    response.writeHead(status, [...fixed, ...cors, 'X-Request-Id', requestIdOf(request)])
    response.end(body)
    return true
  }
}
