import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createTraffic } from '../src/ports/traffic.ts'
import { startServer } from './server.ts'

/** Says what has been resolved so far. */
function watch(work: Promise<void>): () => boolean {
  let isDone = false
  void work.then(() => {
    isDone = true
  })
  return () => isDone
}

test('where no request is at work others have a turn, and no more', async () => {
  const isDone = watch(createTraffic(60_000).giveWay())
  await Promise.resolve()
  expect(isDone()).toBe(false)
  await nextTurn()
  await nextTurn()
  expect(isDone()).toBe(true)
})

test('what gives way waits for the last request, and until its answer is sent', async () => {
  const traffic = createTraffic(60_000)
  for (const difference of [1, 1] as const) traffic.change(difference)
  const isDone = watch(traffic.giveWay())
  traffic.change(-1)
  await nextTurn()
  await nextTurn()
  expect(isDone()).toBe(false)
  traffic.change(-1)
  await Promise.resolve()
  expect(isDone()).toBe(false)
  await nextTurn()
  expect(isDone()).toBe(true)
})

test('what gives way gets on where requests never end', async () => {
  const traffic = createTraffic(5)
  traffic.change(1)
  const startedAt = performance.now()
  await traffic.giveWay()
  expect(performance.now() - startedAt).toBeGreaterThan(4)
})

test('what gives way waits for the requests that a server has at work', async () => {
  const { app, server, schema, run } = await startServer()
  try {
    const answer = run('{ slow(ms: 500) }')
    while (!schema.calls.get('slow')) await nextTurn()
    const turn = app.traffic.giveWay()
    const isDone = watch(turn)
    await delay(50)
    expect(isDone()).toBe(false)
    expect((await answer).status).toBe(200)
    await turn
  } finally {
    await server.drain()
  }
})
