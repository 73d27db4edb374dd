import { decodeJwt } from 'jose'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { hashOpaqueToken } from '../src/crypto/opaque-token.ts'
import { defaultBudgets } from '../src/domain/budget.ts'
import { reuseGraceSeconds } from '../src/domain/session/refresh-session.ts'
import { statements } from './database.ts'
import { boot, type Harness, type Person } from './harness.ts'
import { aSession, codesOf, historyOf, isTaken, refresh, refreshOperation } from './session-client.ts'

let harness: Harness
let person: Person

beforeAll(async () => {
  harness = await boot()
})
beforeEach(async () => {
  await harness.reset()
  person = await harness.aUser({ email: 'jane@example.com' })
})

const rows = () => harness.app.database.prisma.refreshToken.findMany({ orderBy: { createdAt: 'asc' } })
const sessionRow = (id: string) => harness.app.database.prisma.session.findUniqueOrThrow({ where: { id } })
const notValid = { user: null, tokens: null, errors: [{ code: 'TOKEN_NOT_VALID', path: ['input', 'refreshToken'] }] }
const expired = { user: null, tokens: null, errors: [{ code: 'TOKEN_EXPIRED', path: ['input', 'refreshToken'] }] }

describe('a refresh token', () => {
  test('C5.57: is traded for the next one and a new access token, of the same session', async () => {
    const { sessionId, refreshToken, accessToken } = await aSession(harness, person.id)
    harness.clock.advance({ minutes: 14 })

    const { user, tokens, errors } = await refresh(harness, refreshToken)

    expect([user, errors]).toEqual([{ id: person.id }, []])
    expect(tokens).toMatchObject({ tokenType: 'Bearer', expiresIn: 900 })
    expect(tokens?.refreshToken).not.toBe(refreshToken)
    expect(decodeJwt(tokens?.accessToken ?? '')).toMatchObject({ sub: person.id, sid: sessionId, scope: '', aal: 'aal1', amr: ['pwd'] })
    expect(decodeJwt(tokens?.accessToken ?? '').jti).not.toBe(decodeJwt(accessToken).jti)
    expect(await isTaken(harness, tokens?.accessToken ?? '')).toBe(true)
    expect(await historyOf(harness, person.id)).toEqual(['session.refreshed', 'user.created'])
  })

  test('C5.54: has 256 bits and is kept as its hash only', async () => {
    const { refreshToken } = await aSession(harness, person.id)
    const { tokens } = await refresh(harness, refreshToken)

    expect(Buffer.from(tokens?.refreshToken ?? '', 'base64url')).toHaveLength(32)
    const kept = (await rows()).map(({ tokenHash }) => Buffer.from(tokenHash).toString('hex'))
    expect(kept).toContain(hashOpaqueToken(tokens?.refreshToken ?? '').toString('hex'))
    expect(JSON.stringify(await harness.app.database.prisma.$queryRaw`select * from roster.refresh_tokens`)).not.toContain(refreshToken)
  })

  test('C5.55: is another one for each sign-in', async () => {
    const tokens = await Promise.all([1, 2, 3].map(() => aSession(harness, person.id)))

    expect(new Set(tokens.map(({ refreshToken }) => refreshToken)).size).toBe(3)
    expect(new Set(tokens.map(({ sessionId }) => sessionId)).size).toBe(3)
  })

  test('renews the time of the session’s last use, and leaves where the user signed in from', async () => {
    const { sessionId, refreshToken } = await aSession(harness, person.id, 'the browser of the sign-in')
    const before = await sessionRow(sessionId)
    harness.clock.advance({ minutes: 10 })
    await refresh(harness, refreshToken)

    const after = await sessionRow(sessionId)
    expect(after.lastUsedAt.getTime() - before.lastUsedAt.getTime()).toBeGreaterThanOrEqual(600_000)
    expect({ ...after, lastUsedAt: null }).toEqual({ ...before, lastUsedAt: null })
    const event = await harness.app.database.prisma.auditEvent.findFirstOrThrow({ where: { type: 'session.refreshed' } })
    expect(event).toMatchObject({ actorKind: 'USER', actorId: person.id, connection: 'password', ip: '127.0.0.1', success: true })
  })

  test('can be sent beside an access token of somebody else, and is still its owner’s', async () => {
    const { refreshToken } = await aSession(harness, person.id)
    const other = await harness.aUser({})

    const answer = await harness.run(refreshOperation, { token: other.token, variables: { input: { refreshToken } } })

    expect(answer.data?.['refreshSession']).toMatchObject({ user: { id: person.id }, errors: [] })
  })
})

