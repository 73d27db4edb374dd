/** What a client of a server notices while users are imported into its database. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { systemScope } from '../dist/app.js'
import { createAdminToken } from '../dist/domain/admin-token.js'
import { createDatabase, query } from './database.mjs'
import { sendRequests } from './load.mjs'
import { environment, startRoster } from './roster.mjs'
import { ask } from './service.mjs'

/** Users who are there before, and are not in the file. */
export const usersBefore = 2000
const seconds = 3

/** `roster import`, in a process of its own. Answers how it is stopped. */
async function importByCommand({ database }, path) {
  const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))
  const child = spawn(process.execPath, [main, 'import', path], {
    stdio: 'ignore',
    env: { PATH: process.env['PATH'], ...environment(database) },
  })
  return async () => {
    if (child.exitCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
}

/** A job of the server that answers the client. */
async function importByJob({ roster }, path) {
  const app = await roster.open()
  const { token } = await createAdminToken(
    { ...systemScope(app), accessTokens: app.accessTokens },
    { name: 'import', scopes: ['import:users', 'update:users_app_metadata'] },
  )
  await app.close()
  const uploads = new URL('/uploads', roster.url)
  const response = await fetch(uploads, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}` },
    body: createReadStream(path),
    duplex: 'half',
  })
  const { id: upload } = await response.json()
  const text = 'mutation ($input: ImportUsersInput!) { importUsers(input: $input) { job { id } errors { message } } }'
  const { importUsers } = await ask(roster.url, {
    token,
    body: JSON.stringify({ query: text, variables: { input: { format: 'ROSTER_NDJSON', upload } } }),
  })
  if (importUsers.job === null) throw new Error(JSON.stringify(importUsers.errors))
  return async () => {}
}

const countUsers = async ({ database }) => Number((await query(database.url, 'select count(*) from roster.users'))[0].count)

async function hasBegun(stage) {
  for (let waited = 0; waited < 300; waited++) {
    if ((await countUsers(stage)) > usersBefore) return
    await delay(100)
  }
  throw new Error('the import does not begin')
}

/** Answers latencies of `me` for one client, alone and meanwhile. @throws when the import has ended before */
async function measure(server, { path, users, directory }, startImport) {
  const database = await createDatabase(server, usersBefore)
  const roster = await startRoster(database, 250)
  const stage = { database, roster }
  const send = () => sendRequests({ url: roster.url, requests: roster.requests.A, connections: 1, seconds, directory })
  try {
    await send()
    const alone = await send()
    const stop = await startImport(stage, path)
    try {
      await hasBegun(stage)
      const before = await countUsers(stage)
      const meanwhile = await send()
      const after = await countUsers(stage)
      if (after >= usersBefore + users) throw new Error('the import has ended too soon: take more users')
      return { alone, meanwhile, importRate: (after - before) / seconds }
    } finally {
      await stop()
    }
  } finally {
    await roster.close()
    await database.close()
  }
}

export async function measureBeside(server, file) {
  return { command: await measure(server, file, importByCommand), job: await measure(server, file, importByJob) }
}
