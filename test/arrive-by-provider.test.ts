import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ConnectionSettings } from '../src/domain/connection/connection-settings.ts'
import type { Claims } from '../src/domain/federation/adapters.ts'
import type { ProviderConnection } from '../src/domain/federation/provider-connection.ts'
import { eachSource } from '../src/domain/profile-source.ts'
import { arrivalsOn } from './arrivals.ts'
import { boot, type Harness } from './harness.ts'

let harness: Harness
let people: ReturnType<typeof arrivalsOn>
let connection: ProviderConnection

beforeAll(async () => {
  harness = await boot()
  people = arrivalsOn(harness)
})
beforeEach(async () => {
  await harness.reset()
})

const jane = { sub: '1', email: 'jane@example.com', email_verified: true, name: 'Jane Smith', given_name: 'Jane', nickname: 'J' }
const uuid = /^[0-9a-f-]{36}$/
const db = () => harness.app.database.prisma
const user = (id: string) =>
  db().user.findUniqueOrThrow({
    where: { id },
    include: { profile: true, identities: true, profileSources: true, passwordCredential: true, sessions: true },
  })
const events = async (userId: string) =>
  (await db().auditEvent.findMany({ where: { userId }, orderBy: { id: 'asc' } })).map(
    ({ type, connection: by, success }) => `${type} ${by} ${success}`,
  )
const sources = async (userId: string) =>
  Object.fromEntries(
    eachSource((await user(userId)).profileSources).map(({ attribute, origin, identityId }) => [
      attribute,
      identityId === null ? origin : `${origin} ${identityId}`,
    ]),
  )

async function arriveAt(settings: ConnectionSettings, claims: Claims = jane): Promise<string> {
  connection = await people.aConnection(settings)
  return people.arrive(connection, claims)
}

describe('somebody new', () => {
  test('becomes a user with the verified address, the profile, one identity and a session, in one event', async () => {
    const id = await arriveAt({})

    const row = await user(id)
    const [identity] = row.identities
    expect(row).toMatchObject({
      email: 'jane@example.com',
      emailVerified: true,
      signInCount: 1,
      lastSignInIp: '192.0.2.7',
      nameNormal: 'jane smith',
    })
    expect(row.profile).toMatchObject({ name: 'Jane Smith', givenName: 'Jane', nickname: 'J' })
    expect(row.identities).toMatchObject([
      { provider: 'acme', providerUserId: '1', email: 'jane@example.com', emailVerified: true, claims: jane },
    ])
    expect(identity?.lastSignInAt).not.toBeNull()
    expect(await sources(id)).toEqual({
      name: `IDENTITY ${identity?.id}`,
      givenName: `IDENTITY ${identity?.id}`,
      nickname: `IDENTITY ${identity?.id}`,
    })
    expect(row.sessions).toMatchObject([{ connection: 'acme', amr: ['fed'], aal: 'aal1' }])
    expect(await events(id)).toEqual(['user.signedUp acme true'])
    expect(await db().auditEvent.findFirst({ where: { userId: id } })).toMatchObject({
      actorKind: 'USER',
      actorId: id,
      requestId: 'request',
    })
  })

  test('brings nothing into the metadata', async () => {
    const id = await arriveAt({}, { ...jane, appMetadata: { role: 'admin' }, app_metadata: { role: 'admin' }, user_metadata: { a: 1 } })

    expect(await user(id)).toMatchObject({ appMetadata: {}, userMetadata: {} })
  })

  test.each([false, null, undefined, 'true'])('has no address of his own when the provider says %j of it', async (email_verified) => {
    const id = await arriveAt({ linkByVerifiedEmail: true }, { ...jane, email_verified })

    expect(await user(id)).toMatchObject({
      email: null,
      emailVerified: false,
      identities: [{ email: 'jane@example.com', emailVerified: false }],
    })
  })

  test('does not become the user who has the address already, verified or not (C4.49, C7.83)', async () => {
    const { id: other } = await harness.aUser({ email: 'Jane@Example.com', emailVerified: true })
    const id = await arriveAt({})

    expect(id).not.toBe(other)
    expect(await user(id)).toMatchObject({ email: null, identities: [{ email: 'jane@example.com', emailVerified: true }] })
    expect(await user(other)).toMatchObject({ email: 'Jane@Example.com', identities: [] })
  })

  test('is nobody where the connection, or Roster, lets nobody sign up', async () => {
    expect(await arriveAt({ allowSignUp: false })).toBe('SIGN_UP_DISABLED')
    expect([await db().user.count(), await db().identity.count(), await db().session.count()]).toEqual([0, 0, 0])
  })
})

test('where nobody signs up, whoever is new is nobody, and who is known is let in', async () => {
  const closed = await boot({ SIGN_UP: 'false' })
  const there = arrivalsOn(closed)
  const by = await there.aConnection({ linkByVerifiedEmail: true })
  const { id } = await closed.aUser({ email: 'jane@example.com', emailVerified: true })

  expect(await there.arrive(by, { ...jane, sub: '2', email: 'new@example.com' })).toBe('SIGN_UP_DISABLED')
  expect(await there.arrive(by, jane)).toBe(id)
  expect(await db().user.count()).toBe(1)
})

