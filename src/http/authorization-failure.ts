import { isUnavailable } from '../database/errors.ts'
import { DomainError, RequestError } from '../domain/errors.ts'
import { ProviderAnswerError, ProviderRefusedError } from '../ports/provider-authorization.ts'
import { ProviderUnavailableError } from '../ports/providers.ts'

/** What an application is told when nobody signs in: `error` and `error_description`, RFC 6749 §4.1.2.1. */
export type AuthorizationFailure = Readonly<{
  error: string
  description: string
  /** Whether the operator should know. */
  isNews: boolean
}>

/** What providers say that the application can do something about; what else they say is about Roster's own request. */
const passedOn = new Set([
  'access_denied',
  'login_required',
  'consent_required',
  'interaction_required',
  'account_selection_required',
  'temporarily_unavailable',
])

/** Of what was thrown, what may be told outside: codes and sentences of our own, nothing that a provider or the database wrote. */
export function authorizationFailure(error: unknown): AuthorizationFailure {
  if (error instanceof ProviderRefusedError)
    return passedOn.has(error.code)
      ? told(error.code, 'The provider let nobody in.')
      : news('server_error', 'The provider did not accept the request.')
  if (error instanceof DomainError) return domainFailure(error)
  if (error instanceof ProviderUnavailableError) return news('temporarily_unavailable', 'The provider cannot be used now. Try again later.')
  if (error instanceof RequestError || isUnavailable(error))
    return told('temporarily_unavailable', 'The service is not available now. Try again later.')
  if (error instanceof ProviderAnswerError) return news('server_error', 'The answer of the provider does not hold.')
  return news('server_error', 'Unexpected error.')
}

function domainFailure({ code, message }: DomainError): AuthorizationFailure {
  if (code === 'CONNECTION_NOT_FOUND' || code === 'SIGN_UP_DISABLED' || code === 'INVALID_CREDENTIALS')
    return told('access_denied', message)
  return news('server_error', 'The user could not be made or changed.')
}

function told(error: string, description: string): AuthorizationFailure {
  return { error, description, isNews: false }
}

function news(error: string, description: string): AuthorizationFailure {
  return { error, description, isNews: true }
}
