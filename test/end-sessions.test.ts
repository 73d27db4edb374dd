import { SignJWT } from 'jose'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { boot, expectData, type Harness, type Person } from './harness.ts'
import { aSession, codesOf, historyOf, isTaken, refresh } from './session-client.ts'

type Session = Awaited<ReturnType<typeof aSession>>

let harness: Harness
let person: Person
let laptop: Session
let phone: Session

beforeAll(async () => {
  harness = await boot()
})
beforeEach(async () => {
  await harness.reset()
  person = await harness.aUser({ email: 'jane@example.com' })
  await harness.app.database.prisma.session.deleteMany()
  laptop = await aSession(harness, person.id)
  phone = await aSession(harness, person.id)
})

const absent = '0190a5b2-0000-7000-8000-00000000beef'
const standing = async () => [await isTaken(harness, laptop.accessToken), await isTaken(harness, phone.accessToken)]
const signOut = (token: string | null, scope: string) =>
  harness.run(`mutation { signOut(input: { ${scope} }) { sessionsEnded errors { code path } } }`, { token })
const revoke = (token: string | null, id: string) =>
  harness.run('mutation($id: ID!) { revokeSession(input: { id: $id }) { session { id current } errors { code path } } }', {
    token,
    variables: { id },
  })
const revokeAll = (token: string | null, input: Record<string, unknown>) =>
  harness.run(
    'mutation($input: RevokeSessionsInput!) { revokeSessions(input: $input) { user { id } sessionsEnded errors { code path } } }',
    { token, variables: { input } },
  )

describe('signOut', () => {
  test.each([
    ['GLOBAL, which is the default,', '', 2, [false, false]],
    ['GLOBAL', 'scope: GLOBAL', 2, [false, false]],
    ['LOCAL', 'scope: LOCAL', 1, [false, true]],
    ['OTHERS', 'scope: OTHERS', 1, [true, false]],
  ])('C5.59: %s ends those sessions at once, and no others', async (_name, scope, sessionsEnded, left) => {
    const { data, errors } = await signOut(laptop.accessToken, scope)

    expect([errors, data]).toEqual([undefined, { signOut: { sessionsEnded, errors: [] } }])
    expect(await standing()).toEqual(left)
    const refreshed = await Promise.all([laptop, phone].map(({ refreshToken }) => refresh(harness, refreshToken)))
    expect(refreshed.map(({ tokens }) => tokens !== null)).toEqual(left)
    expect(await historyOf(harness, person.id)).toContain('user.signedOut')
  })

  test('ends nobody else’s sessions', async () => {
    const other = await harness.aUser({})
    await signOut(laptop.accessToken, 'scope: GLOBAL')

    expect(await isTaken(harness, other.token)).toBe(true)
  })

  test('says in history which sessions it ended, and nothing when there were none', async () => {
    await signOut(laptop.accessToken, 'scope: OTHERS')
    expect((await signOut(laptop.accessToken, 'scope: OTHERS')).data).toEqual({ signOut: { sessionsEnded: 0, errors: [] } })

    const events = await harness.app.database.prisma.auditEvent.findMany({ where: { type: 'user.signedOut' } })
    expect(events).toMatchObject([
      { actorKind: 'USER', actorId: person.id, success: true, changes: [{ path: `/sessions/${phone.sessionId}/revokedAt`, before: null }] },
    ])
  })

  test('also ends sessions that ran out by themselves, without counting them', async () => {
    harness.clock.advance({ seconds: harness.app.authentication.sessionLifetime.idleSeconds + 1 })
    const fresh = await aSession(harness, person.id)

    expect((await signOut(fresh.accessToken, '')).data).toEqual({ signOut: { sessionsEnded: 1, errors: [] } })
    expect(await harness.app.database.prisma.session.count({ where: { revokedAt: null } })).toBe(0)
  })

  test('is for users: a request without a token and an admin token are refused', async () => {
    expect(codesOf(await signOut(null, ''), 'signOut')).toEqual(['UNAUTHENTICATED'])
    expect(codesOf(await signOut(await harness.adminToken('admin'), ''), 'signOut')).toEqual(['FORBIDDEN'])
    expect(await standing()).toEqual([true, true])
  })
})