describe('somebody who has been here', () => {
  test('is found by connection and subject, whatever the address is by now', async () => {
    const id = await arriveAt({ linkByVerifiedEmail: true })
    const { id: other } = await harness.aUser({ email: 'new@example.com', emailVerified: true })

    expect(await people.arrive(connection, { ...jane, email: 'new@example.com' })).toBe(id)
    expect(await user(id)).toMatchObject({ email: 'jane@example.com', signInCount: 2, identities: [{ email: 'new@example.com' }] })
    expect((await user(other)).identities).toEqual([])
  })

  test('leaves an event each time, with what the provider says anew', async () => {
    const id = await arriveAt({})
    const { version } = await user(id)
    await people.arrive(connection, { ...jane, iat: 1, nonce: 'x' })
    expect((await user(id)).version).toBe(version)
    await people.arrive(connection, { ...jane, hd: 'example.com' })

    expect(await events(id)).toEqual(['user.signedUp acme true', 'user.signedIn acme true', 'user.signedIn acme true'])
    const [, second, third] = await db().auditEvent.findMany({ where: { userId: id }, orderBy: { id: 'asc' } })
    expect(second?.changes).toEqual([])
    expect(third?.changes).toEqual([{ path: expect.stringMatching(/^\/identities\/.*\/claims\/hd$/), before: null, after: 'example.com' }])
    expect((await user(id)).version).toBe(version + 1)
  })

  test('is somebody else by another connection', async () => {
    const id = await arriveAt({})
    const other = await people.aConnection({}, 'other')

    expect(await people.arrive(other, jane)).toMatch(uuid)
    expect(await people.arrive(other, jane)).not.toBe(id)
  })

  test('is let in where nobody signs up', async () => {
    const id = await arriveAt({})
    await db().connection.updateMany({ data: { allowSignUp: false } })

    expect(await people.arrive(connection, jane)).toBe(id)
  })

  test('is refused while blocked and when deleted, which history tells', async () => {
    const id = await arriveAt({})
    await db().user.update({ where: { id }, data: { blockedAt: new Date() } })
    expect(await people.arrive(connection, jane)).toBe('INVALID_CREDENTIALS')
    await db().user.update({ where: { id }, data: { blockedAt: null, deletedAt: new Date() } })
    expect(await people.arrive(connection, jane)).toBe('INVALID_CREDENTIALS')

    expect(await events(id)).toEqual(['user.signedUp acme true', 'user.signInFailed acme false', 'user.signInFailed acme false'])
    expect((await user(id)).sessions).toHaveLength(1)
    await db().user.update({ where: { id }, data: { deletedAt: null, blockedAt: new Date(), blockedUntil: new Date(0) } })
    expect(await people.arrive(connection, jane)).toBe(id)
  })

  test('is refused when the connection was disabled or deleted meanwhile', async () => {
    await arriveAt({})
    await db().connection.updateMany({ data: { enabled: false } })
    expect(await people.arrive(connection, jane)).toBe('CONNECTION_NOT_FOUND')
    await db().connection.deleteMany()
    await people.aConnection({})
    expect(await people.arrive(connection, jane)).toBe('CONNECTION_NOT_FOUND')
  })
})

