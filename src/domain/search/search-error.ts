import { RequestError } from '../errors.ts'

/** What is wrong with a search, and where: `at` counts characters from 0, the message from 1. */
export function searchError(at: number, problem: string): RequestError {
  return new RequestError('BAD_USER_INPUT', `\`search\`, at character ${at + 1}: ${problem}.`, { field: 'search', position: at + 1 })
}
