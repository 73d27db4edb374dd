import { describe, expect, test } from 'vitest'
import { difference, type Image } from '../src/domain/difference.ts'
import { columnDifference } from '../src/domain/user/column-difference.ts'
import { Prisma } from '../src/generated/prisma/client.ts'
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
  ['values that come, go and stay', image, { ...image, bb: null, none: 1, new: null, 'a/b~c': true, zürich: 'x', a: [2] }],
  [
    'null that is gone',
    image,
    { a: 1, bb: 'text', list: [1, { x: 1 }], nested: image['nested'] ?? null, empty: {}, object: { was: 'there' }, zürich: '\u{1F600}' },
  ],
  ['members that come', image, { ...image, new: 1, more: { x: { y: [] } }, nothing: null, hollow: {} }],
  ['members that go', image, { a: 1 }],
  ['members of members', image, { ...image, nested: { deep: { 'a/b~c': false, same: 'x', 'new/': 1 } } }],
  ['an object that becomes a value, and a value that becomes an object', image, { ...image, object: 'value', a: { now: 'object' } }],
  ['null that becomes an object, and an object that becomes null', image, { ...image, none: { some: 1 }, object: null }],
  ['one value', image, { ...image, a: 2 }],
  ['one value that is null', image, { ...image, bb: null }],
  ['one member that comes', image, { ...image, 'a/b~c': true }],
  ['one member that comes and is null', image, { ...image, new: null }],
  ['one member that goes', { a: 1, 'a/b~c': [2] }, { a: 1 }],
  ['from nothing', {}, image],
  ['to nothing', image, {}],
]

const ways: readonly (readonly [string, Prisma.Sql])[] = [
  ['by its function', Prisma.sql`roster.json_changes(before.image, after.image, '/at')`],
  ['without it where it can', columnDifference('image', '/at', ['a', 'bb'])],
  ['where a change is unlikely', columnDifference('image', '/at', [])],
  ...['a', 'bb', 'none', 'new', 'a/b~c', 'nested', 'object'].map((member): [string, Prisma.Sql] => [
    `where ${member} is likely`,
    columnDifference('image', '/at', [member]),
  ]),
]

describe.each(ways)('PostgreSQL finds the same difference as the application, %s:', (_, changes) => {
  test.each(pairs)('%s', async (_, before, after) => {
    const { prisma } = await testDatabase()
    const [row] = await prisma.$queryRaw<{ before: Image; after: Image; changes: unknown }[]>`
      select before.image as before, after.image as after, ${changes} as changes
      from (select ${JSON.stringify(before)}::jsonb as image) as before, (select ${JSON.stringify(after)}::jsonb as image) as after`

    // Compared as PostgreSQL orders members.
    const expected = difference(row?.before ?? {}, row?.after ?? {})
    expect(row?.changes).toEqual(expected.map((change) => ({ ...change, path: `/at${change.path}` })))
  })
})
