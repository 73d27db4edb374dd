/**
 * Measures how fast users are written out, on PostgreSQL, for `transfer.mjs`: it prints JSON. Each format is read from a snapshot and
 * written to a file, as `roster export` does; then once more as a job, into the database and out again.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { openDatabase } from '../dist/database/open.js'
import { withSnapshot } from '../dist/database/snapshot.js'
import { createWriter } from '../dist/domain/export/create-writer.js'
import { createExportHandler } from '../dist/domain/export/export-handler.js'
import { exportUsers } from '../dist/domain/export/export-users.js'
import { readExport } from '../dist/domain/export/read-export.js'
import { readRecords } from '../dist/domain/export/read-records.js'
import { writeFile } from '../dist/domain/export/write-file.js'
import { createJobRunner } from '../dist/domain/job-runner.js'
import { system } from '../dist/domain/principal.js'
import { systemClock } from '../dist/ports/clock.js'
import { createLogger } from '../dist/ports/logger.js'
import { createDatabase, openServer } from './database.mjs'

const { values: flags } = parseArgs({ options: { users: { type: 'string', default: '100000' }, of: { type: 'string' } } })
const everybody = { status: ['ACTIVE', 'INVITED', 'BLOCKED', 'DELETED'] }
const formats = ['ROSTER_NDJSON', 'CSV', 'AUTH0', 'SUPABASE']

/** Runs the work, and says how long it took, how far it kept the event loop, and how much memory there was at the most. */
async function watched(work) {
  const delay = monitorEventLoopDelay({ resolution: 5 })
  let peak = 0
  const sampler = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage().rss)
  }, 50)
  delay.enable()
  const begun = performance.now()
  await work()
  const seconds = (performance.now() - begun) / 1000
  clearInterval(sampler)
  return { seconds, p99: Math.round(delay.percentile(99) / 1e6), peak: Math.round(peak / 2 ** 20) }
}

async function* contents(pieces) {
  for await (const { content } of pieces) yield content
}

async function toFile(database, format, path) {
  const options = { format, fields: null, withPasswordHashes: true, withAppMetadata: true, now: new Date() }
  const wanted = { ...options, filter: everybody }
  await withSnapshot(database, (snapshot) =>
    pipeline(contents(writeFile(createWriter(options), readRecords(snapshot, wanted))), createWriteStream(path)),
  )
}

/** Does an export as a job, and answers a function that downloads its file. */
async function asJob(database) {
  const db = database.prisma
  const scope = { db, clock: systemClock, caller: { principal: system, ip: null, userAgent: null, requestId: null } }
  const handlers = { EXPORT: createExportHandler({ database, clock: systemClock }) }
  const runner = createJobRunner({ db, clock: systemClock, logger: createLogger('silent'), handlers })
  const { jobId } = await exportUsers(scope, { format: 'ROSTER_NDJSON', where: everybody, includePasswordHashes: true })
  await runner.settled()
  return async (path) => {
    const { content } = await readExport({ db, clock: systemClock, principal: system }, jobId)
    await pipeline(content, createWriteStream(path))
  }
}

/** Measures a database, in a process that has done nothing else. */
async function measure(databaseUrl) {
  const database = await openDatabase({ databaseUrl, dataDir: '', poolSize: 4, statementTimeoutMs: 3000, logger: createLogger('silent') })
  const folder = mkdtempSync(join(tmpdir(), 'roster-bench-'))
  const path = join(folder, 'users')
  let download
  const works = [
    ...formats.map((format) => [format, () => toFile(database, format, path)]),
    [
      'as a job',
      async () => {
        download = await asJob(database)
      },
    ],
    ['its download', () => download(path)],
  ]
  try {
    const count = await database.prisma.user.count()
    const results = []
    for (const [name, work] of works) results.push({ name, count, ...(await watched(work)) })
    console.log(JSON.stringify(results))
  } finally {
    await database.close()
    rmSync(folder, { recursive: true })
  }
}

async function main(users, keep) {
  const server = keep(await openServer())
  const { url } = keep(await createDatabase(server, users))
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), '--of', url], { stdio: 'inherit' })
  await once(child, 'exit')
}

const opened = []
try {
  if (flags.of) await measure(flags.of)
  else
    await main(Number(flags.users), (closable) => {
      opened.unshift(closable)
      return closable
    })
} finally {
  for (const { close } of opened) await close()
}
