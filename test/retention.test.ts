import { Readable } from 'node:stream'
import { beforeEach, expect, test } from 'vitest'
import { systemScope } from '../src/app.ts'
import { postgresError } from '../src/database/errors.ts'
import { keepRequest } from '../src/domain/authorization/authorization-request.ts'
import { change } from '../src/domain/change.ts'
import { newId } from '../src/domain/id.ts'
import { insertJob } from '../src/domain/job/create-job.ts'
import { purge } from '../src/domain/retention.ts'
import { endSessions, startSession } from '../src/domain/session.ts'
import { requestImport } from '../src/domain/transfer/request-import.ts'
import { storeUpload } from '../src/domain/transfer/upload.ts'
import { codesOn } from './codes.ts'
import { openTestDatabase, postgresOnly } from './database.ts'
import { boot } from './harness.ts'
import { newPkce } from './provider-flow.ts'

const harness = await boot()
const { app, clock, aUser, reset } = harness
const db = app.database.prisma
const days = (count: number) => ({ minutes: count * 24 * 60 })
const clean = (historyDays: number) => purge({ db, clock }, { historyDays })

beforeEach(reset)

/** The SQLSTATE of what the database refused: 23001 is restrict_violation. */
const refusal = (work: PromiseLike<unknown>) =>
  Promise.resolve(work).then(
    () => null,
    (error) => postgresError(error)?.code,
  )

/** Events of these many days ago. */
async function events(count: number, daysAgo = 100): Promise<void> {
  const at = new Date(clock.now().getTime() - daysAgo * 86_400_000)
  const id = () =>
    `${at
      .getTime()
      .toString(16)
      .padStart(12, '0')
      .replace(/^(.{8})/, '$1-')}${newId().slice(13)}`
  await db.auditEvent.createMany({
    data: Array.from({ length: count }, () => ({ id: id(), type: 'user.updated', at, actorKind: 'SYSTEM' })),
  })
}

test('HISTORY_DAYS=0 keeps history for ever', async () => {
  await aUser({})
  clock.advance(days(10_000))
  await clean(0)

  expect(await db.auditEvent.count()).toBe(1)
})

test('history is deleted when it is older than HISTORY_DAYS, and not before', async () => {
  const { id } = await aUser({})
  clock.advance(days(29))
  expect(await clean(30)).toMatchObject({ history: 0, sessions: 0 })
  expect(await db.auditEvent.count()).toBe(1)
  clock.advance(days(2))
  await aUser({})
  expect(await clean(30)).toMatchObject({ history: 1 })
  expect((await db.auditEvent.findMany()).map(({ userId }) => userId)).not.toContain(id)
  expect(await db.auditEvent.count()).toBe(1)
})

test('nobody else can delete history, and what is not old enough is kept even from the job', async () => {
  await events(1)

  expect(await refusal(db.auditEvent.deleteMany())).toBe('23001')
  await clean(50)
  await events(1)
  expect(await refusal(db.auditEvent.deleteMany())).toBe('23001')
  const earlier = db.$queryRaw`select set_config('roster.history_kept_from', '2001-01-01', true)`
  expect(await refusal(db.$transaction([earlier, db.auditEvent.deleteMany()]))).toBe('23001')
  expect(await db.auditEvent.count()).toBe(1)
})

test('many rows are deleted in batches of a thousand, and stop when the server does', async () => {
  await events(2500)
  await events(3, 10)
  const stopping = new AbortController()
  let batches = 0
  const counting = db.$extends({
    query: {
      $executeRaw: async ({ args, query }) => {
        batches++
        const count = await query(args)
        if (batches === 1) stopping.abort()
        return count
      },
    },
  }) as unknown as typeof db

  expect(await purge({ db: counting, clock, signal: stopping.signal }, { historyDays: 50 })).toEqual({ history: 1000 })
  expect(await db.auditEvent.count()).toBe(1503)
  expect(await clean(50)).toMatchObject({ history: 1500 })
  expect(await db.auditEvent.count()).toBe(3)
})

postgresOnly('three processes at once delete all of it, each row once', async () => {
  await events(3500)
  const others = await Promise.all([openTestDatabase(), openTestDatabase()])
  const clients = [db, ...others.map(({ prisma }) => prisma)]

  const purged = await Promise.all(clients.map((client) => purge({ db: client, clock }, { historyDays: 50 })))

  expect(purged.reduce((sum, { history = 0 }) => sum + history, 0)).toBe(3500)
  expect(await db.auditEvent.count()).toBe(0)
  await Promise.all(others.map(({ close }) => close()))
})

