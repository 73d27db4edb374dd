import { createClient } from 'graphql-sse'
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { systemScope } from '../src/app.ts'
import { change } from '../src/domain/change.ts'
import { insertJob } from '../src/domain/job/create-job.ts'
import type { JobHandler } from '../src/domain/job/run-job.ts'
import { JobFailedError } from '../src/domain/job/save-job.ts'
import { createJobRunner, type JobRunner } from '../src/domain/job-runner.ts'
import { createLogger } from '../src/ports/logger.ts'
import { createServer } from '../src/server.ts'
import { boot, type Harness } from './harness.ts'

let harness: Harness
const runners: JobRunner[] = []

beforeAll(async () => {
  harness = await boot()
})
beforeEach(() => harness.reset())
afterEach(() => Promise.all(runners.splice(0).map((runner) => runner.stop())))

const nothing = { processed: 0, total: null, inserted: 0, updated: 0, skipped: 0, failed: 0 }

async function aJob(kind: 'IMPORT' | 'EXPORT' = 'IMPORT'): Promise<string> {
  const { jobId } = await change(systemScope(harness.app), 'job.created', (tx) => insertJob(tx, { kind, input: {} }))
  return jobId
}

/** A process that does imports in this way. */
function aWorker(handler: JobHandler): JobRunner {
  const { database, clock } = harness.app
  const runner = createJobRunner({ db: database.prisma, clock, logger: createLogger('silent'), handlers: { IMPORT: handler } })
  runners.push(runner)
  return runner
}

const db = () => harness.app.database.prisma
const read = (id: string) => db().job.findUniqueOrThrow({ where: { id }, include: { errors: true } })
/** As if the worker of the job had been killed, and its lease had run out. */
const runOut = (id: string) => db().job.update({ where: { id }, data: { leasedUntil: new Date(0) } })

const cancel = (id: string, token: string) =>
  harness.run('mutation($id: ID!) { cancelJob(input: { id: $id }) { job { id status } errors { code path } } }', {
    token,
    variables: { id },
  })

test('a job is done by a worker of its kind, once', async () => {
  const [id, other] = [await aJob(), await aJob('EXPORT')]
  const done: string[] = []
  const handler: JobHandler = async ({ job, save }) => {
    done.push(job.id)
    await save(db(), {
      ...nothing,
      processed: 3,
      inserted: 2,
      failed: 1,
      checkpoint: {},
      problems: [{ line: 2, code: 'X', path: null, message: 'no' }],
    })
  }

  await Promise.all([aWorker(handler).settled(), aWorker(handler).settled()])

  expect(done).toEqual([id])
  expect(await read(id)).toMatchObject({
    status: 'SUCCEEDED',
    processed: 3,
    inserted: 2,
    failed: 1,
    leasedUntil: null,
    errors: [{ line: 2 }],
  })
  expect((await read(other)).status).toBe('PENDING')
})

test('R16: a job whose worker was killed is taken up from its checkpoint when the lease has run out, and not before', async () => {
  const id = await aJob()
  let killed = () => {}
  const atWork = new Promise<void>((resolve) => {
    killed = resolve
  })
  void aWorker(async ({ save, signal }) => {
    await save(db(), { ...nothing, processed: 10, checkpoint: { line: 10 } })
    killed()
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    signal.throwIfAborted()
  }).settled()
  await atWork
  const begunAt: unknown[] = []
  const next = aWorker(async ({ job }) => void begunAt.push(job.checkpoint, job.processed))

  await next.settled()
  expect(begunAt).toEqual([])
  await runOut(id)
  await next.settled()

  expect(begunAt).toEqual([{ line: 10 }, 10])
  expect((await read(id)).status).toBe('SUCCEEDED')
})

