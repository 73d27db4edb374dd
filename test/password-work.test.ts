import { expect, test } from 'vitest'
import { createPasswordWork } from '../src/domain/password/password-work.ts'

/** Work that is done when it is let go. */
function held() {
  const releases: (() => void)[] = []
  const started: number[] = []
  return {
    started,
    piece: (name: number) => () => {
      started.push(name)
      return new Promise<number>((resolve) => releases.push(() => resolve(name)))
    },
    release: () => releases.shift()?.(),
  }
}

const soon = () => new Promise((resolve) => setImmediate(resolve))
const refused = { code: 'SERVICE_UNAVAILABLE', extensions: { retryAfterSeconds: 1 } }

test('so many are at work at once, and the rest is done in the order it came', async () => {
  const work = createPasswordWork({ concurrency: 2, maxWaiting: 10, maxWaitMs: 60_000 })
  const { started, piece, release } = held()
  const all = [1, 2, 3, 4].map((name) => work(piece(name)))
  await soon()
  expect(started).toEqual([1, 2])

  for (let count = 0; count < 4; count++) {
    release()
    await soon()
  }

  expect(await Promise.all(all)).toEqual([1, 2, 3, 4])
  expect(started).toEqual([1, 2, 3, 4])
})

test('whoever comes when too many wait is refused at once, and is told when to come again', async () => {
  const work = createPasswordWork({ concurrency: 1, maxWaiting: 2, maxWaitMs: 60_000 })
  const { piece, release } = held()
  const admitted = [1, 2, 3].map((name) => work(piece(name)))

  await expect(work(piece(4))).rejects.toMatchObject(refused)
  for (let count = 0; count < 3; count++) {
    await soon()
    release()
  }
  expect(await Promise.all(admitted)).toEqual([1, 2, 3])
  const later = work(piece(5))
  await soon()
  release()
  await expect(later).resolves.toBe(5)
})

test('whoever has waited too long is refused, and is not worked for', async () => {
  const work = createPasswordWork({ concurrency: 1, maxWaiting: 10, maxWaitMs: 20 })
  const { started, piece, release } = held()
  const first = work(piece(1))

  await expect(work(piece(2))).rejects.toMatchObject(refused)
  release()
  await expect(first).resolves.toBe(1)
  expect(started).toEqual([1])
})

test('work that fails gives its place to the next', async () => {
  const work = createPasswordWork({ concurrency: 1, maxWaiting: 10, maxWaitMs: 60_000 })
  const failing = work(async () => {
    throw new Error('broken')
  })
  const next = work(async () => 'done')

  await expect(failing).rejects.toThrow('broken')
  await expect(next).resolves.toBe('done')
})
