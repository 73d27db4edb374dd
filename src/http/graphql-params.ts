import { RequestError } from '../domain/errors.ts'
import type { Params } from '../graphql/operation.ts'

const members = ['query', 'variables', 'operationName', 'extensions']

/**
 * Reads the members of a GraphQL request's body.
 * @throws {RequestError} BAD_USER_INPUT for a batch, an unknown member, or one of the wrong type
 */
export function readParams(body: unknown): Params {
  if (Array.isArray(body)) throw bad('The body must be one operation; batches are not taken.')
  if (!isObject(body)) throw bad('The body must be a JSON object.')
  if (Object.keys(body).some((name) => !members.includes(name))) throw bad(`The body has a member that is none of ${members.join(', ')}.`)
  const { query, variables = null, operationName = null, extensions = null } = body
  // What Apollo's clients wait for before they send the document itself.
  if (query === undefined && isObject(extensions) && 'persistedQuery' in extensions) throw bad('PersistedQueryNotSupported')
  if (typeof query !== 'string' || query === '') throw bad('`query` must be a document.')
  if (variables !== null && !isObject(variables)) throw bad('`variables` must be an object.')
  if (operationName !== null && typeof operationName !== 'string') throw bad('`operationName` must be a string.')
  if (extensions !== null && !isObject(extensions)) throw bad('`extensions` must be an object.')
  return { query, variables: variables ?? {}, operationName }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function bad(message: string): RequestError {
  return new RequestError('BAD_USER_INPUT', message)
}