test('a worker whose job was taken up by another one commits nothing more', async () => {
  const id = await aJob()
  const outcomes: string[] = []
  const late = aWorker(async ({ save }) => {
    await runOut(id)
    await aWorker(async () => {}).settled()
    const work = db().$transaction(async (tx) => {
      await tx.auditEvent.create({ data: { id, type: 'late', at: new Date(), actorKind: 'SYSTEM' } })
      await save(tx, { ...nothing, checkpoint: {} })
    })
    await work.catch((error: Error) => outcomes.push(error.name))
    await work
  })

  await late.settled()

  expect(outcomes).toEqual(['JobLostError'])
  expect(await db().auditEvent.count({ where: { type: 'late' } })).toBe(0)
  expect((await read(id)).status).toBe('SUCCEEDED')
})

test('a worker that is stopped gives its job back at once', async () => {
  const id = await aJob()
  let begun = () => {}
  const isBegun = new Promise<void>((resolve) => {
    begun = resolve
  })
  const worker = aWorker(async ({ signal }) => {
    begun()
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    signal.throwIfAborted()
  })
  void worker.settled()
  await isBegun

  await worker.stop()

  expect(await read(id)).toMatchObject({ status: 'RUNNING', leasedUntil: null })
})

test('a job that fails says why, and what is unexpected is not told', async () => {
  const [first, second] = [await aJob(), await aJob()]
  const problem = { line: 7, code: 'TRUNCATED_FILE', path: null, message: 'The file ends in the middle of line 7.' }

  await aWorker(async ({ job }) => {
    throw job.id === first ? new JobFailedError(problem) : new Error('secret of line 8')
  }).settled()

  expect(await read(first)).toMatchObject({ status: 'FAILED', errors: [problem] })
  const { status, errors } = await read(second)
  expect([status, errors[0]?.code, errors[0]?.line]).toEqual(['FAILED', 'INTERNAL_SERVER_ERROR', 0])
  expect(JSON.stringify(errors)).not.toContain('secret')
})

test('a job that ends its worker again and again is given up', async () => {
  const id = await aJob()
  await db().job.update({ where: { id }, data: { stalled: 5 } })

  await aWorker(async () => {}).settled()

  expect((await read(id)).status).toBe('FAILED')
})

test('a cancelled job stays cancelled, and its worker commits nothing more', async () => {
  const id = await aJob()
  const token = await harness.adminToken('import:users')
  const worker = aWorker(async ({ save }) => {
    await cancel(id, token)
    await save(db(), { ...nothing, processed: 5, checkpoint: {} })
  })

  await worker.settled()

  expect(await read(id)).toMatchObject({ status: 'CANCELLED', processed: 0 })
  expect(await db().auditEvent.count({ where: { type: 'job.cancelled', subjectId: id } })).toBe(1)
  expect((await cancel(id, token)).data).toEqual({ cancelJob: { job: { id, status: 'CANCELLED' }, errors: [] } })
  expect(await db().auditEvent.count({ where: { type: 'job.cancelled' } })).toBe(1)
})

test('imports and exports are seen and cancelled with the scope that makes them', async () => {
  const [imported, exported] = [await aJob(), await aJob('EXPORT')]
  const token = await harness.adminToken('import:users')
  const query = `{ jobs { totalCount nodes { id kind } } a: job(id: "${imported}") { status processed errors { totalCount } downloadUrl } b: job(id: "${exported}") { id } node(id: "${exported}") { id } }`

  expect((await harness.run(query, { token })).data).toEqual({
    jobs: { totalCount: 1, nodes: [{ id: imported, kind: 'IMPORT' }] },
    a: { status: 'PENDING', processed: 0, errors: { totalCount: 0 }, downloadUrl: null },
    b: null,
    node: null,
  })
  expect((await cancel(exported, token)).data?.['cancelJob']).toMatchObject({
    job: null,
    errors: [{ code: 'JOB_NOT_FOUND', path: ['input', 'id'] }],
  })
  expect(
    (await harness.run('{ jobs { totalCount } }', { token: await harness.adminToken('read:users') })).errors?.[0]?.extensions,
  ).toMatchObject({
    code: 'FORBIDDEN',
    requiredScopes: ['import:users', 'export:users'],
  })
})

const progress = 'subscription($id: ID!) { jobProgress(id: $id) { status processed } }'

