import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { boot, expectData, type Harness, type Person } from './harness.ts'
import { historyOf, isTaken } from './session-client.ts'

let harness: Harness
let person: Person
let token: string

beforeAll(async () => {
  harness = await boot()
})
beforeEach(async () => {
  await harness.reset()
  person = await harness.aUser({ email: 'jane@example.com' })
  token = await harness.adminToken('update:users', 'read:users')
})

type Payload = Readonly<{
  user: { id: string; version: number } | null
  identity: Record<string, unknown> | null
  errors: { __typename: string; code: string; path: string[] }[]
}>

async function link(input: Record<string, unknown>): Promise<Payload> {
  const query =
    'mutation($input: LinkIdentityInput!) { linkIdentity(input: $input) { user { id version } identity { id provider providerUserId email emailVerified claims } errors { __typename code path } } }'
  const variables = { input: { userId: person.id, provider: 'google', providerUserId: '1001', ...input } }
  return expectData(await harness.run(query, { token, variables }))['linkIdentity'] as Payload
}
const rows = () => harness.app.database.prisma.identity.findMany({ orderBy: { id: 'asc' } })

test('an administrator links an account at a provider, and the user is found by it', async () => {
  const { user, identity, errors } = await link({ email: 'Jane@Gmail.com', emailVerified: true, claims: { hd: 'example.com' } })

  expect(errors).toEqual([])
  expect(user).toEqual({ id: person.id, version: 2 })
  expect(identity).toMatchObject({
    provider: 'google',
    providerUserId: '1001',
    email: 'Jane@Gmail.com',
    emailVerified: true,
    claims: { hd: 'example.com' },
  })
  const found = await harness.admin(
    '{ user(by: { identity: { provider: "google", providerUserId: "1001" } }) { id email identities { id } } }',
  )
  expect(found).toEqual({ user: { id: person.id, email: 'jane@example.com', identities: [{ id: identity?.['id'] }] } })
  expect(await isTaken(harness, person.token)).toBe(true)
})

test('history shows what was linked and by whom', async () => {
  const { identity } = await link({ email: 'jane@gmail.com' })

  const { me } = expectData(
    await harness.run('{ me { history(first: 1) { nodes { type actor { kind } changes { path before after } } } } }', {
      token: person.token,
    }),
  ) as { me: { history: { nodes: { changes: unknown[] }[] } } }
  const path = `/identities/${identity?.['id']}`
  expect(me.history.nodes).toEqual([
    {
      type: 'identity.linked',
      actor: { kind: 'ADMIN' },
      changes: [
        { path: `${path}/provider`, before: null, after: 'google' },
        { path: `${path}/providerUserId`, before: null, after: '1001' },
        { path: `${path}/email`, before: null, after: 'jane@gmail.com' },
        { path: `${path}/emailVerified`, before: null, after: false },
      ],
    },
  ])
})

test('an account that another user has is taken, also of one who is deleted', async () => {
  await link({})
  const other = await harness.aUser({})

  const taken = {
    user: null,
    identity: null,
    errors: [{ __typename: 'IdentityTaken', code: 'IDENTITY_TAKEN', path: ['input', 'providerUserId'] }],
  }
  expect(await link({ userId: other.id })).toEqual(taken)
  await harness.admin('mutation($id: ID!) { deleteUser(input: { id: $id }) { errors { code } } }', { id: person.id })
  expect(await link({ userId: other.id })).toEqual(taken)
  expect(await rows()).toMatchObject([{ userId: person.id }])
})

describe('an account that the user has already', () => {
  beforeEach(async () => {
    await link({ email: 'jane@gmail.com', emailVerified: true, claims: { hd: 'a' } })
  })

  test('stays as it is, without an event, where nothing else is said of it', async () => {
    const { user, identity, errors } = await link({})

    expect([errors, user?.version, identity?.['email']]).toEqual([[], 2, 'jane@gmail.com'])
    expect(await historyOf(harness, person.id)).toEqual(['identity.linked', 'user.created'])
  })

  test('is brought up to date: absent is left alone, null clears, another address is not verified', async () => {
    expect((await link({ claims: { hd: 'b' } })).identity).toMatchObject({
      email: 'jane@gmail.com',
      emailVerified: true,
      claims: { hd: 'b' },
    })
    expect((await link({ email: 'other@gmail.com' })).identity).toMatchObject({ email: 'other@gmail.com', emailVerified: false })
    expect((await link({ email: null, claims: null })).identity).toMatchObject({ email: null, emailVerified: false, claims: {} })
    expect(await rows()).toHaveLength(1)
  })
})

test('one user may have several accounts at one provider', async () => {
  await link({})
  await link({ providerUserId: '1002' })

  expect((await rows()).map(({ providerUserId }) => providerUserId)).toEqual(['1001', '1002'])
})

test.each([
  ['an unknown user', { userId: '0190a5b2-0000-7000-8000-00000000beef' }, 'USER_NOT_FOUND', ['input', 'userId']],
  ['what is no id', { userId: 'x' }, 'USER_NOT_FOUND', ['input', 'userId']],
  ['a provider of Roster’s own', { provider: 'password' }, 'INVALID_INPUT', ['input', 'provider']],
  ['no provider', { provider: '' }, 'INVALID_INPUT', ['input', 'provider']],
  ['an id that is too long', { providerUserId: 'x'.repeat(256) }, 'INVALID_INPUT', ['input', 'providerUserId']],
  ['what is no address', { email: 'jane' }, 'INVALID_INPUT', ['input', 'email']],
  ['a verified address that is none', { emailVerified: true }, 'INVALID_INPUT', ['input', 'emailVerified']],
  ['a forbidden key', { claims: { constructor: 1 } }, 'INVALID_INPUT', ['input', 'claims', 'constructor']],
  ['claims beyond 16 KiB', { claims: { long: 'x'.repeat(16_384) } }, 'METADATA_TOO_LARGE', ['input', 'claims']],
])('%s is answered with its path', async (_name, input, code, path) => {
  expect((await link(input)).errors).toMatchObject([{ code, path }])
  expect(await rows()).toEqual([])
})

test('C7.83: nobody links an account to himself on his own word', async () => {
  token = person.token
  const { errors } = await harness.run(
    'mutation($id: ID!) { linkIdentity(input: { userId: $id, provider: "google", providerUserId: "1001" }) { errors { code } } }',
    { token: person.token, variables: { id: person.id } },
  )

  expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN', requiredScopes: ['update:users'] } }])
  expect(await rows()).toEqual([])
})
