import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { repeat } from '../src/ports/repeat.ts'

test('work is repeated, also after it has failed, until it is stopped', async () => {
  let runs = 0
  const errors: unknown[] = []
  const stop = repeat({
    everyMs: 1,
    run: async () => {
      runs++
      if (runs % 2 === 1) throw new Error(`run ${runs}`)
    },
    onError: (error) => errors.push((error as Error).message),
  })
  while (runs < 4) await delay(1)
  await stop()
  const afterwards = runs

  await delay(20)
  expect(errors.slice(0, 2)).toEqual(['run 1', 'run 3'])
  expect(runs).toBe(afterwards)
})

test('stopping tells the work that runs, and waits for it', async () => {
  const said: string[] = []
  let isRunning = false
  const stop = repeat({
    everyMs: 1,
    run: async (signal) => {
      isRunning = true
      while (!signal.aborted) await delay(1)
      await delay(20)
      said.push('left')
    },
    onError: () => {},
  })
  while (!isRunning) await delay(1)
  await stop()

  expect(said).toEqual(['left'])
  await stop()
  expect(said).toEqual(['left'])
})
