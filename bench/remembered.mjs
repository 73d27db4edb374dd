/** Roster that asks once only who brings a token, to see what asking at each request costs. */

import { createApp } from '../dist/app.js'
import { parseConfig } from '../dist/config.js'
import { createServer } from '../dist/server.js'

const config = parseConfig(process.env)
const app = await createApp(config)
const principals = new Map()

async function authenticate(token) {
  if (!principals.has(token)) principals.set(token, await app.authenticate(token))
  return principals.get(token)
}

await createServer({ ...app, authenticate }, { graph: 'whole' }).listen(config.port, config.host)