describe('a second use', () => {
  test('C5.58: within 10 seconds answers the same next token, and a new access token', async () => {
    const { sessionId, refreshToken } = await aSession(harness, person.id)
    const first = await refresh(harness, refreshToken)
    harness.clock.advance({ seconds: reuseGraceSeconds - 1 })

    const second = await refresh(harness, refreshToken)

    expect(reuseGraceSeconds).toBeLessThanOrEqual(10)
    expect(second.tokens?.refreshToken).toBe(first.tokens?.refreshToken)
    expect(await isTaken(harness, second.tokens?.accessToken ?? '')).toBe(true)
    expect((await rows()).filter((row) => row.sessionId === sessionId)).toHaveLength(2)
    expect(await historyOf(harness, person.id)).toEqual(['session.refreshed', 'session.refreshed', 'user.created'])
  })

  test('C5.58: counts the 10 seconds from the first use, however often it is sent again', async () => {
    const { refreshToken } = await aSession(harness, person.id)
    await refresh(harness, refreshToken)
    harness.clock.advance({ seconds: reuseGraceSeconds - 1 })
    expect((await refresh(harness, refreshToken)).errors).toEqual([])
    harness.clock.advance({ seconds: 2 })

    expect(await refresh(harness, refreshToken)).toMatchObject(notValid)
  })

  test('C5.57: later ends the session and all its tokens, and writes what happened', async () => {
    const { sessionId, refreshToken } = await aSession(harness, person.id)
    const { tokens } = await refresh(harness, refreshToken)
    harness.clock.advance({ seconds: reuseGraceSeconds + 1 })

    expect(await refresh(harness, refreshToken)).toMatchObject(notValid)

    expect(await isTaken(harness, tokens?.accessToken ?? '')).toBe(false)
    expect(await refresh(harness, tokens?.refreshToken ?? '')).toMatchObject(notValid)
    expect(await historyOf(harness, person.id)).toEqual([
      'session.refreshFailed failed',
      'session.refreshReused failed',
      'session.refreshed',
      'user.created',
    ])
    const event = await harness.app.database.prisma.auditEvent.findFirstOrThrow({ where: { type: 'session.refreshReused' } })
    expect(event).toMatchObject({ actorKind: 'ANONYMOUS', connection: 'password', changes: [{ path: `/sessions/${sessionId}/revokedAt` }] })
  })

  test('C5.57: of a token from long ago is noticed as well, as long as the session lives', async () => {
    const { refreshToken, ...session } = await aSession(harness, person.id)
    let latest = refreshToken
    for (const _ of Array.from({ length: 5 })) {
      harness.clock.advance({ minutes: 60 * 24 })
      latest = (await refresh(harness, latest)).tokens?.refreshToken ?? ''
    }

    expect(await refresh(harness, refreshToken)).toMatchObject(notValid)
    expect((await sessionRow(session.sessionId)).revokedAt).not.toBeNull()
    expect(await refresh(harness, latest)).toMatchObject(notValid)
  })

  test('C5.57: within 10 seconds, when the next token was used already, ends the session: its answer had arrived', async () => {
    const { sessionId, refreshToken } = await aSession(harness, person.id)
    const first = await refresh(harness, refreshToken)
    const second = await refresh(harness, first.tokens?.refreshToken ?? '')

    expect(await refresh(harness, refreshToken)).toMatchObject(notValid)

    expect((await sessionRow(sessionId)).revokedAt).not.toBeNull()
    expect(await refresh(harness, second.tokens?.refreshToken ?? '')).toMatchObject(notValid)
    expect(await historyOf(harness, person.id)).toContain('session.refreshReused failed')
  })

  test('ends no other session of the user', async () => {
    const [one, other] = [await aSession(harness, person.id), await aSession(harness, person.id)]
    await refresh(harness, one.refreshToken)
    harness.clock.advance({ seconds: reuseGraceSeconds + 1 })
    await refresh(harness, one.refreshToken)

    expect((await refresh(harness, other.refreshToken)).errors).toEqual([])
  })
})

