import { beforeAll, beforeEach, expect, test } from 'vitest'
import { boot, type Harness, type Person } from './harness.ts'

let harness: Harness
let person: Person

beforeAll(async () => {
  harness = await boot()
})
beforeEach(async () => {
  await harness.reset()
  person = await harness.aUser({ email: 'jane@example.com' })
})

async function block(input: string) {
  const { blockUser } = (await harness.admin(
    `mutation { blockUser(input: { id: "${person.id}", ${input} }) { user { status block { until reason } sessions { totalCount } } errors { code path } } }`,
  )) as {
    blockUser: { user: Record<string, unknown> | null; errors: unknown[] }
  }
  return blockUser
}

const me = (token = person.token) => harness.run('{ me { id } }', { token })

test('a block ends all sessions and bites at the next request', async () => {
  expect((await me()).status).toBe(200)

  expect(await block('reason: "spam"')).toEqual({
    user: { status: 'BLOCKED', block: { until: null, reason: 'spam' }, sessions: { totalCount: 0 } },
    errors: [],
  })

  expect(await me()).toMatchObject({ status: 401, errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] })
})

test('a block for a duration runs out by itself; the sessions it ended stay ended', async () => {
  await block('duration: "PT1H"')
  harness.clock.advance({ minutes: 61 })

  expect(await harness.admin(`{ user(by: { id: "${person.id}" }) { status block { reason } } }`)).toEqual({
    user: { status: 'ACTIVE', block: null },
  })
  expect((await me()).status).toBe(401)
  expect((await me(await harness.signIn(person.id))).status).toBe(200)
})

test('a block until a time says until when', async () => {
  const until = new Date(harness.clock.now().getTime() + 3_600_000).toISOString()

  expect((await block(`until: "${until}"`)).user).toMatchObject({ block: { until } })
})

test('a block that stands is replaced, and lifted', async () => {
  await block('duration: "P1D", reason: "first"')
  expect((await block('reason: "second"')).user).toMatchObject({ block: { until: null, reason: 'second' } })

  const lift = `mutation { unblockUser(input: { id: "${person.id}" }) { user { status version } errors { code } } }`
  expect(await harness.admin(lift)).toEqual({ unblockUser: { user: { status: 'ACTIVE', version: 4 }, errors: [] } })
  expect(await harness.admin(lift)).toEqual({ unblockUser: { user: { status: 'ACTIVE', version: 4 }, errors: [] } })
})

test.each([
  ['until: "2001-01-01T00:00:00Z"', 'until'],
  ['until: "2099-01-01T00:00:00Z", duration: "P1D"', 'duration'],
  ['duration: "P99999Y"', 'duration'],
])('an end that cannot be is refused: %s', async (input, field) => {
  expect((await block(input)).errors).toEqual([{ code: 'INVALID_INPUT', path: ['input', field] }])
})

test('a status filter sees the block as it stands now', async () => {
  await block('duration: "PT1H"')
  const count = () =>
    harness.admin(
      '{ blocked: users(where: { status: [BLOCKED] }) { totalCount } active: users(where: { status: [ACTIVE] }) { totalCount } }',
    )

  expect(await count()).toEqual({ blocked: { totalCount: 1 }, active: { totalCount: 0 } })
  harness.clock.advance({ minutes: 61 })
  expect(await count()).toEqual({ blocked: { totalCount: 0 }, active: { totalCount: 1 } })
})
