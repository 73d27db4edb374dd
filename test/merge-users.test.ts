import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { changeSource } from './change-source.ts'
import { boot, type Harness, type Person } from './harness.ts'
import { historyOf, isTaken } from './session-client.ts'
import { plant } from './setup/host.ts'

let harness: Harness
let target: Person
let source: Person

beforeAll(async () => {
  harness = await boot()
})
beforeEach(async () => {
  await harness.reset()
  target = await harness.aUser({
    email: 'jane@example.com',
    profile: { name: 'Jane', nickname: 'J' },
    userMetadata: { color: 'red', pet: 'cat' },
    appMetadata: { plan: 'pro' },
  })
  source = await harness.aUser({
    email: 'jane@work.example',
    emailVerified: true,
    username: 'jane',
    password: 'a long pass phrase',
    profile: { name: 'Jane Doe', locale: 'en' },
    userMetadata: { color: 'blue', size: 3 },
    appMetadata: { plan: 'free', role: 'admin' },
  })
  await harness.admin(
    'mutation($id: ID!) { linkIdentity(input: { userId: $id, provider: "google", providerUserId: "1001" }) { errors { code } } }',
    { id: source.id },
  )
})

type Change = { path: string; before: unknown; after: unknown }
type Payload = Readonly<{
  user: { id: string; version: number } | null
  changes: Change[] | null
  discarded: Change[] | null
  sessionsEnded: number
  errors: Record<string, unknown>[]
}>

async function merge(more: Record<string, unknown> = {}): Promise<Payload> {
  const query =
    'mutation($input: MergeUsersInput!) { mergeUsers(input: $input) { user { id version } changes { path before after } discarded { path before after } sessionsEnded errors { code path ... on DeleteBlocked { references { table constraint rows } } } } }'
  const input = { sourceUserId: source.id, targetUserId: target.id, ...more }
  return (await harness.admin(query, { input }))['mergeUsers'] as Payload
}

const fields =
  'id email emailVerified username hasPassword status signInCount userMetadata appMetadata profile { name nickname locale sources { attribute origin identity { provider } } } identities { provider providerUserId }'
const read = async (id = target.id) => (await harness.admin(`query($id: ID!) { user(by: { id: $id }) { ${fields} } }`, { id }))['user']

/** All rows of both, to see that nothing has changed. */
async function everything(): Promise<unknown[]> {
  const { prisma } = harness.app.database
  return Promise.all([
    prisma.user.findMany({ orderBy: { id: 'asc' } }),
    prisma.profile.findMany({ orderBy: { userId: 'asc' } }),
    prisma.profileSource.findMany({ orderBy: [{ userId: 'asc' }, { attribute: 'asc' }] }),
    prisma.identity.findMany({ orderBy: { id: 'asc' } }),
    prisma.passwordCredential.findMany({ orderBy: { userId: 'asc' } }),
    prisma.session.findMany({ orderBy: { id: 'asc' } }),
    prisma.auditEvent.findMany({ where: { subjectId: { in: [target.id, source.id] } }, orderBy: { id: 'asc' } }),
  ])
}

test('the source goes into the target: identities, a password and names that it has not, unset attributes, metadata', async () => {
  expect((await merge()).errors).toEqual([])

  expect(await read()).toEqual({
    id: target.id,
    email: 'jane@example.com',
    emailVerified: false,
    username: 'jane',
    hasPassword: true,
    status: 'ACTIVE',
    signInCount: 0,
    userMetadata: { color: 'red', pet: 'cat', size: 3 },
    appMetadata: { plan: 'pro' },
    profile: {
      name: 'Jane',
      nickname: 'J',
      locale: 'en',
      sources: ['locale', 'name', 'nickname'].map((attribute) => ({ attribute, origin: 'ADMIN', identity: null })),
    },
    identities: [
      { provider: 'password', providerUserId: target.id },
      { provider: 'google', providerUserId: '1001' },
    ],
  })
  expect(await read(source.id)).toBeNull()
  expect([await isTaken(harness, target.token), await isTaken(harness, source.token)]).toEqual([true, false])
})

test('whoever knew the source’s name and password signs in as the target', async () => {
  await merge()

  const { data } = await harness.run(
    'mutation { signIn(input: { username: "jane", password: "a long pass phrase" }) { user { id } errors { code } } }',
  )
  expect(data).toMatchObject({ signIn: { errors: [{ code: 'EMAIL_NOT_VERIFIED' }] } })
  await harness.admin('mutation($id: ID!) { updateUser(input: { id: $id, emailVerified: true }) { errors { code } } }', { id: target.id })
  expect(
    (await harness.run('mutation { signIn(input: { username: "jane", password: "a long pass phrase" }) { user { id } errors { code } } }'))
      .data,
  ).toEqual({ signIn: { user: { id: target.id }, errors: [] } })
})