/** What a client of GraphQL over SSE is told. */
function subscribe(token: string, id: string) {
  const client = createClient({ url: `${harness.url}/graphql`, headers: { authorization: `Bearer ${token}` }, retryAttempts: 0 })
  return { events: client.iterate({ query: progress, variables: { id } }) }
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = []
  for await (const item of items) collected.push(item)
  return collected
}

test('jobProgress tells a client of GraphQL over SSE how a job gets on, and ends with it', async () => {
  const id = await aJob()
  const { events } = subscribe(await harness.adminToken('import:users'), id)
  const told = collect(events)
  let step = 0
  await aWorker(async ({ save }) => {
    while (step++ < 2) {
      await new Promise((resolve) => setTimeout(resolve, 700))
      await save(db(), { ...nothing, processed: step * 10, checkpoint: {} })
    }
  }).settled()

  const states = (await told).map(({ data }) => data?.['jobProgress'])
  expect(states[0]).toEqual({ status: expect.stringMatching(/PENDING|RUNNING/), processed: 0 })
  expect(states).toContainEqual({ status: 'RUNNING', processed: 10 })
  expect(states.at(-1)).toEqual({ status: 'SUCCEEDED', processed: 20 })
})

test('jobProgress is for those who may see the job, and is as a query when it cannot begin', async () => {
  const id = await aJob('EXPORT')
  const ask = async (token: string | null, headers: Record<string, string> = { accept: 'text/event-stream' }) => {
    const { status, errors } = await harness.run(progress, { token, variables: { id }, headers })
    return [status, errors?.[0]?.extensions?.['code']]
  }

  expect(await ask(null)).toEqual([401, 'UNAUTHENTICATED'])
  expect(await ask(await harness.adminToken('read:users'))).toEqual([403, 'FORBIDDEN'])
  expect(await ask(await harness.adminToken('import:users'))).toEqual([404, 'NOT_FOUND'])
  expect(await ask(await harness.adminToken('export:users'), { accept: 'application/json' })).toEqual([406, 'BAD_USER_INPUT'])
})

test('a subscription ends with the token that it was begun with', async () => {
  const id = await aJob()
  const token = await harness.adminToken('import:users')
  const { events } = subscribe(token, id)
  await events.next()
  await db().adminToken.updateMany({ data: { revokedAt: new Date() } })
  await db().job.update({ where: { id }, data: { processed: 1 } })

  const rest = await collect(events)

  expect(rest.map(({ data, errors }) => [data, errors?.[0]?.extensions?.['code']])).toEqual([[undefined, 'UNAUTHENTICATED']])
})

test('whoever goes away is not watched for any longer', async () => {
  const id = await aJob()
  const { events } = subscribe(await harness.adminToken('import:users'), id)
  await events.next()
  const reads = vi.spyOn(db().job, 'findFirst')

  await events.return?.()
  await new Promise((resolve) => setTimeout(resolve, 700))
  reads.mockClear()
  await new Promise((resolve) => setTimeout(resolve, 1200))

  expect(reads).not.toHaveBeenCalled()
  reads.mockRestore()
})

test('a query may be asked by a client of GraphQL over SSE too', async () => {
  const client = createClient({ url: `${harness.url}/graphql`, retryAttempts: 0 })

  expect(await collect(client.iterate({ query: '{ me { id } }' }))).toEqual([{ data: { me: null } }])
})

test('a server that ends ends its subscriptions, without saying that they are complete', async () => {
  const id = await aJob()
  const server = createServer(harness.app, { graph: 'whole' })
  const { port } = await server.listen(0, '127.0.0.1')
  const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      authorization: `Bearer ${await harness.adminToken('import:users')}`,
    },
    body: JSON.stringify({ query: progress, variables: { id } }),
  })
  const startedAt = Date.now()

  await server.drain()

  expect(Date.now() - startedAt).toBeLessThan(2000)
  expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
  const text = await response.text()
  expect(text).toMatch(/^:\n\n/)
  expect(text).not.toContain('complete')
})
