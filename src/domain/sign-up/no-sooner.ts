import { setTimeout as delay } from 'node:timers/promises'

/**
 * The outcome of the work, but no sooner than after these milliseconds: how much there was to do cannot be told from how long it took.
 * It is for doors where strangers must not learn what is there.
 */
export async function noSooner<Result>(milliseconds: number, work: Promise<Result>): Promise<Result> {
  const [outcome] = await Promise.allSettled([work, delay(milliseconds)])
  if (outcome.status === 'rejected') throw outcome.reason
  return outcome.value
}
