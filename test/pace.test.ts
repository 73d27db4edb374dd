import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createPace } from '../src/http/pace.ts'

test('R23: so many begin in a turn of the event loop, the rest in the next ones, in the order they came', async () => {
  const pace = createPace(2)
  const begun: number[] = []
  for (let number = 1; number <= 5; number++) void pace().then(() => begun.push(number))
  const turns = []
  for (let turn = 0; turn < 4; turn++) {
    await Promise.resolve()
    turns.push([...begun])
    await nextTurn()
  }
  expect(turns).toEqual([
    [1, 2],
    [1, 2, 3, 4],
    [1, 2, 3, 4, 5],
    [1, 2, 3, 4, 5],
  ])
})

test('who comes when others wait goes behind them, and who comes alone does not wait', async () => {
  const pace = createPace(1)
  const begun: string[] = []
  const begin = (name: string) => void pace().then(() => begun.push(name))
  for (const name of ['first', 'second', 'third']) begin(name)
  await nextTurn()
  begin('late')
  for (let turn = 0; turn < 4; turn++) await nextTurn()
  begin('alone')
  await Promise.resolve()
  await Promise.resolve()
  expect(begun).toEqual(['first', 'second', 'third', 'late', 'alone'])
})
