import { performance } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, expect } from 'vitest'
import { engine, postgresOnly } from './database.ts'
import { boot, type Harness } from './harness.ts'
import { type Cluster, startCluster } from './server-cluster.ts'
import { aSession, isTaken, type Refreshed, refreshOperation } from './session-client.ts'

let harness: Harness
let cluster: Cluster

beforeAll(async () => {
  harness = await boot()
  if (engine === 'postgresql') cluster = await startCluster(harness)
})
beforeEach(() => harness.reset())
afterAll(() => cluster?.stop())

const rounds = Array.from({ length: 40 }, (_, round) => round)
const twenty = Array.from({ length: 20 }, (_, index) => index)
const database = () => harness.app.database.prisma
const codes = (answers: readonly Refreshed[]) => answers.flatMap(({ errors }) => errors.map(({ code }) => code))

/** Brings a refresh token to the next of the three servers. */
async function refreshAt(server: number, refreshToken: string): Promise<Refreshed> {
  const { data, errors } = await cluster.send(server, refreshOperation, { variables: { input: { refreshToken } } })
  if (!data) throw new Error(JSON.stringify(errors))
  return data['refreshSession'] as Refreshed
}

postgresOnly(
  'T-RACE-1: of twenty parallel refreshes of one token at three servers, one rotates it and all get the same next one, forty times',
  async () => {
    const { id } = await harness.aUser({})
    for (const _ of rounds) {
      const { sessionId, refreshToken } = await aSession(harness, id)

      const answers = await Promise.all(twenty.map((server) => refreshAt(server, refreshToken)))

      expect(codes(answers)).toEqual([])
      expect(new Set(answers.map(({ tokens }) => tokens?.refreshToken)).size).toBe(1)
      const kept = await database().refreshToken.findMany({ where: { sessionId } })
      expect(kept.map(({ usedAt }) => usedAt !== null).sort()).toEqual([false, true])
    }
  },
  240_000,
)

postgresOnly(
  'T-RACE-1: of twenty parallel uses of a token that was used long before, none gets anything and the session ends once, forty times',
  async () => {
    const { id } = await harness.aUser({})
    for (const _ of rounds) {
      const { sessionId, refreshToken, accessToken } = await aSession(harness, id)
      const { tokens } = await refreshAt(0, refreshToken)
      await database().refreshToken.updateMany({ where: { sessionId, usedAt: { not: null } }, data: { usedAt: new Date(0) } })

      const answers = await Promise.all(twenty.map((server) => refreshAt(server, refreshToken)))

      expect(codes(answers)).toEqual(twenty.map(() => 'TOKEN_NOT_VALID'))
      expect(answers.every((answer) => answer.tokens === null)).toBe(true)
      expect(await Promise.all([accessToken, tokens?.accessToken ?? ''].map((token) => isTaken(harness, token)))).toEqual([false, false])
      const path = `/sessions/${sessionId}/revokedAt`
      const events = await database().auditEvent.findMany({ where: { type: 'session.refreshReused' } })
      expect(events.filter(({ changes }) => JSON.stringify(changes).includes(path))).toHaveLength(1)
    }
  },
  240_000,
)

postgresOnly(
  'C5.59, C5.60: a session that is renewed while it is ended, in whichever way, is over for whatever the renewals answered',
  async () => {
    const token = await harness.adminToken('admin')
    const ends = [
      'mutation($id: ID!) { blockUser(input: { id: $id }) { errors { code } } }',
      'mutation($id: ID!) { deleteUser(input: { id: $id }) { errors { code } } }',
      'mutation($id: ID!) { deleteUser(input: { id: $id, mode: HARD }) { errors { code } } }',
      'mutation($id: ID!) { revokeSessions(input: { userId: $id }) { errors { code } } }',
    ]
    for (const round of rounds) {
      const { id } = await harness.aUser({})
      const { refreshToken } = await aSession(harness, id)
      const end = cluster.send(round, ends[round % ends.length] ?? '', { token, variables: { id } })
      const answers = await Promise.all([1, 2, 3, 4, 5, 6].map((server) => refreshAt(server, refreshToken)))

      expect(Object.values((await end).data ?? {})).toEqual([{ errors: [] }])
      expect(new Set([...codes(answers), 'TOKEN_NOT_VALID'])).toEqual(new Set(['TOKEN_NOT_VALID']))
      const handedOut = answers.flatMap(({ tokens }) => (tokens === null ? [] : [tokens]))
      expect(await Promise.all(handedOut.map(({ accessToken }) => isTaken(harness, accessToken)))).toEqual(handedOut.map(() => false))
      expect(codes(await Promise.all(handedOut.map((tokens) => refreshAt(0, tokens.refreshToken))))).toEqual(
        handedOut.map(() => 'TOKEN_NOT_VALID'),
      )
    }
  },
  240_000,
)

postgresOnly(
  'C5.59: a session that is revoked at one server is refused by the others: p99 under a second, and no stale answer after the revocation’s own',
  async () => {
    const { id } = await harness.aUser({})
    const token = await harness.adminToken('delete:sessions')
    const delays: number[] = []
    let stale = 0
    for (const _ of rounds) {
      const { sessionId, accessToken } = await aSession(harness, id)
      let revokedAtMs = Number.POSITIVE_INFINITY
      const poll = async (server: number): Promise<number> => {
        for (;;) {
          const askedAtMs = performance.now()
          const { status } = await cluster.send(server, '{ me { id } }', { token: accessToken })
          if (status === 401) return performance.now()
          if (askedAtMs > revokedAtMs) stale += 1
          await delay(50)
        }
      }
      const refused = Promise.all([1, 2].map(poll))
      await delay(Math.random() * 60)
      const sentAtMs = performance.now()
      await cluster.send(0, 'mutation($id: ID!) { revokeSession(input: { id: $id }) { errors { code } } }', {
        token,
        variables: { id: sessionId },
      })
      revokedAtMs = performance.now()
      delays.push(...(await refused).map((refusedAtMs) => refusedAtMs - sentAtMs))
    }
    delays.sort((left, right) => left - right)
    const p99 = delays[Math.floor(delays.length * 0.99)] ?? Number.NaN

    expect(stale).toBe(0)
    expect(p99).toBeLessThan(1000)
  },
  240_000,
)