test('names that the target does not take are free again, and a password that it has of its own stays', async () => {
  await harness.admin(
    'mutation($id: ID!) { updateUser(input: { id: $id, password: "another pass phrase", emailVerified: true }) { errors { code } } }',
    { id: target.id },
  )
  await merge()

  const signIn = (password: string) =>
    harness.run(`mutation { signIn(input: { email: "jane@example.com", password: "${password}" }) { user { id } } }`)
  expect((await signIn('a long pass phrase')).data).toEqual({ signIn: { user: null } })
  expect((await signIn('another pass phrase')).data).toEqual({ signIn: { user: { id: target.id } } })
  expect(await harness.admin('mutation { createUser(input: { email: "jane@work.example" }) { errors { code } } }')).toEqual({
    createUser: { errors: [] },
  })
})

describe('metadata', () => {
  test.each([
    [{ userMetadata: 'KEEP_TARGET' }, { color: 'red', pet: 'cat' }, { plan: 'pro' }],
    [
      { userMetadata: 'PREFER_SOURCE', appMetadata: 'PREFER_TARGET' },
      { color: 'blue', pet: 'cat', size: 3 },
      { plan: 'pro', role: 'admin' },
    ],
    [{ appMetadata: 'PREFER_SOURCE' }, { color: 'red', pet: 'cat', size: 3 }, { plan: 'free', role: 'admin' }],
  ])('with %j', async (strategy, userMetadata, appMetadata) => {
    await merge(strategy)

    expect(await read()).toMatchObject({ userMetadata, appMetadata })
  })

  test('that would be too large together refuses the merge', async () => {
    const { prisma } = harness.app.database
    for (const [id, key] of [
      [source.id, 'a'],
      [target.id, 'b'],
    ] as const)
      await prisma.user.update({ where: { id }, data: { userMetadata: { [key]: 'x'.repeat(10_000) } } })

    expect((await merge()).errors).toMatchObject([{ code: 'METADATA_TOO_LARGE', path: ['input', 'userMetadata'] }])
    expect(await read(source.id)).not.toBeNull()
  })

  test('of administrators is merged only by who may change it', async () => {
    const token = await harness.adminToken('update:users', 'delete:users', 'read:users')
    const query = 'mutation($input: MergeUsersInput!) { mergeUsers(input: $input) { discarded { path } errors { code } } }'
    const input = { sourceUserId: source.id, targetUserId: target.id }

    const refused = await harness.run(query, { token, variables: { input: { ...input, appMetadata: 'PREFER_SOURCE' } } })
    expect(refused.errors).toMatchObject([{ extensions: { code: 'FORBIDDEN', field: 'input.appMetadata' } }])
    const { data } = await harness.run(query, { token, variables: { input } })
    const answer = data?.['mergeUsers'] as { discarded: { path: string }[]; errors: unknown[] }
    expect(answer.errors).toEqual([])
    expect(answer.discarded.map(({ path }) => path).filter((path) => path.startsWith('/appMetadata'))).toEqual([])
  })
})

test('of two values of an attribute, one that a person edited beats one that a provider said; each keeps its source', async () => {
  const { prisma } = harness.app.database
  const { id: identityId } = await prisma.identity.findFirstOrThrow({ where: { provider: 'google' } })
  await changeSource(prisma, { userId: target.id, attribute: 'name' }, { origin: 'IDENTITY' })
  await changeSource(prisma, { userId: source.id, attribute: 'locale' }, { origin: 'IDENTITY', identityId })

  await merge()

  expect(await read()).toMatchObject({
    profile: {
      name: 'Jane Doe',
      sources: [
        { attribute: 'locale', origin: 'IDENTITY', identity: { provider: 'google' } },
        { attribute: 'name', origin: 'ADMIN', identity: null },
        { attribute: 'nickname', origin: 'ADMIN', identity: null },
      ],
    },
  })
  expect(await harness.admin('{ users(where: { name: { eq: "jane doe" } }) { nodes { id } } }')).toEqual({
    users: { nodes: [{ id: target.id }] },
  })
})

test('the history of both is read at the target, and says what went where', async () => {
  await merge()

  expect(await historyOf(harness, target.id)).toEqual(['user.merged', 'user.mergedInto', 'identity.linked', 'user.created', 'user.created'])
  const { me } = (
    await harness.run('{ me { history { nodes { type subjectId user { id } changes { path before after } } } } }', { token: target.token })
  ).data as { me: { history: { nodes: { type: string; subjectId: string; user: { id: string }; changes: Change[] }[] } } }
  const [ofTarget, ofSource] = me.history.nodes
  expect(ofTarget).toMatchObject({ subjectId: target.id, user: { id: target.id } })
  expect(ofTarget?.changes).toContainEqual({ path: '/mergedFrom', before: null, after: source.id })
  expect(ofSource).toMatchObject({ subjectId: source.id, user: { id: target.id } })
  expect(ofSource?.changes).toContainEqual({ path: '/email', before: 'jane@work.example', after: null })
  expect(ofSource?.changes).toContainEqual({ path: '/mergedInto', before: null, after: target.id })
  expect(JSON.stringify(me)).not.toContain('appMetadata')
})

