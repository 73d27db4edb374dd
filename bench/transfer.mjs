/** How fast users go in and out: each measured in a process that has done nothing else. */

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { nodeOptions } from './service.mjs'

async function measure(program, { url }, users) {
  const file = fileURLToPath(new URL(program, import.meta.url))
  const environment = { ...process.env, TEST_DATABASE_URL: url, NODE_OPTIONS: nodeOptions.join(' ') }
  const { stdout } = await promisify(execFile)(process.execPath, [file, '--users', String(users)], { env: environment })
  return JSON.parse(stdout)
}

/** Imports and exports so many users. */
export async function measureTransfer(server, { users, say }) {
  say(`import of ${users} users`)
  const imported = await measure('./import.mjs', server, users)
  say(`export of ${users} users`)
  return { users, imported, exported: await measure('./export.mjs', server, users) }
}
