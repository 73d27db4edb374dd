import { parse } from 'graphql'
import { expect, test } from 'vitest'
import { createDocumentCache } from '../src/graphql/document-cache.ts'

const document = parse('{ me { id } }')
/** About a megabyte of the sixteen that are kept. */
const large = (name: string) => name.padEnd(500_000, ' ')
const names = Array.from({ length: 40 }, (_, index) => `document ${index}`)

test('a document is found by its text, and by no other', () => {
  const { get, set } = createDocumentCache()
  set('{ me { id } }', document)

  expect(get('{ me { id } }')).toBe(document)
  expect(get('{ me { id }}')).toBeUndefined()
})

test('what is used stays, however many others come', () => {
  const { get, set } = createDocumentCache()
  set(large('used'), document)
  for (const name of names) {
    expect(get(large('used'))).toBe(document)
    set(large(name), document)
  }

  expect(get(large('used'))).toBe(document)
})

test('what is not used goes, the oldest first, so that no more is kept than a bound', () => {
  const { get, set } = createDocumentCache()
  for (const name of names) set(large(name), document)
  const kept = names.filter((name) => get(large(name)) !== undefined)

  expect(kept).toEqual(names.slice(-15))
})

test('what is used once goes in the end', () => {
  const { get, set } = createDocumentCache()
  set(large('once'), document)
  get(large('once'))
  for (const name of names) set(large(name), document)

  expect(get(large('once'))).toBeUndefined()
})

test('one that is larger than all that is kept is not kept, nor anything lost', () => {
  const { get, set } = createDocumentCache()
  set('{ me { id } }', document)
  get('{ me { id } }')
  set('x'.repeat(20_000_000), document)

  expect(get('x'.repeat(20_000_000))).toBeUndefined()
  expect(get('{ me { id } }')).toBe(document)
})
