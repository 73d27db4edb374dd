import { setTimeout as delay } from 'node:timers/promises'
import { pino } from 'pino'
import { beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { newId } from '../src/domain/id.ts'
import type { OutboxHandler } from '../src/domain/outbox/attempt-message.ts'
import { measureOutbox, purgeOutbox } from '../src/domain/outbox/tend-outbox.ts'
import { createOutbox, type Outbox } from '../src/domain/outbox.ts'
import { MailRefusedError } from '../src/ports/mailer.ts'
import { createMetrics } from '../src/ports/metrics.ts'
import { openTestDatabase, postgresOnly, testDatabaseUrl } from './database.ts'
import { boot, type Harness, testSecret } from './harness.ts'
import { noticeMail, queueMails, startSmtpServer } from './mail.ts'
import { startServerProcess } from './server-process.ts'
import { testFolder } from './setup/build.ts'

let harness: Harness

beforeAll(async () => {
  harness = await boot()
})
beforeEach(() => harness.reset())

const prisma = () => harness.app.database.prisma
const rows = () => prisma().outboxMessage.findMany({ orderBy: { id: 'asc' } })
const now = () => harness.clock.now()

/** Another worker on the same outbox, as another process has; it is stopped when the test ends. */
function aWorker(handler: OutboxHandler, parts: Partial<Parameters<typeof createOutbox>[0]> = {}): Outbox {
  const { clock, logger, database } = harness.app
  const outbox = createOutbox({ db: database.prisma, clock, logger, metrics: createMetrics(), handlers: { test: handler }, ...parts })
  onTestFinished(() => outbox.stop())
  return outbox
}

async function queue(count: number, createdAt = now()): Promise<string[]> {
  const ids = Array.from({ length: count }, newId)
  await prisma().outboxMessage.createMany({
    data: ids.map((id) => ({ id, kind: 'test', payload: {}, createdAt, availableAt: createdAt })),
  })
  return ids
}

describe('a worker that was started', () => {
  test('is woken by the commit, and is there at once', async () => {
    const { app } = await boot()
    onTestFinished(() => app.outbox.stop())
    app.outbox.start()
    await expect.poll(() => app.metrics.text()).toContain('roster_outbox_messages{state="pending"} 0')

    await queueMails({ app }, noticeMail('ada@example.com'))

    await expect.poll(() => app.mailbox?.list(), { timeout: 700, interval: 10 }).toHaveLength(1)
  })

  test('finds by itself what another process has queued', async () => {
    const seen: string[] = []
    aWorker(async ({ id }) => void seen.push(id)).start()
    const [id] = await queue(1)

    await expect.poll(() => seen, { timeout: 5000 }).toEqual([id])
  })

  test('says how the outbox is', async () => {
    const metrics = createMetrics()
    aWorker(async () => {}, { metrics, handlers: {} }).start()
    await expect.poll(() => metrics.text(), { timeout: 5000 }).toContain('roster_outbox_messages{state="pending"} 0')
  })

  test('finishes what it has when it is stopped, and takes nothing more', async () => {
    const seen: string[] = []
    let release = () => {}
    const blocked = new Promise<void>((resolve) => {
      release = resolve
    })
    const ids = await queue(8)
    const worker = aWorker(async ({ id }) => {
      seen.push(id)
      await blocked
    })
    worker.start()
    await expect.poll(() => seen.length).toBe(4)

    let isStopped = false
    const stopped = worker.stop().then(() => {
      isStopped = true
    })
    await delay(50)
    expect(isStopped).toBe(false)
    release()
    await stopped

    expect(seen).toEqual(ids.slice(0, 4))
    expect((await rows()).map(({ doneAt }) => doneAt !== null)).toEqual([true, true, true, true, false, false, false, false])
    worker.wake()
    await worker.settled()
    expect(seen).toHaveLength(4)
  })

  test('does not hold the database while it works', async () => {
    let release = () => {}
    const worker = aWorker(
      () =>
        new Promise<void>((resolve) => {
          release = resolve
        }),
    )
    await queue(1)
    const settled = worker.settled()
    await expect.poll(async () => (await rows())[0]?.attempts).toBe(1)

    await prisma().$transaction([prisma().outboxMessage.count()])

    release()
    await settled
  })
})

describe('the lease', () => {
  test('keeps a message from others while it is at work, and gives it to them when it has ended (R16)', async () => {
    const seen: string[] = []
    const [id = ''] = await queue(1)
    const never = new Promise<void>(() => {})
    const dying = createOutbox({
      db: prisma(),
      clock: harness.clock,
      logger: harness.app.logger,
      metrics: createMetrics(),
      handlers: { test: () => never },
    })
    void dying.settled()
    await expect.poll(async () => (await rows())[0]?.leasedUntil).not.toBeNull()
    const other = aWorker(async ({ id }) => void seen.push(id))

    await other.settled()
    expect(seen).toEqual([])

    await prisma().$executeRaw`UPDATE roster.outbox SET leased_until = now() - interval '1 second'`
    await other.settled()
    expect(seen).toEqual([id])
    expect(await rows()).toMatchObject([{ attempts: 2, doneAt: expect.any(Date) }])
  })

  test('that has ended leaves nothing to say for who had it, unless it was done', async () => {
    await queue(1)
    let fail = (_error: Error) => {}
    const late = aWorker(
      () =>
        new Promise<void>((_resolve, reject) => {
          fail = reject
        }),
    )
    const settled = late.settled()
    await expect.poll(async () => (await rows())[0]?.attempts).toBe(1)
    await prisma().$executeRaw`UPDATE roster.outbox SET leased_until = now() - interval '1 second'`
    await aWorker(async () => {}).settled()
    fail(new Error('too late'))
    await settled

    expect(await rows()).toMatchObject([{ attempts: 2, failure: null, doneAt: expect.any(Date) }])
  })
})

test('a failure has a line in the log that says which message and why, and nothing of the mail', async () => {
  const lines: string[] = []
  const logger = pino({ base: null }, { write: (line: string) => lines.push(line) })
  const quoting = Object.assign(new Error('550 ada@example.com is unknown'), { code: 'EENVELOPE', responseCode: 450 })
  const [id] = await queue(1)
  await aWorker(() => Promise.reject(quoting), { logger }).settled()
  harness.clock.advance({ minutes: 1 })
  await aWorker(() => Promise.reject(new MailRefusedError('550', quoting)), { logger }).settled()

  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { level: 40, outboxId: id, kind: 'test', attempts: 1, failure: '450', nextAt: expect.any(String) },
    { level: 50, outboxId: id, kind: 'test', attempts: 2, failure: '550', error: { name: 'MailRefusedError', code: '550' } },
  ])
  expect(lines.join()).not.toContain('ada@')
})