test('a session is deleted thirty days after it has ended or expired, and one that stands is kept', async () => {
  const { id: userId } = await aUser({})
  const scope = systemScope(app)
  const input = { userId, connection: null, aal: 'aal1', amr: ['pwd'], ip: null, userAgent: null }
  await endSessions({ db, now: clock.now() }, userId)
  clock.advance(days(29))
  const { sessionId } = await startSession(scope, app.authentication, input)
  await clean(0)
  expect(await db.session.count()).toBe(2)
  clock.advance(days(2))
  expect(await clean(0)).toMatchObject({ sessions: 1 })
  expect((await db.session.findMany()).map(({ id }) => id)).toEqual([sessionId])
  clock.advance(days(57))
  expect(await clean(0)).toMatchObject({ sessions: 0 })
  clock.advance(days(2))
  expect(await clean(0)).toMatchObject({ sessions: 1 })
})

test('links and limits are deleted a day after they have expired, and what stands is kept', async () => {
  const { id: userId } = await aUser({ email: 'ada@example.com' })
  const in24Hours = new Date(clock.now().getTime() + days(1).minutes * 60_000)
  const link = { userId, type: 'RECOVERY', codeHash: Uint8Array.of(1), emailNormal: 'ada@example.com', createdAt: clock.now() }
  const expiring = [clock.now(), in24Hours].map((at, index) => ({ ...link, id: newId(), tokenHash: Uint8Array.of(index), expiresAt: at }))
  await db.oneTimeToken.createMany({ data: expiring })
  await db.rateLimit.createMany({ data: expiring.map(({ id, expiresAt }) => ({ key: id, count: 1, windowEndsAt: expiresAt })) })
  clock.advance({ minutes: days(1).minutes + 1 })

  expect(await clean(0)).toMatchObject({ oneTimeTokens: 1, rateLimits: 1 })
  expect([await db.oneTimeToken.count(), await db.rateLimit.count()]).toEqual([1, 1])
})

test('who never came back from a provider, and codes that nobody traded, are forgotten when they are of no use', async () => {
  const codes = await codesOn(harness)
  const scope = { ...systemScope(app), ...app.authentication }
  const request = {
    connectionId: codes.connectionId,
    key: 'acme',
    intent: 'SIGN_IN',
    redirectTo: 'http://localhost/',
    appState: null,
  } as const
  const leave = async (state: string) => {
    await keepRequest(scope, { state, browser: 'a' }, { ...request, codeChallenge: newPkce().challenge })
    await codes.toLink()
  }
  await leave('old')
  clock.advance({ minutes: 10, seconds: 1 })
  await leave('new')

  expect(await clean(0)).toMatchObject({ authorizationRequests: 1, authorizationCodes: 1 })
  expect([await db.authorizationRequest.count(), await db.authorizationCode.count()]).toEqual([1, 1])
})

test('a file that was sent is kept for a day, and as long as an import reads it', async () => {
  const sent = async () => (await storeUpload({ db, clock }, Readable.from([Buffer.alloc(300_000)]), 1_000_000)).id
  const [unused, used] = [await sent(), await sent()]
  const { jobId } = await requestImport(systemScope(app), { format: 'CSV', upload: used })
  clock.advance(days(0.9))
  expect(await clean(0)).toMatchObject({ uploads: 0 })
  clock.advance(days(0.2))

  expect(await clean(0)).toMatchObject({ uploads: 1 })
  expect(await db.upload.findMany({ select: { id: true } })).toEqual([{ id: used }])
  expect(await db.uploadChunk.count({ where: { uploadId: unused } })).toBe(0)
  await db.job.update({ where: { id: jobId }, data: { finishedAt: clock.now(), status: 'SUCCEEDED' } })
  await clean(0)
  expect(await db.upload.count()).toBe(0)
})

test('a job and its errors are kept for ninety days after its end', async () => {
  const { jobId } = await change(systemScope(app), 'job.created', (tx) => insertJob(tx, { kind: 'IMPORT', input: {} }))
  await db.jobError.create({ data: { id: newId(), jobId, line: 1, code: 'X', message: 'no' } })
  clock.advance(days(200))
  await clean(0)
  expect(await db.job.count()).toBe(1)
  await db.job.update({ where: { id: jobId }, data: { finishedAt: clock.now() } })
  clock.advance(days(89))
  await clean(0)
  expect(await db.job.count()).toBe(1)
  clock.advance(days(2))

  expect(await clean(0)).toMatchObject({ jobErrors: 1, jobs: 1 })
})
