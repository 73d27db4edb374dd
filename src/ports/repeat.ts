import { setTimeout as delay } from 'node:timers/promises'

/** Work that is done again and again beside requests. */
export type Repetition = Readonly<{
  everyMs: number
  /** The signal says that the process is stopping: leave the rest to another one. */
  run: (signal: AbortSignal) => Promise<void>
  /** Told of each time that failed; the next one comes as usual. */
  onError: (error: unknown) => void
}>

/** The first time is within a minute of the start, at a time that differs between processes that start together. */
const firstWithinMs = 60_000

/** Begins to repeat. It does not keep the process alive. Answers what stops it, which resolves when nothing of it runs any more. */
export function repeat({ everyMs, run, onError }: Repetition): () => Promise<void> {
  const stopping = new AbortController()
  const { signal } = stopping
  const wait = (ms: number) => delay(ms, undefined, { signal, ref: false }).catch(() => {})
  const loop = async (): Promise<void> => {
    await wait(Math.min(everyMs, firstWithinMs) * Math.random())
    while (!signal.aborted) {
      await run(signal).catch(onError)
      await wait(everyMs)
    }
  }
  const ended = loop()
  return () => {
    stopping.abort()
    return ended
  }
}
