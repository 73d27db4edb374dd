import { expect, test } from 'vitest'
import { createSeenKeys } from '../src/domain/transfer/seen-keys.ts'

test('of 200,000 keys each is seen once it came by, and no other', () => {
  const seen = createSeenKeys()
  const key = (index: number) => `email jane.${index}@example.com`
  const before: number[] = []
  for (let index = 0; index < 200_000; index++) {
    if (seen.has(key(index))) before.push(index)
    seen.add(key(index))
    seen.add(key(index))
  }

  expect(before).toEqual([])
  expect(Array.from({ length: 200_000 }, (_, index) => index).filter((index) => !seen.has(key(index)))).toEqual([])
})
