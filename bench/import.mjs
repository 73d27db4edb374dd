/**
 * Measures an import of made-up users into PostgreSQL against plain COPY of the same rows, for `transfer.mjs`: it prints JSON. It takes
 * the server that TEST_DATABASE_URL names, on this machine and as a superuser. And how late `me` is answered meanwhile.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, createReadStream, createWriteStream, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { systemScope } from '../dist/app.js'
import { openDatabase } from '../dist/database/open.js'
import { seededPerson } from '../dist/domain/seed/person.js'
import { importBatchSize } from '../dist/domain/transfer/import-job.js'
import { matchKeys } from '../dist/domain/transfer/import-options.js'
import { nothingDone } from '../dist/domain/transfer/import-parts.js'
import { importUsers } from '../dist/domain/transfer/import-users.js'
import { systemClock } from '../dist/ports/clock.js'
import { createLogger } from '../dist/ports/logger.js'
import { measureBeside, usersBefore } from './beside.mjs'
import { openServer, query } from './database.mjs'

/** What an import writes, in the order of the foreign keys. */
const tables = ['users', 'profiles', 'identities', 'profile_sources', 'password_credentials', 'audit_events']

/** So many that the import lasts while others are measured. */
const leastBeside = 60_000

/** A made-up person as a line of Roster's own format. */
function recordOf(index, now) {
  const { user, profile, identities, credentials } = seededPerson(index, now)
  const { name, given_name: givenName, family_name: familyName, picture, zoneinfo, locale } = profile
  return {
    ...{ id: user.id, email: user.email, emailVerified: user.email_verified, phoneNumber: user.phone_number, username: user.username },
    ...{ externalId: user.external_id, userMetadata: user.user_metadata, appMetadata: user.app_metadata, createdAt: user.created_at },
    profile: { name, givenName, familyName, picture, zoneinfo, locale },
    identities: identities.map(({ provider, provider_user_id: providerUserId, email, email_verified: emailVerified, claims }) => ({
      ...{ provider, providerUserId, email, emailVerified, claims },
    })),
    passwordHash: credentials[0]?.hash ?? null,
  }
}

async function writeFile(path, users) {
  const stream = createWriteStream(path)
  const now = new Date()
  for (let index = usersBefore; index < usersBefore + users; index++)
    if (!stream.write(`${JSON.stringify(recordOf(index, now))}\n`)) await once(stream, 'drain')
  stream.end()
  await once(stream, 'close')
}

function open(url) {
  const logger = createLogger('silent')
  return openDatabase({ databaseUrl: url, dataDir: '', poolSize: 4, statementTimeoutMs: 60_000, logger })
}

async function newDatabase(server, name) {
  await query(server.url, `drop database if exists ${name} with (force)`)
  await query(server.url, `create database ${name}`)
  const url = new URL(server.url)
  url.pathname = `/${name}`
  await (await open(url.href)).close()
  return url.href
}

/** In a process of its own: its memory and its event loop are the import's. */
async function runImport(url, path) {
  const database = await open(url)
  const delay = monitorEventLoopDelay({ resolution: 5 })
  delay.enable()
  const startedAt = performance.now()
  const begun = process.cpuUsage()
  const state = await importUsers({
    scope: systemScope({ database, clock: systemClock }),
    options: { format: 'ROSTER_NDJSON', upsert: false, matchOn: matchKeys, metadataMode: 'REPLACE', dryRun: false, weakHashes: 'accept' },
    file: createReadStream(path, { highWaterMark: 262_144 }),
    run: { save: async () => {}, signal: new AbortController().signal },
    state: nothingDone,
    giveWay: nextTurn,
    batchSize: importBatchSize('postgresql'),
  })
  const seconds = (performance.now() - startedAt) / 1000
  const { inserted, failed } = state
  const memory = process.resourceUsage().maxRSS / 1024
  const { user, system } = process.cpuUsage(begun)
  console.log(JSON.stringify({ inserted, failed, seconds, memory, delay: delay.percentile(99) / 1e6, cpu: (user + system) / 1e6 }))
  await database.close()
}

async function measureImport(url, path) {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), '--into', url, '--file', path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  await once(child, 'close')
  return JSON.parse(output)
}

async function measureCopy(from, to, directory) {
  for (const table of tables) await query(from, `copy roster.${table} to '${join(directory, table)}'`)
  const startedAt = performance.now()
  await query(to, `begin; ${tables.map((table) => `copy roster.${table} from '${join(directory, table)}';`).join(' ')} commit`)
  return (performance.now() - startedAt) / 1000
}

async function main(users) {
  const directory = mkdtempSync(join(tmpdir(), 'roster-import-'))
  chmodSync(directory, 0o777)
  const server = await openServer()
  try {
    const path = join(directory, 'users.ndjson')
    await writeFile(path, users)
    const [imported, copied] = [await newDatabase(server, 'roster_bench_import'), await newDatabase(server, 'roster_bench_copy')]
    const run = await measureImport(imported, path)
    const copySeconds = await measureCopy(imported, copied, directory)
    for (const name of ['roster_bench_import', 'roster_bench_copy']) await query(server.url, `drop database ${name} with (force)`)
    const longer = Math.max(users, leastBeside)
    if (longer > users) await writeFile(path, longer)
    console.log(JSON.stringify({ ...run, copySeconds, beside: await measureBeside(server, { path, users: longer, directory }) }))
  } finally {
    await server.close()
    rmSync(directory, { recursive: true })
  }
}

const { values } = parseArgs({
  options: { users: { type: 'string', default: '100000' }, into: { type: 'string' }, file: { type: 'string' } },
})
if (values.into) await runImport(values.into, values.file)
else await main(Number(values.users))
