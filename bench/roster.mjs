/** Roster, built, on a database, and those who call it. */

import { createApp, systemScope } from '../dist/app.js'
import { parseConfig } from '../dist/config.js'
import { createAdminToken } from '../dist/domain/admin-token.js'
import { startSession } from '../dist/domain/session.js'
import { operations } from './operations.mjs'
import { ask, startService } from './service.mjs'
import { givePasswords, rateLimits } from './sessions.mjs'

/** The longest page. */
const stride = 250

/** The start of the list; a cursor is for Roster, the id it stands for for the others. */
const start = { afterId: '00000000-0000-0000-0000-000000000000' }

/** As an operator would run it; tokens outlive the bench. */
export const environment = (database) => ({
  NODE_ENV: 'production',
  HOST: '127.0.0.1',
  DATABASE_URL: database.url,
  ROSTER_SECRET: 'only the bench knows this secret',
  PUBLIC_URL: 'http://roster.example',
  ACCESS_TOKEN_SECONDS: '3600',
  EMAIL_CONFIRMATION: 'off',
  RATE_LIMITS: rateLimits,
})

/** Starts a server on a database. Answers it with `requests` by the name of the operation, each a list to send over and over. */
export async function startRoster(database, deepRow) {
  const tokens = await signIn(database)
  await givePasswords(database)
  const startOne = () =>
    startService(['../dist/main.js', 'serve'], environment(database), { body: '{"query":"{ me { id } }"}', token: tokens.users[0] })
  const service = await startOne()
  const cursors = { first: start, deep: await cursorAt(service.url, tokens.admin, deepRow) }
  const requests = Object.fromEntries(
    Object.entries(operations).map(([name, operation]) => [name, requestsOf(operation, { ...database, cursors, tokens })]),
  )
  return { ...service, cursors, requests, startOne, sessionIds: tokens.sessionIds, open: () => openRoster(database) }
}

/** Roster in this process, without a server. */
const openRoster = (database) => createApp(parseConfig(environment(database)))

/** An admin token, and a session of each sampled user. */
async function signIn({ samples, ...database }) {
  const app = await openRoster(database)
  try {
    const scope = { ...systemScope(app), accessTokens: app.accessTokens }
    const scopes = ['read:users', 'read:users_app_metadata']
    const { token: admin } = await createAdminToken(scope, { name: 'bench', scopes })
    const sessions = []
    for (const { id: userId } of samples) {
      const input = { userId, connection: null, aal: 'aal1', amr: ['pwd'], ip: null, userAgent: null }
      sessions.push(await startSession(scope, app.authentication, input))
    }
    return { admin, users: sessions.map(({ accessToken }) => accessToken), sessionIds: sessions.map(({ sessionId }) => sessionId) }
  } finally {
    await app.close()
  }
}

function requestsOf({ caller, query, variables }, { samples, cursors, tokens }) {
  return samples.map((sample, index) => ({
    body: JSON.stringify({ query, variables: variables(sample, cursors) }),
    token: caller === 'admin' ? tokens.admin : tokens.users[index],
  }))
}

/** Walks down the list. */
async function cursorAt(url, token, row) {
  const query = `query ($after: String, $first: Int) { users(first: $first, after: $after) { nodes { id } pageInfo { endCursor } } }`
  let position = start
  for (let done = 0; done < row; done += stride) {
    const variables = { ...position, first: Math.min(stride, row - done) }
    const { users } = await ask(url, { body: JSON.stringify({ query, variables }), token })
    position = { after: users.pageInfo.endCursor, afterId: users.nodes.at(-1).id }
  }
  return position
}
