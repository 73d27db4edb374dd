import { beforeEach, describe, expect, test } from 'vitest'
import { openPostgres } from '../src/database/postgres.ts'
import { createAuthenticator } from '../src/domain/authenticate.ts'
import { endSessions } from '../src/domain/session.ts'
import { createLogger } from '../src/ports/logger.ts'
import { blocked, callersOn, expired, notUnderstood, refusal, revoked } from './callers.ts'
import { emptyDatabase, statements, testDatabase } from './database.ts'

const database = await testDatabase()

beforeEach(() => emptyDatabase(database))

test('nobody calls without a token', async () => {
  const { authenticate } = await callersOn(database)

  expect(await authenticate(null)).toMatchObject({ kind: 'anonymous', userId: null, scopes: new Set() })
})

test('what is no token of ours is refused, never taken for nobody', async () => {
  const callers = await callersOn(database)

  for (const token of ['', 'null', 'undefined', 'a.b.c', 'eyJhbGciOiJub25lIn0.e30.'])
    expect(await refusal(callers, token)).toBe(notUnderstood)
})

describe('a user', () => {
  test('calls in a session, with the scopes of the token', async () => {
    const { authenticate, aUser, signIn } = await callersOn(database)
    const userId = await aUser()
    const { accessToken, sessionId } = await signIn(userId, ['read:users'])

    expect(await authenticate(accessToken)).toEqual({
      kind: 'user',
      userId,
      sessionId,
      tokenId: null,
      aal: 'aal1',
      scopes: new Set(['read:users']),
    })
  })

  test('is refused at the next request after sign-out, in that session only (C5 59)', async () => {
    const callers = await callersOn(database)
    const userId = await callers.aUser()
    const [here, elsewhere] = [await callers.signIn(userId), await callers.signIn(userId)]

    await endSessions({ db: callers.db, now: callers.clock.now() }, userId, { except: here.sessionId })

    expect(await refusal(callers, elsewhere.accessToken)).toBe(revoked)
    expect(await refusal(callers, here.accessToken)).toBe('accepted')
  })

  test('is refused at the next request when the session is gone, or was another user’s', async () => {
    const callers = await callersOn(database)
    const [gone, moved] = [await callers.signIn(await callers.aUser()), await callers.signIn(await callers.aUser())]

    await callers.db.session.delete({ where: { id: gone.sessionId } })
    await callers.db.session.update({ where: { id: moved.sessionId }, data: { userId: await callers.aUser() } })

    expect(await refusal(callers, gone.accessToken)).toBe(revoked)
    expect(await refusal(callers, moved.accessToken)).toBe(revoked)
  })

  test('is refused when the session has run out, though the token has not', async () => {
    const callers = await callersOn(database)
    const { accessToken, sessionId } = await callers.signIn(await callers.aUser())

    await callers.db.session.update({ where: { id: sessionId }, data: { expiresAt: callers.clock.now() } })

    expect(await refusal(callers, accessToken)).toBe(expired)
  })

  test('is refused when the token has run out, though the session has not (C4 50)', async () => {
    const callers = await callersOn(database)
    const { accessToken } = await callers.signIn(await callers.aUser())

    callers.clock.advance(900 + 31)

    expect(await refusal(callers, accessToken)).toBe(expired)
  })

  test('who is blocked is refused at the next request, and again let in when the block has run out', async () => {
    const callers = await callersOn(database)
    const userId = await callers.aUser()
    const { accessToken } = await callers.signIn(userId)
    const now = callers.clock.now()

    await callers.db.user.update({ where: { id: userId }, data: { blockedAt: now } })
    expect(await refusal(callers, accessToken)).toBe(blocked)

    await callers.db.user.update({ where: { id: userId }, data: { blockedUntil: new Date(now.getTime() + 60_000) } })
    expect(await refusal(callers, accessToken)).toBe(blocked)

    callers.clock.advance(61)
    expect(await refusal(callers, accessToken)).toBe('accepted')
  })

  test.each(['deletedAt', 'anonymizedAt'])('with %s set is refused at the next request', async (column) => {
    const callers = await callersOn(database)
    const userId = await callers.aUser()
    const { accessToken } = await callers.signIn(userId)

    await callers.db.user.update({ where: { id: userId }, data: { [column]: callers.clock.now() } })

    expect(await refusal(callers, accessToken)).toBe(revoked)
  })

  test('whose row is gone is refused at the next request', async () => {
    const callers = await callersOn(database)
    const userId = await callers.aUser()
    const { accessToken } = await callers.signIn(userId)

    await callers.db.user.delete({ where: { id: userId } })

    expect(await refusal(callers, accessToken)).toBe(revoked)
  })
})