test('signOut with a token of another issuer ends the sessions at Roster with GLOBAL, and knows neither this one nor the others', async () => {
  const [issuer, audience, secret] = ['https://acme.example/', 'roster', 'a shared secret of 32 bytes or more']
  const trusted = { issuer, audience, secret, provider: 'acme', scopes: [], createUsers: true }
  const trusting = await boot({ TRUSTED_ISSUERS: JSON.stringify([trusted]) })
  const claims = new SignJWT({ iss: issuer, aud: audience, sub: 'acme|1' }).setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
  const token = await claims.setIssuedAt().setExpirationTime('5m').sign(Buffer.from(secret))
  const me = expectData(await trusting.run('{ me { id } }', { token }))['me'] as { id: string }
  const session = await aSession(trusting, me.id)
  const ask = (scope: string) =>
    trusting.run(`mutation { signOut(input: { scope: ${scope} }) { sessionsEnded errors { code path } } }`, { token })

  for (const scope of ['LOCAL', 'OTHERS'])
    expect((await ask(scope)).data).toEqual({
      signOut: { sessionsEnded: 0, errors: [{ code: 'SESSION_NOT_FOUND', path: ['input', 'scope'] }] },
    })
  expect(await isTaken(trusting, session.accessToken)).toBe(true)
  expect((await ask('GLOBAL')).data).toEqual({ signOut: { sessionsEnded: 1, errors: [] } })
  expect(await isTaken(trusting, session.accessToken)).toBe(false)
  expect(await isTaken(trusting, token)).toBe(true)
})

describe('revokeSession', () => {
  test('C5.63: ends one of the user’s own sessions', async () => {
    const { data } = await revoke(laptop.accessToken, phone.sessionId)

    expect(data).toEqual({ revokeSession: { session: { id: phone.sessionId, current: false }, errors: [] } })
    expect(await standing()).toEqual([true, false])
    expect((await historyOf(harness, person.id))[0]).toBe('session.revoked')
  })

  test('C5.63: ends the very session it is called in, and still answers it', async () => {
    const { data } = await revoke(laptop.accessToken, laptop.sessionId.toUpperCase())

    expect(data).toEqual({ revokeSession: { session: { id: laptop.sessionId, current: true }, errors: [] } })
    expect(await standing()).toEqual([false, true])
  })

  test('C5.62: ends anybody’s session with delete:sessions', async () => {
    const token = await harness.adminToken('delete:sessions', 'read:sessions')

    expect(codesOf(await revoke(token, phone.sessionId), 'revokeSession')).toEqual([])
    expect(await standing()).toEqual([true, false])
  })

  test('C5.67: tells a user of somebody else’s session what it tells of an unknown one', async () => {
    const other = await harness.aUser({})
    const [foreign, unknown, malformed] = [
      await revoke(other.token, laptop.sessionId),
      await revoke(other.token, absent),
      await revoke(other.token, 'x'),
    ]

    expect(foreign.data).toEqual({ revokeSession: { session: null, errors: [{ code: 'SESSION_NOT_FOUND', path: ['input', 'id'] }] } })
    expect([unknown.data, malformed.data]).toEqual([foreign.data, foreign.data])
    expect(await standing()).toEqual([true, true])
  })

  test('finds no session that was ended or has run out', async () => {
    await revoke(laptop.accessToken, phone.sessionId)
    expect(codesOf(await revoke(laptop.accessToken, phone.sessionId), 'revokeSession')).toEqual(['SESSION_NOT_FOUND'])
    harness.clock.advance({ seconds: harness.app.authentication.sessionLifetime.idleSeconds + 1 })
    const token = await harness.adminToken('delete:sessions')

    expect(codesOf(await revoke(token, laptop.sessionId), 'revokeSession')).toEqual(['SESSION_NOT_FOUND'])
  })

  test('is refused to an admin token without the scope', async () => {
    const token = await harness.adminToken('read:sessions')

    expect(codesOf(await revoke(token, phone.sessionId), 'revokeSession')).toEqual(['FORBIDDEN'])
  })
})

