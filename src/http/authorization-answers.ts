import type { App } from '../app.ts'
import type { AuthenticationScope } from '../domain/authentication.ts'
import { DomainError, RequestError } from '../domain/errors.ts'
import { anonymous } from '../domain/principal.ts'
import { describeError } from '../ports/describe-error.ts'
import { authorizationFailure } from './authorization-failure.ts'
import type { Answer, Exchange } from './exchange.ts'
import { HttpError } from './http-error.ts'
import { html, page } from './page.ts'

/** What the use-cases of a sign-in by a provider work with: the browser brings no token. */
export function authorizationScope({ database, clock, metrics, outbox, authentication }: App, exchange: Exchange): AuthenticationScope {
  const { request, ip, requestId } = exchange
  const userAgent = request.headers['user-agent']?.slice(0, 512) ?? null
  const caller = { principal: anonymous, ip, userAgent, requestId }
  return { db: database.prisma, clock, caller, onRetry: metrics.databaseRetry, onQueued: outbox.wake, ...authentication }
}

/** Where an application waits, with the `state` that it wants back. */
type Target = Readonly<{ redirectTo: string; appState: string | null }>

/** Sends the browser back. 303: nothing that it sent here goes along (RFC 9700 §4.12). */
export function back({ redirectTo, appState }: Target, parameters: Readonly<Record<string, string>>): Answer {
  const query = new URLSearchParams({ ...parameters, ...(appState === null ? {} : { state: appState }) })
  return { status: 303, headers: { Location: `${redirectTo}${redirectTo.includes('?') ? '&' : '?'}${query}` } }
}

/** Sends the browser back with `error`, and tells the operator what he should know. */
export function backWithFailure(
  { logger }: App,
  { requestId }: Exchange,
  { connection, ...target }: Target & Readonly<{ connection: string | null }>,
  thrown: unknown,
): Answer {
  const { error, description, isNews } = authorizationFailure(thrown)
  const refusal = thrown instanceof DomainError ? { code: thrown.code, details: thrown.details } : describeError(thrown)
  if (isNews) logger.warn({ requestId, connection: connection ?? undefined, error, reason: refusal }, 'a sign-in by a provider failed')
  return back(target, { error, error_description: description })
}

/** Whether the caller has to wait: then nobody is sent anywhere. */
export function isRateLimited(error: unknown): boolean {
  return error instanceof RequestError && error.code === 'RATE_LIMITED'
}

const waitText = 'This cannot be done just now. Try again later.'

/** For who can be sent nowhere. @throws what is nothing that was expected */
export function authorizationPage(error: unknown): Answer {
  if (error instanceof HttpError && error.status < 500) return failed(error.status, 'This cannot be opened', error.message)
  if (error instanceof HttpError) return failed(error.status, 'Please wait a little', waitText, error.headers)
  if (error instanceof DomainError)
    return failed(400, 'This sign-in is over', 'It was finished before, took too long, or began in another browser. Start again.')
  if (!(error instanceof RequestError)) throw error
  const headers = { 'Retry-After': String(error.extensions['retryAfterSeconds'] ?? 1) }
  return failed(isRateLimited(error) ? 429 : 503, 'Please wait a little', waitText, headers)
}

function failed(status: number, title: string, text: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return page({ status, title, body: html`<p>${text}</p>`, headers })
}
