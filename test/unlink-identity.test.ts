import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startSession } from '../src/domain/session.ts'
import type { CreateUserInput } from '../src/domain/user/create-user.ts'
import { boot, expectData, type Harness, type Person } from './harness.ts'
import { lastMailTo } from './mails.ts'
import { aSession, codesOf, historyOf, isTaken, refresh } from './session-client.ts'

let harness: Harness
let token: string

beforeAll(async () => {
  harness = await boot()
})
beforeEach(async () => {
  await harness.reset()
  token = await harness.adminToken('admin')
})

/** A user with accounts at these providers. */
async function someone(input: CreateUserInput, providers: readonly string[] = []): Promise<Person> {
  const person = await harness.aUser(input)
  for (const provider of providers)
    await harness.admin(
      'mutation($id: ID!, $provider: String!) { linkIdentity(input: { userId: $id, provider: $provider, providerUserId: "1001" }) { errors { code } } }',
      { id: person.id, provider },
    )
  return person
}

async function idOf(userId: string, provider: string): Promise<string> {
  const where = { userId, provider }
  return (await harness.app.database.prisma.identity.findFirstOrThrow({ where })).id
}

const providersOf = async (userId: string) => {
  const rows = await harness.app.database.prisma.identity.findMany({ where: { userId }, orderBy: { id: 'asc' } })
  return rows.map(({ provider }) => provider)
}

const unlink = (asked: string, id: string, more: Record<string, unknown> = {}) =>
  harness.run(
    'mutation($input: UnlinkIdentityInput!) { unlinkIdentity(input: $input) { user { id version } sessionsEnded errors { code path } } }',
    { token: asked, variables: { input: { id, ...more } } },
  )

describe('an administrator', () => {
  test('unlinks any user’s identity, and history shows it', async () => {
    const person = await someone({}, ['google', 'github'])
    const id = await idOf(person.id, 'google')

    const answer = await unlink(await harness.adminToken('update:users'), id.toUpperCase(), { force: null })

    expect(answer.errors?.map(({ path }) => path)).toEqual([['unlinkIdentity', 'user', 'version']])
    expect(await providersOf(person.id)).toEqual(['github'])
    expect((await historyOf(harness, person.id))[0]).toBe('identity.unlinked')
    const event = await harness.app.database.prisma.auditEvent.findFirstOrThrow({ where: { type: 'identity.unlinked' } })
    expect(event).toMatchObject({ subjectId: person.id, actorKind: 'ADMIN' })
    expect(event.changes).toContainEqual({ path: `/identities/${id}/providerUserId`, before: '1001', after: null })
  })

  test('cannot remove the last way to sign in, unless he forces it', async () => {
    const person = await someone({ email: 'jane@example.com' }, ['google'])
    const id = await idOf(person.id, 'google')

    expect((await unlink(token, id)).data).toEqual({
      unlinkIdentity: { user: null, sessionsEnded: 0, errors: [{ code: 'LAST_IDENTITY', path: ['input', 'id'] }] },
    })
    expect(await providersOf(person.id)).toEqual(['google'])
    expect((await unlink(token, id, { force: true })).data).toEqual({
      unlinkIdentity: { user: { id: person.id, version: 3 }, sessionsEnded: 0, errors: [] },
    })
    expect(await providersOf(person.id)).toEqual([])
  })

  test('finds no identity of a user who is deleted', async () => {
    const person = await someone({}, ['google'])
    const id = await idOf(person.id, 'google')
    await harness.admin('mutation($id: ID!) { deleteUser(input: { id: $id }) { errors { code } } }', { id: person.id })

    expect(codesOf(await unlink(token, id, { force: true }), 'unlinkIdentity')).toEqual(['IDENTITY_NOT_FOUND'])
  })
})

describe('a way to sign in that is left is', () => {
  test.each<[string, CreateUserInput, string[]]>([
    ['a password', { username: 'jane', password: 'a long pass phrase' }, ['google']],
    ['a verified address', { email: 'jane@example.com', emailVerified: true }, ['google']],
    ['an account at another provider', {}, ['google', 'github']],
  ])('%s', async (_name, input, providers) => {
    const person = await someone(input, providers)

    expect(codesOf(await unlink(token, await idOf(person.id, 'google')), 'unlinkIdentity')).toEqual([])
  })

  test('no verified address where no mail is sent', async () => {
    const silent = await boot({
      NODE_ENV: 'production',
      PUBLIC_URL: 'https://users.example.com',
      HOST: '127.0.0.1',
      DATABASE_URL: 'postgres://unused',
    })
    const person = await silent.aUser({ email: 'jane@example.com', emailVerified: true, password: 'a long pass phrase' })
    const { id } = await silent.app.database.prisma.identity.findFirstOrThrow({ where: { userId: person.id } })
    const query = 'mutation($id: ID!) { unlinkIdentity(input: { id: $id }) { errors { code } } }'

    expect(await silent.admin(query, { id })).toEqual({ unlinkIdentity: { errors: [{ code: 'LAST_IDENTITY' }] } })
  })
})

