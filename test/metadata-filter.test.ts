import { isDeepStrictEqual } from 'node:util'
import { expect, test } from 'vitest'
import { compileUserFilter, type MetadataFilter } from '../src/domain/user-filter.ts'
import { emptyDatabase, testDatabase } from './database.ts'
import { insertPeople } from './people.ts'

const now = new Date('2026-06-01T12:00:00.000Z')
const keys = ['a', 'b', '0', '1', '-1', '01', 'a/b', '~', '']
const scalars = [0, 1, -1.5, 36, '36', 'pro', 'Zed', 'é', '🦊', '\uffff', '', true, false]

/** Numbers that are the same at each run: a failure stays one. */
function drawing(seed: number): <Item>(list: readonly Item[]) => Item {
  let state = seed
  return (list) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return list[Math.floor((state / 2 ** 32) * list.length)] as (typeof list)[number]
  }
}

const draw = drawing(7)

function value(depth: number): unknown {
  const kind = draw(depth === 0 ? ['scalar'] : ['scalar', 'scalar', 'list', 'object'])
  if (kind === 'scalar') return draw(scalars)
  const size = draw([0, 1, 1, 2, 3])
  const items = Array.from({ length: size }, () => value(depth - 1))
  return kind === 'list' ? items : Object.fromEntries(items.map((item) => [draw(keys), item]))
}

function bag(): Record<string, unknown> {
  return Object.fromEntries(Array.from({ length: draw([1, 2, 3, 4]) }, () => [draw(keys), value(3)]))
}

/** A path that leads somewhere in the document, more often than not. */
function pathInto(document: unknown): string[] {
  if (typeof document !== 'object' || document === null || draw([0, 0, 0, 1]) === 1) return draw([0, 0, 0, 1]) === 1 ? [draw(keys)] : []
  const [key, inner] = draw(Object.entries(document).concat([[draw(keys), undefined]]))
  return [key, ...pathInto(inner)]
}

function at(document: unknown, path: readonly string[]): unknown {
  return path.reduce((inner: unknown, key) => {
    if (Array.isArray(inner)) return /^(0|[1-9]\d*)$/.test(key) ? inner[Number(key)] : undefined
    return typeof inner === 'object' && inner !== null && Object.hasOwn(inner, key) ? (inner as Record<string, unknown>)[key] : undefined
  }, document)
}

/** What PostgreSQL's documentation says of containment, with its exception for a scalar in a list at the top. */
function contains(outer: unknown, inner: unknown, isTop = true): boolean {
  if (Array.isArray(outer) && Array.isArray(inner)) return inner.every((one) => outer.some((other) => contains(other, one, false)))
  if (isTop && Array.isArray(outer) && typeof inner !== 'object') return outer.includes(inner)
  if (Array.isArray(outer) || Array.isArray(inner) || typeof outer !== 'object' || typeof inner !== 'object') return outer === inner
  const [whole, part] = [outer as Record<string, unknown>, inner as Record<string, unknown>]
  return Object.entries(part).every(([key, one]) => Object.hasOwn(whole, key) && contains(whole[key], one, false))
}

function compared(found: unknown, bound: unknown): number | null {
  if (typeof found === 'number' && typeof bound === 'number') return found - bound
  return typeof found === 'string' && typeof bound === 'string' ? Buffer.compare(Buffer.from(found), Buffer.from(bound)) : null
}

function holds(document: unknown, path: readonly string[], filter: Partial<MetadataFilter>): boolean {
  const found = at(document, path)
  if ('exists' in filter) return (found !== undefined) === filter.exists
  if (found === undefined) return false
  if ('eq' in filter) return isDeepStrictEqual(found, filter.eq)
  if ('in' in filter) return filter.in?.some((one) => isDeepStrictEqual(found, one)) ?? false
  if ('contains' in filter) return contains(found, filter.contains)
  const order = 'gt' in filter ? compared(found, filter.gt) : compared(found, filter.lt)
  return order !== null && ('gt' in filter ? order > 0 : order < 0)
}

function filterFor(found: unknown): Partial<MetadataFilter> {
  const wanted = found === undefined || draw([0, 0, 1]) === 1 ? value(2) : found
  const item = Array.isArray(found) && found.length > 0 ? draw(found) : wanted
  const bound = draw(scalars.filter((one) => typeof one !== 'boolean'))
  return draw<Partial<MetadataFilter>>([
    { eq: wanted },
    { eq: wanted },
    { in: [wanted, value(1)] },
    { contains: wanted },
    { contains: item },
    { gt: bound },
    { lt: bound },
    { exists: draw([true, false]) },
  ])
}

test('any metadata filter finds what its words say, with the help of the index and without', async () => {
  const database = await testDatabase()
  await emptyDatabase(database)
  const bags = Object.fromEntries(Array.from({ length: 120 }, (_, index) => [String(index), bag()]))
  const ids = await insertPeople(
    database,
    Object.fromEntries(Object.entries(bags).map(([name, userMetadata]) => [name, { user: { userMetadata: userMetadata as object } }])),
  )
  let matches = 0

  for (let round = 0; round < 600; round++) {
    const document = bags[String(draw(Array.from(ids.keys())))]
    const path = pathInto(document)
    const filter = filterFor(at(document, path))
    const pointer = path.map((key) => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
    const condition = compileUserFilter({ userMetadata: [{ path: pointer, ...filter }] }, { now })
    const rows = await database.prisma.$queryRaw<{ id: string }[]>`select u.id from roster.users u where ${condition} order by u.id`
    const expected = Object.entries(bags).flatMap(([name, one]) => (holds(one, path, filter) ? [ids.get(name)] : []))
    expect(
      rows.map(({ id }) => id),
      JSON.stringify({ pointer, ...filter }),
    ).toEqual(expected)
    matches += rows.length
  }

  expect(matches).toBeGreaterThan(600)
}, 60_000)