test('a database that does not answer has one line in the log, and the work goes on when it does', async () => {
  const lines: string[] = []
  const logger = pino({ base: null }, { write: (line: string) => lines.push(line) })
  let isDown = true
  const db = new Proxy(prisma(), {
    get: (target, name) => (isDown && name === '$queryRaw' ? () => Promise.reject(new Error('down')) : Reflect.get(target, name)),
  })
  const seen: string[] = []
  const [id] = await queue(1)
  const worker = aWorker(async ({ id }) => void seen.push(id), { logger, db })
  await worker.settled()
  await worker.settled()
  isDown = false
  await worker.settled()

  expect(lines.map((line) => JSON.parse(line).msg)).toEqual(['the outbox cannot be worked on; it is tried again'])
  expect(seen).toEqual([id])
})

describe('tending', () => {
  test('removes what was done a week ago or given up three months ago, and nothing that waits', async () => {
    const daysAgo = (days: number) => new Date(now().getTime() - days * 86_400_000)
    const ids = await queue(6, daysAgo(100))
    const dates = [{ doneAt: daysAgo(8) }, { doneAt: daysAgo(6) }, { deadAt: daysAgo(91) }, { deadAt: daysAgo(89) }]
    for (const [index, data] of dates.entries()) await prisma().outboxMessage.update({ where: { id: ids[index] ?? '' }, data })

    await purgeOutbox(prisma(), now())

    expect((await rows()).map(({ id }) => id)).toEqual([ids[1], ids[3], ids[4], ids[5]])
  })

  test('measures what waits, what is dead, and how late the work is', async () => {
    await queue(2, new Date(now().getTime() - 60_000))
    const [dead = ''] = await queue(1)
    await prisma().outboxMessage.update({ where: { id: dead }, data: { deadAt: now() } })

    const { lagSeconds, ...counts } = await measureOutbox(prisma(), now())

    expect(counts).toEqual({ pending: 2, dead: 1 })
    expect(lagSeconds).toBeGreaterThanOrEqual(60)
    expect(lagSeconds).toBeLessThan(70)
  })
})

postgresOnly(
  'eight workers do 2,000 messages once each (R16)',
  async () => {
    const ids = await queue(2000)
    const seen: string[] = []
    const databases = await Promise.all(Array.from({ length: 8 }, () => openTestDatabase({ poolSize: 4 })))
    onTestFinished(async () => void (await Promise.all(databases.map((database) => database.close()))))

    await Promise.all(databases.map((database) => aWorker(async ({ id }) => void seen.push(id), { db: database.prisma }).settled()))

    expect(seen.toSorted()).toEqual(ids.toSorted())
    expect(await prisma().outboxMessage.count({ where: { attempts: 1, doneAt: { not: null } } })).toBe(2000)
  },
  60_000,
)

postgresOnly(
  'a process that is killed while it sends: the next one sends the mail with the same id (R16)',
  async () => {
    const slow = await startSmtpServer({ onData: () => {} })
    const { url, received } = await startSmtpServer()
    const environment = {
      DATABASE_URL: testDatabaseUrl(),
      ROSTER_SECRET: testSecret,
      ROSTER_DATA_DIR: testFolder(),
      NODE_ENV: 'production',
      HOST: '127.0.0.1',
      PUBLIC_URL: harness.app.accessTokens.issuer,
      MAIL_FROM: 'no-reply@example.com',
    }
    await queueMails(harness, noticeMail('ada@example.com'))
    const dying = await startServerProcess({ ...environment, SMTP_URL: slow.url })
    onTestFinished(() => void dying.stop('SIGKILL'))
    await expect.poll(async () => (await rows())[0]?.attempts, { timeout: 10_000 }).toBe(1)
    await dying.stop('SIGKILL')
    await prisma().$executeRaw`UPDATE roster.outbox SET leased_until = leased_until - interval '30 seconds'`

    const next = await startServerProcess({ ...environment, SMTP_URL: url })
    onTestFinished(() => void next.stop('SIGKILL'))
    await expect.poll(() => received.length, { timeout: 10_000 }).toBe(1)

    const [row] = await rows()
    expect(received[0]?.source).toContain(`Message-ID: <${row?.id}@example.com>`)
    await expect.poll(async () => (await rows())[0], { timeout: 5000 }).toMatchObject({ attempts: 2, doneAt: expect.any(Date) })
    expect(await next.stop()).toBe(0)
  },
  60_000,
)