test('unlinking the password takes it away, and ends the sessions that it started', async () => {
  const person = await someone({ username: 'jane', password: 'a long pass phrase' }, ['google'])
  const { app, clock } = harness
  const byGoogle = await startSession({ db: app.database.prisma, clock }, app.authentication, {
    userId: person.id,
    connection: 'google',
    aal: 'aal1',
    amr: ['fed'],
    ip: null,
    userAgent: null,
  })

  expect((await unlink(token, await idOf(person.id, 'password'))).data).toMatchObject({ unlinkIdentity: { sessionsEnded: 1, errors: [] } })

  expect([await isTaken(harness, person.token), await isTaken(harness, byGoogle.accessToken)]).toEqual([false, true])
  expect(await harness.admin('query($id: ID!) { user(by: { id: $id }) { hasPassword } }', { id: person.id })).toEqual({
    user: { hasPassword: false },
  })
  expect(
    codesOf(
      await harness.run('mutation { signIn(input: { username: "jane", password: "a long pass phrase" }) { errors { code } } }'),
      'signIn',
    ),
  ).toEqual(['INVALID_CREDENTIALS'])
})

test('what the profile has from an identity stays, and still says that it came from one', async () => {
  const person = await someone({ username: 'jane', password: 'a long pass phrase', profile: { name: 'Jane' } }, ['google'])
  const identityId = await idOf(person.id, 'google')
  await harness.app.database.prisma.profileSource.updateMany({ where: { userId: person.id }, data: { origin: 'IDENTITY', identityId } })

  await unlink(token, identityId)

  expect(
    await harness.admin('query($id: ID!) { user(by: { id: $id }) { profile { name sources { attribute origin identity { id } } } } }', {
      id: person.id,
    }),
  ).toEqual({ user: { profile: { name: 'Jane', sources: [{ attribute: 'name', origin: 'IDENTITY', identity: null }] } } })
})

describe('C5.64: a user', () => {
  let person: Person
  beforeEach(async () => {
    person = await someone({ email: 'jane@example.com', emailVerified: true, password: 'a long pass phrase' }, ['google'])
  })

  test('unlinks his own identity within five minutes of signing in', async () => {
    harness.clock.advance({ minutes: 4 })

    expect(codesOf(await unlink(person.token, await idOf(person.id, 'google')), 'unlinkIdentity')).toEqual([])
    expect(await providersOf(person.id)).toEqual(['password'])
  })

  test('proves himself later on, by the password or a code that is used up', async () => {
    harness.clock.advance({ minutes: 6 })
    const id = await idOf(person.id, 'google')

    for (const [proof, path] of [
      [{}, 'currentPassword'],
      [{ currentPassword: 'a wrong pass phrase' }, 'currentPassword'],
      [{ nonce: '123456' }, 'nonce'],
    ] as const)
      expect((await unlink(person.token, id, proof)).data).toMatchObject({
        unlinkIdentity: { errors: [{ code: 'REAUTHENTICATION_REQUIRED', path: ['input', path] }] },
      })
    expect(await providersOf(person.id)).toEqual(['password', 'google'])
    expect(codesOf(await unlink(person.token, id, { currentPassword: 'a long pass phrase' }), 'unlinkIdentity')).toEqual([])

    expectData(await harness.run('mutation { requestReauthentication { errors { code } } }', { token: person.token }))
    const { code } = await lastMailTo(harness.app, 'jane@example.com')
    expect(codesOf(await unlink(person.token, await idOf(person.id, 'password'), { nonce: code }), 'unlinkIdentity')).toEqual([])
    expect(await providersOf(person.id)).toEqual([])
  })

  test('cannot keep a session fresh by renewing it', async () => {
    const session = await aSession(harness, person.id)
    harness.clock.advance({ minutes: 6 })
    const { tokens } = await refresh(harness, session.refreshToken)

    expect(codesOf(await unlink(tokens?.accessToken ?? '', await idOf(person.id, 'google')), 'unlinkIdentity')).toEqual([
      'REAUTHENTICATION_REQUIRED',
    ])
  })

  test('may not force it', async () => {
    const { errors } = await unlink(person.token, await idOf(person.id, 'google'), { force: true })

    expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN', field: 'input.force' } }])
  })

  test('is told of somebody else’s identity what he is told of an unknown one', async () => {
    const other = await harness.aUser({})
    const id = await idOf(person.id, 'google')
    const answers = await Promise.all(['0190a5b2-0000-7000-8000-00000000beef', 'x', id].map((asked) => unlink(other.token, asked)))

    expect(answers.map(({ data }) => data)).toEqual(
      Array(3).fill({ unlinkIdentity: { user: null, sessionsEnded: 0, errors: [{ code: 'IDENTITY_NOT_FOUND', path: ['input', 'id'] }] } }),
    )
    expect(await providersOf(person.id)).toEqual(['password', 'google'])
  })
})