describe('a connection that links by verified address', () => {
  test('links the user who has verified it, and keeps his password and sessions', async () => {
    const { id } = await harness.aUser({ email: 'jane@example.com', emailVerified: true, password: 'a long passphrase' })

    expect(await arriveAt({ linkByVerifiedEmail: true })).toBe(id)
    const row = await user(id)
    expect(row.passwordCredential).not.toBeNull()
    expect(row.sessions.map(({ revokedAt }) => revokedAt)).toEqual([null, null])
    expect(row.identities.map(({ provider }) => provider).sort()).toEqual(['acme', 'password'])
    expect((await events(id)).at(-1)).toBe('identity.linked acme true')
  })

  test('takes an account that was registered beforehand from whoever did, for the owner of the address', async () => {
    const { id } = await harness.aUser({ email: 'jane@example.com', password: 'a long passphrase' })
    await harness.admin('mutation($email: String!) { generateLink(input: { type: RECOVERY, email: $email }) { errors { code } } }', {
      email: 'jane@example.com',
    })
    expect(await db().oneTimeToken.count()).toBe(1)

    expect(await arriveAt({ linkByVerifiedEmail: true })).toBe(id)
    const row = await user(id)
    expect(row).toMatchObject({ emailVerified: true, passwordCredential: null })
    expect(row.identities.map(({ provider }) => provider)).toEqual(['acme'])
    expect(row.sessions.filter(({ revokedAt }) => revokedAt === null).map(({ connection: by }) => by)).toEqual(['acme'])
    expect(await db().oneTimeToken.count()).toBe(0)
    const event = await db().auditEvent.findFirstOrThrow({ where: { userId: id, type: 'identity.linked' } })
    expect(event.changes).toContainEqual({ path: '/emailVerified', before: false, after: true })
    expect(event.changes).toContainEqual({ path: '/passwordChangedAt', before: expect.any(String), after: null })
  })

  test('does not, if somebody has shown by another provider that the account is his', async () => {
    const id = await arriveAt({}, { sub: '9' })
    await db().user.update({ where: { id }, data: { email: 'jane@example.com', emailNormal: 'jane@example.com' } })
    const linking = await people.aConnection({ linkByVerifiedEmail: true }, 'linking')

    expect(await people.arrive(linking, jane)).not.toBe(id)
    expect((await user(id)).identities).toHaveLength(1)
  })

  test('links nobody by an address that the provider has not verified', async () => {
    const { id } = await harness.aUser({ email: 'jane@example.com', emailVerified: true })

    for (const [sub, email_verified] of [
      ['2', false],
      ['3', null],
      ['4', 'true'],
      ['5', undefined],
    ] as const) {
      if (sub === '2') connection = await people.aConnection({ linkByVerifiedEmail: true })
      expect(await people.arrive(connection, { ...jane, sub, email_verified })).not.toBe(id)
    }
  })

  test('lets nobody in by the address of a user who is blocked or deleted', async () => {
    const { id } = await harness.aUser({ email: 'jane@example.com', emailVerified: true })
    await db().user.update({ where: { id }, data: { blockedAt: new Date() } })

    expect(await arriveAt({ linkByVerifiedEmail: true })).toBe('INVALID_CREDENTIALS')
    await db().user.update({ where: { id }, data: { blockedAt: null, deletedAt: new Date() } })
    expect(await people.arrive(connection, jane)).toBe('INVALID_CREDENTIALS')
    expect(await db().user.count()).toBe(1)
  })

  test('of two that vouch for one address for different people, each keeps who has it', async () => {
    const id = await arriveAt({ linkByVerifiedEmail: true }, { ...jane, email: undefined })
    const other = await people.aConnection({ linkByVerifiedEmail: true }, 'other')
    const owner = await people.arrive(other, { ...jane, sub: 'x' })

    expect(await people.arrive(connection, jane)).toBe(id)
    expect(await people.arrive(other, { ...jane, sub: 'x' })).toBe(owner)
    expect(owner).not.toBe(id)
    expect(await user(id)).toMatchObject({ email: null, identities: [{ email: 'jane@example.com', emailVerified: true }] })
    expect(await user(owner)).toMatchObject({ email: 'jane@example.com', identities: [{ provider: 'other' }] })
  })

  test('of two that vouch for one address, the second finds the user of the first', async () => {
    const id = await arriveAt({ linkByVerifiedEmail: true })
    const other = await people.aConnection({ linkByVerifiedEmail: true }, 'other')

    expect(await people.arrive(other, { ...jane, sub: 'x' })).toBe(id)
  })
})

describe('the profile', () => {
  const says = { ...jane, name: 'Jane Doe', family_name: 'Doe', locale: 'de' }
  const edit = async (id: string) => {
    const token = await harness.signIn(id)
    await harness.run('mutation { updateUser(input: { profile: { name: "Mine", nickname: null } }) { errors { code } } }', { token })
  }

  test.each([
    ['ON_FIRST_SIGN_IN', { name: 'Mine', nickname: 'J', familyName: 'Doe', locale: 'de' }, 'USER'],
    ['ON_EACH_SIGN_IN', { name: 'Jane Doe', nickname: 'J', familyName: 'Doe', locale: 'de' }, 'IDENTITY'],
  ] as const)('with %s is filled, and what was edited is %o', async (profileSync, expected, origin) => {
    const id = await arriveAt({ profileSync })
    await edit(id)

    await people.arrive(connection, says)
    const row = await user(id)
    expect(row.profile).toMatchObject(expected)
    expect((await sources(id))['name']).toBe(origin === 'USER' ? 'USER' : `IDENTITY ${row.identities[0]?.id}`)
    expect(row.nameNormal).toBe(expected.name.toLowerCase())
  })

  test('with NEVER is left alone, from the first sign-in on', async () => {
    const id = await arriveAt({ profileSync: 'NEVER' })
    await people.arrive(connection, says)

    expect((await user(id)).profile).toMatchObject({ name: null, givenName: null, familyName: null, locale: null })
    expect((await user(id)).identities).toMatchObject([{ claims: says }])
  })

  test('stays where the provider says nothing any more', async () => {
    const id = await arriveAt({ profileSync: 'ON_EACH_SIGN_IN' })
    await people.arrive(connection, { sub: '1' })

    expect((await user(id)).profile).toMatchObject({ name: 'Jane Smith', givenName: 'Jane' })
    expect((await user(id)).identities).toMatchObject([{ email: null, emailVerified: false, claims: { sub: '1' } }])
  })
})