describe('revokeSessions', () => {
  test('C5.62: ends all of a user’s sessions with delete:sessions', async () => {
    const token = await harness.adminToken('delete:sessions')

    const { data } = await revokeAll(token, { userId: person.id })

    expect(data).toEqual({ revokeSessions: { user: { id: person.id }, sessionsEnded: 2, errors: [] } })
    expect(await standing()).toEqual([false, false])
    expect((await historyOf(harness, person.id))[0]).toBe('session.revoked')
  })

  test('C5.63: ends the user’s own sessions, but for those that are excepted', async () => {
    const { data } = await revokeAll(laptop.accessToken, { userId: person.id.toUpperCase(), exceptSessionIds: [laptop.sessionId, absent] })

    expect(data).toEqual({ revokeSessions: { user: { id: person.id }, sessionsEnded: 1, errors: [] } })
    expect(await standing()).toEqual([true, false])
  })

  test('of another user is forbidden, whether there is one or not', async () => {
    const other = await harness.aUser({})
    const answers = [await revokeAll(other.token, { userId: person.id }), await revokeAll(other.token, { userId: absent })]

    expect(answers.map((answer) => codesOf(answer, 'revokeSessions'))).toEqual([['FORBIDDEN'], ['FORBIDDEN']])
    expect(await standing()).toEqual([true, true])
  })

  test.each([
    ['an unknown user', { userId: absent }, { code: 'USER_NOT_FOUND', path: ['input', 'userId'] }],
    ['no id at all', { userId: 'x' }, { code: 'USER_NOT_FOUND', path: ['input', 'userId'] }],
    [
      'an exception that is no id',
      { userId: absent, exceptSessionIds: [absent, 'x'] },
      { code: 'INVALID_INPUT', path: ['input', 'exceptSessionIds', '1'] },
    ],
    [
      'more exceptions than a person has devices',
      { userId: absent, exceptSessionIds: Array(101).fill(absent) },
      { code: 'INVALID_INPUT', path: ['input', 'exceptSessionIds'] },
    ],
  ])('of %s is answered with its path', async (_name, input, error) => {
    const { data } = await revokeAll(await harness.adminToken('delete:sessions'), input)

    expect(data).toEqual({ revokeSessions: { user: null, sessionsEnded: 0, errors: [error] } })
  })
})

test('C5.61: a changed password ends the other sessions, and their refresh tokens', async () => {
  await harness.admin('mutation($id: ID!) { updateUser(input: { id: $id, password: "a long enough password" }) { errors { code } } }', {
    id: person.id,
  })

  expect(await standing()).toEqual([false, false])
  expect((await refresh(harness, phone.refreshToken)).errors).toMatchObject([{ code: 'TOKEN_NOT_VALID' }])
})

test('C5.66: a user may have any number of sessions at once', async () => {
  const more = await Promise.all(Array.from({ length: 60 }, () => aSession(harness, person.id)))

  const { data } = await harness.run('{ me { sessions(first: 250) { totalCount } } }', { token: laptop.accessToken })
  expect(data).toEqual({ me: { sessions: { totalCount: 62 } } })
  expect((await revokeAll(laptop.accessToken, { userId: person.id })).data).toMatchObject({ revokeSessions: { sessionsEnded: 62 } })
  expect(await isTaken(harness, more[59]?.accessToken ?? '')).toBe(false)
})
