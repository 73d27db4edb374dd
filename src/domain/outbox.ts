import { describeError } from '../ports/describe-error.ts'
import type { Logger } from '../ports/logger.ts'
import { attemptMessage, type OutboxParts } from './outbox/attempt-message.ts'
import { claimMessage } from './outbox/claim-message.ts'
import { measureOutbox, purgeOutbox } from './outbox/tend-outbox.ts'

/** Does what was queued in the same commit as a change, after it, at least once. Any number of processes work on one outbox. */
export type Outbox = Readonly<{
  /** Begins to look for work by itself: once in a while, and at once when it is woken. */
  start: () => void
  /** Says that something was queued. Before the start and after the stop it does nothing. */
  wake: () => void
  /** Works on all that is due now, started or not, and resolves when there is no more of it. */
  settled: () => Promise<void>
  /** Takes nothing more, and resolves when what is at work is done. */
  stop: () => Promise<void>
}>

/** Messages at work at once, in one process. */
export const outboxLanes = 4

/** How often it looks for what other processes queued, or was put off: between the two, so that processes spread. */
const pollMs = { least: 1000, most: 2000 }
const tendMs = 15_000

/** An outbox that is not started. */
export function createOutbox(parts: OutboxParts): Outbox {
  const { db, clock, logger } = parts
  const kinds = Object.keys(parts.handlers)
  const lanes = new Set<Promise<void>>()
  let tending = Promise.resolve()
  let state: 'idle' | 'started' | 'stopped' = 'idle'
  let timer: NodeJS.Timeout | undefined
  let tendedAtMs = Number.NEGATIVE_INFINITY

  const guard = createGuard(logger)
  const workOff = async (): Promise<void> => {
    while (state !== 'stopped') {
      const message = await claimMessage(db, { kinds, now: clock.now() })
      if (message === null) return
      openLane()
      await attemptMessage(parts, message)
    }
  }
  /** One message after the other until there is none. Whoever finds one has the next lane look for another. */
  const openLane = (): void => {
    if (state === 'stopped' || lanes.size >= outboxLanes) return
    const lane = guard(workOff).finally(() => lanes.delete(lane))
    lanes.add(lane)
  }
  const tend = async (): Promise<void> => {
    const now = clock.now()
    await purgeOutbox(db, now)
    parts.metrics.outbox(await measureOutbox(db, now))
  }
  const poll = (): void => {
    openLane()
    if (performance.now() - tendedAtMs > tendMs) {
      tendedAtMs = performance.now()
      tending = guard(tend)
    }
    timer = setTimeout(poll, pollMs.least + Math.random() * (pollMs.most - pollMs.least)).unref()
  }
  const settled = async (): Promise<void> => {
    while (lanes.size > 0) await Promise.all(lanes)
    await tending
  }
  return Object.freeze({
    start: () => {
      if (state !== 'idle') return
      state = 'started'
      poll()
    },
    wake: () => {
      if (state === 'started') openLane()
    },
    settled: () => {
      openLane()
      return settled()
    },
    stop: () => {
      state = 'stopped'
      clearTimeout(timer)
      return settled()
    },
  })
}

/** Lets no failure out, and writes a line of the first of a row of them: the database does not answer, and will. */
function createGuard(logger: Logger): (work: () => Promise<void>) => Promise<void> {
  let isFailing = false
  return async (work) => {
    try {
      await work()
      isFailing = false
    } catch (error) {
      if (!isFailing) logger.warn({ error: describeError(error) }, 'the outbox cannot be worked on; it is tried again')
      isFailing = true
    }
  }
}
