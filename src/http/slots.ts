import { HttpError } from './http-error.ts'

/** Bounds how many requests are at work at once. */
export type Slots = Readonly<{
  /**
   * Whether a request that has just come will find a place; `onFull` is told when it will not. It is kept for as long as the process
   * takes to read what has come with the head of the request: whoever sends the rest later may be refused by `run`.
   */
  expect: () => boolean
  /** @throws {HttpError} 503 at once when all are taken: a queue would only make everybody wait for what they have given up on */
  run: <Result>(work: () => Promise<Result>) => Promise<Result>
}>

/** Makes that many; `onChange` is told of each that is taken (1) and given back (-1), `onFull` of each refusal. */
export function createSlots(count: number, onChange: (difference: 1 | -1) => void, onFull: () => void): Slots {
  let taken = 0
  let expected = 0
  const take = (difference: 1 | -1): void => {
    taken += difference
    onChange(difference)
  }
  const forget = (): void => {
    expected = 0
  }
  return {
    expect: () => {
      if (taken + expected >= count) {
        onFull()
        return false
      }
      if (expected++ === 0) setImmediate(forget)
      return true
    },
    run: async (work) => {
      if (expected > 0) expected--
      if (taken === count) {
        onFull()
        throw unavailable()
      }
      take(1)
      try {
        return await work()
      } finally {
        take(-1)
      }
    },
  }
}

/** The answer of a server that cannot answer now. */
export function unavailable(): HttpError {
  return new HttpError(503, 'SERVICE_UNAVAILABLE', 'The service is not available now. Try again later.', { 'Retry-After': '1' })
}
