import { decodeJwt } from 'jose'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { systemScope } from '../src/app.ts'
import type { AuthenticationScope } from '../src/domain/authentication.ts'
import { refreshSession, reuseGraceSeconds } from '../src/domain/session/refresh-session.ts'
import { startSession } from '../src/domain/session.ts'
import { movableClock } from './callers.ts'
import { postgresOnly } from './database.ts'
import { boot, type Harness } from './harness.ts'
import { aSession, refresh } from './session-client.ts'

let harness: Harness

beforeAll(async () => {
  harness = await boot()
})

const database = () => harness.app.database
const past = (seconds: number) => ({ blockedAt: new Date(0), blockedUntil: new Date(seconds) })

/** A session of a user, and what brings its token. */
type Case = Readonly<{
  token: string
  bring: (token: string) => ReturnType<typeof refreshSession>
  wait: (seconds: number) => void
  setSession: (data: object) => Promise<unknown>
  setUser: (data: object) => Promise<unknown>
}>

/** What was before the token is brought. */
const states: Record<string, (it: Case) => unknown> = {
  'a session that stands': () => {},
  'a token that was used just now': ({ bring, token }) => bring(token),
  'a token that was used long before': async ({ bring, token, wait }) => {
    await bring(token)
    wait(reuseGraceSeconds + 1)
  },
  'a token whose successor was used': async ({ bring, token }) => bring((await bring(token)).tokens.refreshToken),
  'a session that is idle': ({ setSession }) => setSession({ lastUsedAt: new Date(0) }),
  'a session that has come to its end': ({ setSession }) => setSession({ expiresAt: new Date(0) }),
  'a session that was ended': ({ setSession }) => setSession({ revokedAt: new Date(0) }),
  'a user who is blocked': ({ setUser }) => setUser({ blockedAt: new Date(0) }),
  'a user whose block has run out': ({ setUser }) => setUser(past(1)),
  'a user who is deleted': ({ setUser }) => setUser({ deletedAt: new Date(0) }),
  'a user who was made anonymous': ({ setUser }) => setUser({ anonymizedAt: new Date(0) }),
}

/** What is answered and what is in the database then, with names for what is random. `execute`: how one statement is run. */
async function outcomeOf(state: string, execute: AuthenticationScope['execute']): Promise<unknown> {
  await harness.reset()
  const { prisma } = database()
  const clock = movableClock()
  const scope = { ...systemScope(harness.app), ...harness.app.authentication, clock }
  const { id } = await harness.aUser({})
  await prisma.session.deleteMany()
  const input = { userId: id, connection: 'acme', aal: 'aal2', amr: ['pwd', 'otp'], ip: null, userAgent: null }
  const { sessionId, refreshToken } = await startSession(scope, harness.app.authentication, input)
  await states[state]?.({
    token: refreshToken,
    bring: (token) => refreshSession(scope, { refreshToken: token }),
    wait: clock.advance,
    setSession: (data) => prisma.session.update({ where: { id: sessionId }, data }),
    setUser: (data) => prisma.user.update({ where: { id }, data }),
  })
  clock.advance(1)

  const answer = await refreshSession({ ...scope, execute }, { refreshToken }).then(
    ({ userId, tokens }) => ({ userId, claims: { ...decodeJwt(tokens.accessToken), jti: null }, expiresAt: tokens.expiresAt }),
    ({ code, path, message }) => ({ code, path, message }),
  )

  const events = await prisma.auditEvent.findMany({
    where: { type: { startsWith: 'session.' } },
    omit: { id: true },
    orderBy: { id: 'asc' },
  })
  const tokens = await prisma.refreshToken.findMany({ omit: { tokenHash: true }, orderBy: [{ createdAt: 'asc' }, { usedAt: 'asc' }] })
  const outcome = { answer, events, tokens, sessions: await prisma.session.findMany() }
  return JSON.parse(JSON.stringify(outcome).replaceAll(id, 'the user').replaceAll(sessionId, 'the session'))
}

describe('one statement and a change of more steps come to the same, with', () => {
  test.each(Object.keys(states))('%s', async (state) => {
    const one = await outcomeOf(state, database().execute)
    const more = await outcomeOf(state, async () => [])

    expect(one).toEqual(more)
  })
})

/** What somebody else does to the row that a renewal waits for, and what becomes of the renewal. */
const meanwhile = [
  ['users', 'blocked_at = now()', ['TOKEN_NOT_VALID']],
  ['sessions', 'revoked_at = now()', ['TOKEN_NOT_VALID']],
  ['sessions', "last_used_at = 'epoch'", ['TOKEN_EXPIRED']],
  ['sessions', 'last_used_at = now()', []],
] as const

for (const [table, change, codes] of meanwhile)
  postgresOnly(`C5.59, C5.60: a renewal that has waited for ${table} goes on from what it finds then: ${change}`, async () => {
    await harness.reset()
    const { prisma } = database()
    const { id } = await harness.aUser({})
    await prisma.session.deleteMany()
    const { refreshToken } = await aSession(harness, id)
    const count = async (text: string) =>
      (await database().read<{ count: number }>(`select count(*)::int as count from ${text}`, []))[0]?.count

    const { answer } = await prisma.$transaction(async (tx) => {
      await tx.$queryRawUnsafe(`select from roster.${table} for update`)
      await tx.$executeRawUnsafe(`update roster.${table} set ${change}`)
      const answer = refresh(harness, refreshToken)
      const waiting = "pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
      await vi.waitFor(async () => expect(await count(waiting)).toBe(1))
      return { answer }
    })

    expect((await answer).errors.map(({ code }) => code)).toEqual(codes)
    expect(await count('roster.refresh_tokens where used_at is not null')).toBe(codes.length === 0 ? 1 : 0)
    expect(await count('roster.refresh_tokens')).toBe(codes.length === 0 ? 2 : 1)
  })
