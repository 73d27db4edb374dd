/**
 * PostGraphile on Roster's tables, as its documents put it up: row-level security by the settings that it makes for each request. It is
 * not held to verify the token. `POSTGRAPHILE` is a folder where it is installed.
 */

import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const from = createRequire(join(process.env['POSTGRAPHILE'], 'package.json'))
const { postgraphile } = from('postgraphile')
const { PostGraphileAmberPreset } = from('postgraphile/presets/amber')
const { makePgService } = from('postgraphile/adaptors/pg')
const { grafserv } = from('postgraphile/grafserv/node')

/** What the policies look at. An admin token has scopes, a user's none. */
function settingsOf({ headers: { authorization } }) {
  const { sub, scope } = JSON.parse(Buffer.from(authorization.split('.')[1], 'base64url').toString())
  return { role: 'bench_visitor', 'jwt.claims.sub': scope === '' ? sub : '', 'jwt.claims.scope': scope }
}

const service = makePgService({
  connectionString: process.env['DATABASE_URL'],
  schemas: ['roster'],
  poolConfig: { max: Number(process.env['DATABASE_POOL_SIZE']) },
})
const instance = postgraphile({
  extends: [PostGraphileAmberPreset],
  pgServices: [service],
  grafserv: { graphiql: false, watch: false },
  grafast: { explain: false, context: ({ node }) => ({ pgSettings: settingsOf(node.req) }) },
})
const server = createServer()
await instance.createServ(grafserv).addTo(server)
server.listen(Number(process.env['PORT']), '127.0.0.1')