test('what is personal of both goes from history when the target is purged', async () => {
  await merge()
  await harness.admin('mutation($id: ID!) { deleteUser(input: { id: $id, mode: HARD }) { errors { code } } }', { id: target.id })

  expect(JSON.stringify(await everything())).not.toMatch(/jane/i)
})

test('history cannot be moved to another user by anything else', async () => {
  const { prisma } = harness.app.database

  await expect(prisma.auditEvent.updateMany({ where: { userId: source.id }, data: { userId: target.id } })).rejects.toThrow()
})

test('a block of the source that stands goes on for the target, and ends its sessions', async () => {
  await harness.admin('mutation($id: ID!) { blockUser(input: { id: $id, reason: "fraud" }) { errors { code } } }', { id: source.id })
  await merge()

  expect(await read()).toMatchObject({ status: 'BLOCKED' })
  expect(await isTaken(harness, target.token)).toBe(false)
  await harness.admin('mutation($id: ID!) { unblockUser(input: { id: $id }) { errors { code } } }', { id: target.id })
  expect(await isTaken(harness, target.token)).toBe(false)
})

test('a block of the source that has run out, or ends before the target’s, changes nothing', async () => {
  const block = (id: string, duration: string) =>
    harness.admin('mutation($id: ID!, $duration: Duration!) { blockUser(input: { id: $id, duration: $duration }) { errors { code } } }', {
      id,
      duration,
    })
  await block(source.id, 'PT1H')
  await block(target.id, 'PT2H')
  const { blockedUntil } = await harness.app.database.prisma.user.findUniqueOrThrow({ where: { id: target.id } })
  await merge()

  expect(await harness.app.database.prisma.user.findUniqueOrThrow({ where: { id: target.id } })).toMatchObject({ blockedUntil })
})

describe('a dry run', () => {
  test('answers what would happen, and changes nothing', async () => {
    const before = await everything()

    const dry = await merge({ dryRun: true })

    expect(await everything()).toEqual(before)
    expect(dry).toMatchObject({ user: { id: target.id, version: 1 }, sessionsEnded: 1, errors: [] })
    expect(dry.changes).toContainEqual({ path: '/username', before: null, after: 'jane' })
    expect(dry.discarded).toContainEqual({ path: '/email', before: 'jane@work.example', after: 'jane@example.com' })
    expect(dry.discarded).toContainEqual({ path: '/appMetadata/role', before: 'admin', after: null })
    expect(dry.discarded?.map(({ path }) => path)).not.toContain('/username')
    const done = await merge()
    expect([done.changes, done.discarded, done.sessionsEnded]).toEqual([dry.changes, dry.discarded, dry.sessionsEnded])
  })

  test.each(['', 'deferrable initially deferred'])('is told what holds the source, as the merge is, by a key %s', async (when) => {
    await plant(`create table public.orders (buyer uuid constraint orders_buyer references roster.users ${when});
      insert into public.orders values ('${source.id}'), ('${source.id}')`)
    const before = await everything()

    for (const dryRun of [true, false]) {
      const { user, changes, errors } = await merge({ dryRun })
      expect([user, changes]).toEqual([null, null])
      expect(errors).toMatchObject([
        { code: 'DELETE_BLOCKED', references: [{ table: 'public.orders', constraint: 'orders_buyer', rows: 2 }] },
      ])
    }
    expect(await everything()).toEqual(before)
  })
})

const absent = '0190a5b2-0000-7000-8000-00000000beef'

test.each([
  ['an unknown source', () => ({ sourceUserId: absent }), 'USER_NOT_FOUND', 'sourceUserId'],
  ['an unknown target', () => ({ targetUserId: absent }), 'USER_NOT_FOUND', 'targetUserId'],
  ['what is no id', () => ({ targetUserId: 'x' }), 'USER_NOT_FOUND', 'targetUserId'],
  ['one user twice', () => ({ sourceUserId: target.id.toUpperCase() }), 'INVALID_INPUT', 'sourceUserId'],
])('%s is answered with its path', async (_name, input, code, field) => {
  const before = await everything()

  expect((await merge(input())).errors).toMatchObject([{ code, path: ['input', field] }])
  expect(await everything()).toEqual(before)
})

test.each([
  ['update:users', 'input.sourceUserId', 'delete:users'],
  ['delete:users', 'input.targetUserId', 'update:users'],
] as const)('with %s alone it is forbidden', async (held, field, wanted) => {
  const { errors } = await harness.run(
    'mutation($s: ID!, $t: ID!) { mergeUsers(input: { sourceUserId: $s, targetUserId: $t }) { errors { code } } }',
    { token: await harness.adminToken(held), variables: { s: source.id, t: target.id } },
  )

  expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN', field, requiredScopes: [wanted] } }])
  expect(await read(source.id)).not.toBeNull()
})