test('a token of one Roster is refused at another, whose key it was not signed with', async () => {
  const callers = await callersOn(database)
  const { accessToken } = await callers.signIn(await callers.aUser())
  await emptyDatabase(database)

  expect(await refusal(await callersOn(database), accessToken)).toBe(notUnderstood)
})

test('each request costs one statement, whoever calls', async () => {
  const { authenticate, authenticator, aUser, signIn, anAdminToken } = await callersOn(database)
  const [{ accessToken }, { token }] = [await signIn(await aUser()), await anAdminToken(['read:users'])]
  await authenticate(token)
  await authenticator.settled()
  statements.length = 0

  await authenticate(accessToken)
  expect(statements).toHaveLength(1)
  await authenticate(token)
  expect(statements).toHaveLength(2)
})

test('requests that come together share a statement, and each gets the answer for its own session', async () => {
  const callers = await callersOn(database)
  const [here, ended, stolen] = [await callers.aUser(), await callers.aUser(), await callers.aUser()]
  const sessions = [await callers.signIn(here), await callers.signIn(ended), await callers.signIn(stolen)] as const
  await endSessions({ db: callers.db, now: callers.clock.now() }, ended)
  await callers.db.session.update({ where: { id: sessions[2].sessionId }, data: { userId: here } })
  for (const { accessToken } of sessions) await refusal(callers, accessToken)
  statements.length = 0

  expect(await Promise.all(sessions.map(({ accessToken }) => refusal(callers, accessToken)))).toEqual(['accepted', revoked, revoked])
  expect(statements).toHaveLength(1)
})

test('a request that comes while another one is looked up does not get its answer', async () => {
  const callers = await callersOn(database)
  const userId = await callers.aUser()
  const { accessToken } = await callers.signIn(userId)
  const before = refusal(callers, accessToken)
  await endSessions({ db: callers.db, now: callers.clock.now() }, userId)

  expect(await refusal(callers, accessToken)).toBe(revoked)
  await before
})

test('a token that was verified before is refused when it has expired', async () => {
  const callers = await callersOn(database)
  const { accessToken } = await callers.signIn(await callers.aUser())
  expect(await refusal(callers, accessToken)).toBe('accepted')

  callers.clock.advance(3600)

  expect(await refusal(callers, accessToken)).toBe(expired)
})

test('a token that was verified before is refused when its key is dropped (C4.53)', async () => {
  const callers = await callersOn(database)
  const { accessToken } = await callers.signIn(await callers.aUser())
  expect(await refusal(callers, accessToken)).toBe('accepted')

  await callers.db.signingKey.deleteMany()
  await callers.signingKeys.refresh()

  expect(await refusal(callers, accessToken)).toBe(notUnderstood)
})

test('a database that does not answer is SERVICE_UNAVAILABLE, and says nothing about the token', async () => {
  const { aUser, signIn, accessTokens, clock } = await callersOn(database)
  const { accessToken } = await signIn(await aUser())
  const logger = createLogger('silent')
  const nowhere = openPostgres('postgresql://127.0.0.1:1/none', {
    databaseUrl: '',
    dataDir: '',
    poolSize: 1,
    statementTimeoutMs: 1000,
    logger,
  })
  const authenticator = createAuthenticator({ accessTokens, trustedIssuers: [], database: nowhere, clock, logger })

  expect(await refusal(authenticator, accessToken)).toBe('SERVICE_UNAVAILABLE The service is not available now. Try again later.')
  await nowhere.close()
})
