import type { IncomingMessage } from 'node:http'
import type { Config } from '../config.ts'
import { RequestError } from '../domain/errors.ts'
import { parseJson } from '../domain/faithful-json.ts'
import type { Outcome, Params } from '../graphql/operation.ts'
import type { Ending } from '../ports/ending.ts'
import { readBody } from './body.ts'
import { corsHeaders } from './cors.ts'
import { withDeadline } from './deadline.ts'
import { eventHeaders, eventStream, singleEvent, wantsEvents } from './event-stream.ts'
import type { Answer, Exchange, Route } from './exchange.ts'
import { readParams } from './graphql-params.ts'
import { HttpError } from './http-error.ts'
import { chooseMediaType, isJson, type MediaType } from './media-type.ts'
import { type Slots, unavailable } from './slots.ts'

/** Subscriptions at once, over all connections of a server; a further one is refused. Each looks at the database twice a second. */
const maxSubscriptions = 100

type Parts = Readonly<{
  config: Pick<Config, 'corsOrigins' | 'maxBodyBytes' | 'requestTimeoutMs'>
  slots: Slots
  /** Aborts when the server ends. */
  draining: AbortSignal
  run: (params: Params, exchange: Exchange, ending: Ending) => Promise<Outcome>
}>

/** `POST /graphql`, as GraphQL over HTTP describes it, for JSON bodies only: no form, no multipart, no batch. */
export function createGraphQLRoute(parts: Parts): Route {
  const { config, slots, run } = parts
  const subscriptions = { open: 0 }
  return async (exchange) => {
    const { request } = exchange
    const readsEvents = wantsEvents(request.headers.accept)
    const mediaType = readsEvents ? 'application/graphql-response+json' : chooseMediaType(request.headers.accept)
    const headers = corsHeaders(request.headers.origin, config.corsOrigins)
    try {
      if (mediaType === null) throw new HttpError(406, 'BAD_USER_INPUT', 'Answers are JSON.')
      assertJson(request)
      const params = readParams(parseJson(await readBody(request, config.maxBodyBytes)))
      // The time and the slot count from here, so that slow uploads hold up nobody else.
      const outcome = await withDeadline(request, config.requestTimeoutMs, (ending) => slots.run(() => run(params, exchange, ending)))
      if (outcome.events !== null && !readsEvents)
        throw new HttpError(406, 'BAD_USER_INPUT', 'Subscriptions are answered as `text/event-stream`.')
      if (outcome.events !== null && subscriptions.open >= maxSubscriptions) throw unavailable()
      if (outcome.events !== null) return subscribed(outcome, headers, openStream(request, parts.draining, outcome.events, subscriptions))
      const whole = answer(outcome, mediaType, headers, request.headers.authorization !== undefined)
      if (!readsEvents || whole.status !== 200) return whole
      return { ...whole, headers: { ...headers, ...eventHeaders }, body: singleEvent(outcome.result) }
    } catch (error) {
      if (error instanceof RequestError) return badRequest(error, mediaType ?? 'application/json', headers)
      if (error instanceof HttpError) throw error.with({ ...headers, 'Content-Type': `${mediaType ?? 'application/json'}; charset=utf-8` })
      throw error
    }
  }
}

function subscribed({ type, principal }: Outcome, headers: Record<string, string>, body: AsyncIterable<string>): Answer {
  return { status: 200, headers: { ...headers, ...eventHeaders }, body, operation: { type, codes: [], principal } }
}

/** Counts while it is read: a stream that nobody begins to read costs nothing. */
async function* openStream(
  request: IncomingMessage,
  draining: AbortSignal,
  events: NonNullable<Outcome['events']>,
  subscriptions: { open: number },
): AsyncGenerator<string> {
  subscriptions.open++
  try {
    yield* eventStream(request, draining, events)
  } finally {
    subscriptions.open--
  }
}

/** JSON is no type that a form of another site can send (Fetch §2.2.2); compressed bodies could be larger than they look. */
function assertJson({ headers }: IncomingMessage): void {
  const encoding = headers['content-encoding'] ?? 'identity'
  if (!isJson(headers['content-type']) || encoding !== 'identity')
    throw new HttpError(415, 'BAD_USER_INPUT', 'The body must be `application/json` in UTF-8, not compressed.', {
      Accept: 'application/json',
    })
}

/** A body that is no GraphQL request is 400 for every media type. */
function badRequest({ message, code, extensions }: RequestError, mediaType: MediaType, headers: Record<string, string>): Answer {
  const result = { errors: [{ message, extensions: { code, ...extensions } }] }
  return { ...write(400, result, mediaType, headers), operation: { type: null, codes: [code], principal: null } }
}

function answer({ result, type, principal }: Outcome, mediaType: MediaType, headers: Record<string, string>, hasToken: boolean): Answer {
  const codes = [...new Set((result.errors ?? []).map(({ extensions }) => String(extensions?.['code'])))]
  const status = statusOf(result, codes, mediaType)
  return {
    ...write(status, result, mediaType, { ...headers, ...headersOf(status, result, hasToken) }),
    operation: { type, codes, principal },
  }
}

function write(status: number, result: Outcome['result'], mediaType: MediaType, headers: Record<string, string>): Answer {
  return { status, headers: { 'Content-Type': `${mediaType}; charset=utf-8`, ...headers }, body: JSON.stringify(result) }
}

const statuses: Readonly<Record<string, number>> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  RATE_LIMITED: 429,
  INTERNAL_SERVER_ERROR: 500,
  SERVICE_UNAVAILABLE: 503,
}

/**
 * A request that was answered is 200, whatever errors are in the answer. One that was not, because of who calls or how the server
 * is, has its status; one that is wrong as GraphQL is 200 in `application/json`, for clients that read nothing else, and 400 in
 * `application/graphql-response+json` (GraphQL over HTTP §6.4).
 */
function statusOf({ data, errors }: Outcome['result'], codes: readonly string[], mediaType: MediaType): number {
  if (errors === undefined) return 200
  const status = statuses[codes[0] ?? ''] ?? 400
  if (codes.includes('SERVICE_UNAVAILABLE') && isNothing(data)) return 503
  if (data === undefined) return status === 400 && mediaType === 'application/json' ? 200 : status
  return data === null && mediaType !== 'application/json' ? status : 200
}

/** Whether no root field was answered. */
function isNothing(data: unknown): boolean {
  return typeof data !== 'object' || data === null || Object.values(data).every((value) => value === null)
}

function headersOf(status: number, { errors }: Outcome['result'], hasToken: boolean): Record<string, string> {
  // RFC 6750 §3: no error is told to a caller who sent no token.
  if (status === 401) return { 'WWW-Authenticate': hasToken ? 'Bearer error="invalid_token"' : 'Bearer' }
  if (status !== 503 && status !== 429) return {}
  const seconds = errors?.map(({ extensions }) => extensions?.['retryAfterSeconds']).find((value) => typeof value === 'number')
  return { 'Retry-After': String(seconds ?? 1) }
}
