import { expect, test } from 'vitest'
import { createStatementNames, plannedEachTime } from '../src/database/statement-names.ts'

const often = Array.from({ length: 30 })

test('a statement that comes often gets a name of its own, and keeps it', () => {
  const { nameOf: name } = createStatementNames()

  expect(name({ sql: 'select 1' })).toBe('')
  for (const _ of often) name({ sql: 'select 1' })
  for (const _ of often) name({ sql: 'select 2' })
  expect(name({ sql: 'select 1' })).toMatch(/^roster_/)
  expect(name({ sql: 'select 2' })).toMatch(/^roster_/)
  expect(name({ sql: 'select 1' })).not.toBe(name({ sql: 'select 2' }))
})

test('what shall be planned each time gets none', () => {
  const { nameOf: name } = createStatementNames()
  for (const _ of often) name({ sql: `select ${plannedEachTime} 1` })

  expect(name({ sql: `select ${plannedEachTime} 1` })).toBe('')
})

test('however many statements callers make up, no more than 200 have names', () => {
  const { nameOf: name } = createStatementNames()
  const names = new Set<string>()
  for (let number = 0; number < 1000; number++) for (const _ of often) names.add(name({ sql: `select ${number}` }))

  names.delete('')
  expect(names.size).toBe(200)
})

test('when they are renewed, a statement gets another name', () => {
  const { nameOf, renew } = createStatementNames()
  for (const _ of often) nameOf({ sql: 'select 1' })
  const before = nameOf({ sql: 'select 1' })
  renew()
  for (const _ of often) nameOf({ sql: 'select 1' })

  expect(nameOf({ sql: 'select 1' })).toMatch(/^roster_/)
  expect(nameOf({ sql: 'select 1' })).not.toBe(before)
})
