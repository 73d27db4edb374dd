import { PothosValidationError } from '@pothos/core'
import { GraphQLError, type GraphQLFormattedError } from 'graphql'
import { isUnavailable, postgresError } from '../database/errors.ts'
import { RequestError, type RequestErrorCode, serviceUnavailable } from '../domain/errors.ts'
import { describeError } from '../ports/describe-error.ts'
import type { Logger } from '../ports/logger.ts'

/** Where an error happened: what its log line and its answer refer to. */
type Masking = Readonly<{ requestId: string; logger: Logger }>

/**
 * Makes an error fit to be answered. What the caller can act on keeps its message and code; everything else is a fault of ours or
 * of the database, which is logged with the request id and answered without a word about it. No answer holds a stack, a cause or a
 * value that was sent.
 */
export function maskError(error: unknown, { requestId, logger }: Masking): GraphQLFormattedError {
  const { message, code, extensions, cause } = expected(error) ?? unexpected(error, requestId)
  const path = error instanceof GraphQLError ? error.path : undefined
  const line = () => ({ requestId, path, sqlState: postgresError(cause)?.code, error: describeError(cause) })
  if (code === 'INTERNAL_SERVER_ERROR') logger.error(line(), 'unexpected error')
  if (code === 'SERVICE_UNAVAILABLE') logger.warn(line(), 'service unavailable')
  return {
    message,
    ...(error instanceof GraphQLError && error.locations ? { locations: error.locations } : {}),
    ...(path ? { path } : {}),
    extensions: { code, ...extensions },
  }
}

type Masked = Readonly<{
  message: string
  code: RequestErrorCode | 'INTERNAL_SERVER_ERROR'
  extensions: Readonly<Record<string, unknown>>
  cause: unknown
}>

function expected(error: unknown): Masked | null {
  const original = originalOf(error)
  if (original instanceof RequestError) return { ...pick(original), cause: original.cause }
  if (isUnavailable(original)) return { ...pick(serviceUnavailable(original)), cause: original }
  if (original instanceof PothosValidationError) return badInput(withoutValue(original.message))
  if (!(original instanceof GraphQLError)) return null
  // Written by ours (scalars.ts), which say so by the code.
  if (original.extensions['code'] === 'BAD_USER_INPUT') return badInput(original.message)
  const argument = /^Argument "(\w+)" (has invalid value|of (?:required|non-null) type)/.exec(original.message)?.[1]
  return argument === undefined ? null : badInput(`Argument "${argument}" does not have a value of its type.`)
}

function pick({ message, code, extensions }: RequestError): Omit<Masked, 'cause'> {
  return { message, code, extensions }
}

function badInput(message: string): Masked {
  return { message, code: 'BAD_USER_INPUT', extensions: {}, cause: null }
}

function unexpected(error: unknown, requestId: string): Masked {
  return { message: 'Unexpected error.', code: 'INTERNAL_SERVER_ERROR', extensions: { requestId }, cause: originalOf(error) }
}

/** What was thrown, below the errors that say where. */
function originalOf(error: unknown): unknown {
  return error instanceof GraphQLError && error.originalError ? originalOf(error.originalError) : error
}

/** Pothos ends some messages with a colon and the value. */
function withoutValue(message: string): string {
  return message.replace(/:.*$/s, '.')
}
