/** Roster beside PostGraphile with row-level security, on the same operations and the same rows. */

import { createDatabase, query } from './database.mjs'
import { sendRequests } from './load.mjs'
import { inRounds } from './measure.mjs'
import { startRoster } from './roster.mjs'
import { ask, startService } from './service.mjs'

/** Somebody sees his own rows, and an admin token with its scope sees all of them. */
const policy = (table, column) => `
  alter table roster.${table} enable row level security;
  create policy own on roster.${table} to bench_visitor using (
    ${column} = (select nullif(current_setting('jwt.claims.sub', true), '')::uuid)
    or (select current_setting('jwt.claims.scope', true) like '%read:users%')
  );`
const tables = { users: 'id', profiles: 'user_id', identities: 'user_id' }
const security = `
  do $$ begin create role bench_visitor; exception when duplicate_object then null; end $$;
  grant usage on schema roster to bench_visitor;
  grant select, update on ${Object.keys(tables).map((table) => `roster.${table}`)} to bench_visitor;
  ${Object.entries(tables)
    .map(([table, column]) => policy(table, column))
    .join('')}`

const fields = 'rowId email profileByUserId { name }'

/** What Roster's operations are there. C puts new metadata in the place of the old, without history. */
const operations = {
  A: `query ($id: UUID!) { userByRowId(rowId: $id) { ${fields} userMetadata identitiesByUserId { nodes { provider } } } }`,
  B: `{ allUsers(first: 20) { nodes { ${fields} createdAt } pageInfo { hasNextPage endCursor } } }`,
  C: 'mutation ($id: UUID!, $patch: JSON!) { updateUserByRowId(input: { rowId: $id, userPatch: { userMetadata: $patch } }) { user { rowId userMetadata } } }',
  D: `query ($email: String!) { allUsers(first: 1, condition: { emailNormal: $email }) { nodes { ${fields} } } }`,
}

function requestsOf(operation, requests) {
  return requests.map(({ body, token }) => ({ token, body: JSON.stringify({ query: operation, variables: JSON.parse(body).variables }) }))
}

/** How fast each of both does each operation. `folder` is where PostGraphile is installed. What it opens it hands to `keep`. */
export async function measurePostgraphile(server, options, folder, keep) {
  // A role is the whole server's, and stands as long as a database has something of it.
  keep({ close: () => query(server.url, 'drop role if exists bench_visitor') })
  const database = keep(await createDatabase(server, options.users))
  const roster = keep(await startRoster(database, options.users / 2))
  await query(database.url, security)
  const requests = Object.fromEntries(Object.entries(operations).map(([name, text]) => [name, requestsOf(text, roster.requests[name])]))
  const environment = { DATABASE_URL: database.url, POSTGRAPHILE: folder, GRAPHILE_ENV: 'production', NODE_ENV: 'production' }
  const other = keep(await startService(['./postgraphile-server.mjs'], environment, requests.A[0]))
  for (const [one] of Object.values(requests)) await assertAnswers(other.url, one)
  const contenders = Object.keys(operations).flatMap((name) => [
    [name, 'roster', () => sendRequests({ url: roster.url, requests: roster.requests[name], ...options })],
    [name, 'postgraphile', () => sendRequests({ url: other.url, requests: requests[name], ...options })],
  ])
  return inRounds(contenders, options)
}

/** Who is not seen is null there, and no error. */
async function assertAnswers(url, request) {
  const [answer] = Object.values(await ask(url, request))
  if (answer === null || answer.nodes?.length === 0) throw new Error(`PostGraphile does not see who is asked for by ${request.body}`)
}