describe('a session', () => {
  test('C5.56: that was idle for too long cannot be renewed, and is told to have expired', async () => {
    const { refreshToken } = await aSession(harness, person.id)
    const { idleSeconds } = harness.app.authentication.sessionLifetime
    harness.clock.advance({ seconds: idleSeconds - 60 })
    const { tokens } = await refresh(harness, refreshToken)
    harness.clock.advance({ seconds: idleSeconds + 1 })

    expect(await refresh(harness, tokens?.refreshToken ?? '')).toMatchObject(expired)
    expect((await historyOf(harness, person.id))[0]).toBe('session.refreshFailed failed')
  })

  test('C5.56: ends at the latest after its absolute lifetime, however often it is renewed', async () => {
    let { refreshToken } = await aSession(harness, person.id)
    const { absoluteSeconds } = harness.app.authentication.sessionLifetime
    let accessToken = ''
    for (const _ of Array.from({ length: 3 })) {
      harness.clock.advance({ seconds: absoluteSeconds / 3 - 60 })
      const { tokens } = await refresh(harness, refreshToken)
      refreshToken = tokens?.refreshToken ?? ''
      accessToken = tokens?.accessToken ?? ''
    }
    expect(await isTaken(harness, accessToken)).toBe(true)
    harness.clock.advance({ seconds: 181 })

    expect(await refresh(harness, refreshToken)).toMatchObject(expired)
    expect(await isTaken(harness, accessToken)).toBe(false)
  })

  test.each([
    ['blocked', 'blockUser'],
    ['deleted', 'deleteUser'],
  ])('C5.60: of a user who is %s is over: no refresh token and no access token is taken', async (_state, mutation) => {
    const { refreshToken, accessToken } = await aSession(harness, person.id)
    await harness.admin(`mutation($id: ID!) { ${mutation}(input: { id: $id }) { errors { code } } }`, { id: person.id })

    expect(await refresh(harness, refreshToken)).toMatchObject(notValid)
    expect(await isTaken(harness, accessToken)).toBe(false)
  })

  test('C5.60: stays over when the block is lifted', async () => {
    const { refreshToken } = await aSession(harness, person.id)
    for (const mutation of ['blockUser', 'unblockUser'])
      await harness.admin(`mutation($id: ID!) { ${mutation}(input: { id: $id }) { errors { code } } }`, { id: person.id })

    expect(await refresh(harness, refreshToken)).toMatchObject(notValid)
  })
})

test('a session that stands is renewed by one statement, beside the one of the budget and the one that reads the user', async () => {
  const { refreshToken } = await aSession(harness, person.id)
  statements.length = 0
  await refresh(harness, refreshToken)

  expect(statements).toHaveLength(3)
})

test('a token that is unknown, ended, or of a blocked or deleted user gets the same answer', async () => {
  const [ended, blocked, deleted] = await Promise.all([1, 2, 3].map(() => harness.aUser({})))
  const tokens = await Promise.all([ended, blocked, deleted].map((user) => aSession(harness, user?.id ?? '')))
  await harness.run('mutation { signOut(input: {}) { errors { code } } }', { token: tokens[0]?.accessToken ?? null })
  await harness.admin('mutation($id: ID!) { blockUser(input: { id: $id }) { errors { code } } }', { id: blocked?.id })
  await harness.admin('mutation($id: ID!) { deleteUser(input: { id: $id, mode: HARD }) { errors { code } } }', { id: deleted?.id })

  const answers = await Promise.all(
    ['x'.repeat(43), ...tokens.map(({ refreshToken }) => refreshToken)].map((token) => refresh(harness, token)),
  )

  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
  expect(answers[0]).toMatchObject(notValid)
})

test.each([
  ['empty', ''],
  ['no base64url', '*'.repeat(43)],
  ['a NUL', '\u0000'.repeat(43)],
  ['a lone surrogate', '\ud800'],
  ['huge', 'x'.repeat(90_000)],
  ['a JWT', 'eyJhbGciOiJub25lIn0.e30.'],
  ['one character longer', 'x'.repeat(44)],
])('a token that is %s is not valid, and nothing worse', async (_name, refreshToken) => {
  const answer = await harness.run(refreshOperation, { variables: { input: { refreshToken } } })

  expect(answer.status).toBeLessThan(500)
  expect(['TOKEN_NOT_VALID', 'BAD_USER_INPUT']).toContain(codesOf(answer, 'refreshSession')[0])
})

test('the budget of a network counts unknown tokens too, and a spent one refuses before the token is looked at', async () => {
  const { attempts } = defaultBudgets['refresh.network']
  const { refreshToken } = await aSession(harness, person.id)
  await refresh(harness, 'x'.repeat(43))
  await harness.app.database.prisma.rateLimit.updateMany({ data: { count: attempts - 1 } })
  expect((await refresh(harness, 'x'.repeat(43))).errors).toMatchObject([{ code: 'TOKEN_NOT_VALID' }])

  const answer = await harness.run(refreshOperation, { variables: { input: { refreshToken } } })

  expect(answer.errors?.[0]?.extensions).toMatchObject({ code: 'RATE_LIMITED', retryAfterSeconds: expect.any(Number) })
  expect((await rows()).filter(({ usedAt }) => usedAt !== null)).toEqual([])
})
