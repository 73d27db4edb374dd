import { setImmediate as nextTurn } from 'node:timers/promises'

/** The requests that are at work in this process, for what has time to give way to them. */
export type Traffic = Readonly<{
  /** One more is at work (1), or one less (-1). */
  change: (difference: 1 | -1) => void
  /** Resolves in another turn of the event loop, when no request is at work or `patienceMs` have passed: whoever always waits gets on too. */
  giveWay: () => Promise<void>
}>

/** Begins to count. */
export function createTraffic(patienceMs: number): Traffic {
  const waiting = new Set<() => void>()
  let atWork = 0
  const wait = (): Promise<void> =>
    new Promise((resolve) => {
      const goOn = (): void => {
        clearTimeout(timer)
        waiting.delete(goOn)
        resolve()
      }
      const timer = setTimeout(goOn, patienceMs)
      waiting.add(goOn)
    })
  return {
    change: (difference) => {
      atWork += difference
      // The last answer is sent first.
      if (atWork === 0) for (const goOn of waiting) setImmediate(goOn)
    },
    giveWay: () => (atWork === 0 ? nextTurn() : wait()),
  }
}
