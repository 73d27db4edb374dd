import { expect, test } from 'vitest'
import { difference, type Image } from '../src/domain/difference.ts'
import { testDatabase } from './database.ts'

const image: Image = {
  a: 1,
  bb: 'text',
  list: [1, { x: 1 }],
  none: null,
  nested: { deep: { 'a/b~c': true, same: 'x' }, gone: { p: 1, q: null } },
  empty: {},
  object: { was: 'there' },
  zürich: '\u{1F600}',
}

const pairs: readonly [string, Image, Image][] = [
  ['nothing', image, image],
  ['a value, another value, a list', image, { ...image, a: 2, bb: null, list: [1, { x: 2 }] }],
  ['members that come', image, { ...image, new: 1, more: { x: { y: [] } }, nothing: null, hollow: {} }],
  ['members that go', image, { a: 1 }],
  ['members of members', image, { ...image, nested: { deep: { 'a/b~c': false, same: 'x', 'new/': 1 } } }],
  ['an object that becomes a value, and a value that becomes an object', image, { ...image, object: 'value', a: { now: 'object' } }],
  ['null that becomes an object, and an object that becomes null', image, { ...image, none: { some: 1 }, object: null }],
  ['from nothing', {}, image],
  ['to nothing', image, {}],
]

test.each(pairs)('PostgreSQL finds the same difference as the application: %s', async (_, before, after) => {
  const { prisma } = await testDatabase()
  const [row] = await prisma.$queryRaw<{ before: Image; after: Image; changes: unknown }[]>`
    select before, after, roster.json_changes(before, after, '') as changes
    from (select ${JSON.stringify(before)}::jsonb as before, ${JSON.stringify(after)}::jsonb as after) as images`

  // Compared as PostgreSQL orders members.
  expect(row?.changes).toEqual(difference(row?.before ?? {}, row?.after ?? {}))
})
