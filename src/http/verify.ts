import type { App } from '../app.ts'
import { isUnavailable } from '../database/errors.ts'
import type { AuthenticationScope } from '../domain/authentication.ts'
import { DomainError, DomainErrors, RequestError, serviceUnavailable } from '../domain/errors.ts'
import { lookAtLink } from '../domain/link/look-at-link.ts'
import type { Verified } from '../domain/link/verified.ts'
import { verifyToken } from '../domain/link/verify-token.ts'
import type { LinkType } from '../domain/one-time-token.ts'
import { anonymous } from '../domain/principal.ts'
import { allowedRedirect } from '../domain/redirect.ts'
import { withDeadline } from './deadline.ts'
import type { Answer, Exchange, Route } from './exchange.ts'
import { onlyOnce, readForm } from './form.ts'
import { HttpError } from './http-error.ts'
import { asksPassword, confirmPage, donePage, failedPage, hasPage, type LinkParameters } from './verify-page.ts'

/**
 * `GET /auth/verify`: the page that a link of a mail opens. It looks, and uses nothing up, however often it is opened by whatever
 * guards the mailbox.
 */
export function createVerifyPageRoute(app: App): Route {
  return async (exchange) => {
    const { config, authentication } = app
    return withDeadline(exchange.request, config.requestTimeoutMs, async () => {
      try {
        const link = parse(app, onlyOnce(new URL(exchange.request.url ?? '', 'http://localhost').searchParams))
        const kept = await lookAtLink({ ...scopeOf(app, exchange), ...authentication }, link.type, link.token)
        return confirmPage({ ...link, redirectTo: link.redirectTo ?? allowed(app, kept) })
      } catch (error) {
        return failure(error)
      }
    })
  }
}

/** `POST /auth/verify`: the page's button. It uses the link up and goes on to where that leads, with the tokens in the fragment. */
export function createVerifyRoute(app: App): Route {
  return async (exchange) => {
    const form = await readForm(exchange.request)
    return withDeadline(exchange.request, app.config.requestTimeoutMs, async () => {
      let link: LinkParameters | null = null
      try {
        link = parse(app, form)
        return await verify(app, exchange, link, form.get('password') ?? '')
      } catch (error) {
        const problem = link === null ? null : passwordProblemOf(error)
        return link !== null && problem !== null ? confirmPage(link, problem) : failure(error)
      }
    })
  }
}

async function verify(app: App, exchange: Exchange, link: LinkParameters, password: string): Promise<Answer> {
  const { type, token, redirectTo } = link
  if (asksPassword(type) && password === '') return confirmPage(link, 'Choose a password.')
  const scope: AuthenticationScope = { ...scopeOf(app, exchange), ...app.authentication }
  const input = { type, tokenHash: token, newPassword: asksPassword(type) ? password : null }
  const target = redirectTo ?? allowed(app, await lookAtLink(scope, type, token).catch(() => null))
  // Nobody could take the tokens without somewhere to go.
  const verified = await verifyToken(scope, input, { withSession: target !== null })
  return target === null ? donePage(type) : goOn(target, type, verified)
}

/** 303: the browser must not send the form, with a password in it, once more (RFC 9700 §4.12). */
function goOn(target: string, type: LinkType, { tokens }: Verified): Answer {
  const fragment = new URLSearchParams(
    tokens === null
      ? { type }
      : {
          access_token: tokens.accessToken,
          refresh_token: tokens.refreshToken,
          expires_in: String(tokens.expiresIn),
          expires_at: String(Math.floor(tokens.expiresAt.getTime() / 1000)),
          token_type: 'bearer',
          type,
        },
  )
  return { status: 303, headers: { Location: `${target}#${fragment}` } }
}

/** @throws {HttpError} 400 for what is no link of ours, or leads where it may not */
function parse(app: App, parameters: ReadonlyMap<string, string>): LinkParameters {
  const type = parameters.get('type') ?? ''
  const redirect = parameters.get('redirect_to') ?? null
  const redirectTo = allowed(app, redirect)
  if (!hasPage(type) || (redirect !== null && redirectTo === null)) throw new HttpError(400, 'BAD_USER_INPUT', 'This is no link.')
  return { type, token: parameters.get('token') ?? '', redirectTo }
}

function allowed({ authentication }: App, url: string | null): string | null {
  return url === null ? null : allowedRedirect(url, authentication.links.allowedRedirects)
}

function scopeOf({ database, clock, metrics }: App, { request, ip, requestId }: Exchange) {
  const userAgent = request.headers['user-agent']?.slice(0, 512) ?? null
  return { db: database.prisma, clock, caller: { principal: anonymous, ip, userAgent, requestId }, onRetry: metrics.databaseRetry }
}

/** What is wrong with the new password, in words; null when it is something else. */
function passwordProblemOf(error: unknown): string | null {
  const errors = error instanceof DomainErrors ? error.errors : error instanceof DomainError ? [error] : []
  return errors.find(({ path }) => path.at(-1) === 'newPassword')?.message ?? null
}

/** Says whether a link is too old or not valid, and nothing more. @throws what is nothing that was expected */
function failure(error: unknown): Answer {
  if (error instanceof DomainError && error.code === 'TOKEN_EXPIRED')
    return failedPage(410, 'This link is too old', 'Ask for a new one where you asked for this one.')
  if (error instanceof DomainError && error.code === 'EMAIL_TAKEN')
    return failedPage(409, 'The address is taken', 'This address belongs to another account by now. Nothing was changed.')
  if (error instanceof DomainError || error instanceof HttpError)
    return failedPage(400, 'This link is not valid', 'It may have been used before, or replaced by a newer one. Ask for a new one.')
  const refused = isUnavailable(error) ? serviceUnavailable(error) : error
  if (!(refused instanceof RequestError)) throw error
  const seconds = String(refused.extensions['retryAfterSeconds'] ?? 1)
  const status = refused.code === 'RATE_LIMITED' ? 429 : 503
  return failedPage(status, 'Please wait a little', 'This cannot be done just now. Try again later.', { 'Retry-After': seconds })
}
