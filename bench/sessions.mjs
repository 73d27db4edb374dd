/** What is measured of signing in and of sessions, beside the operations. */

import { availableParallelism } from 'node:os'
import { hashOpaqueToken, newOpaqueToken } from '../dist/crypto/opaque-token.js'
import { hashPassword, verifyPassword } from '../dist/crypto/password-hash.js'
import { query } from './database.mjs'
import { sendRequests } from './load.mjs'

const password = 'only the bench knows this password'

/** Without limits that a load generator meets at once. */
export const rateLimits = ['signIn.account', 'signIn.accountDaily', 'signIn.accountAndNetwork', 'signIn.network', 'refresh.network']
  .map((name) => `${name}=999999/600`)
  .join()

/** Gives each sampled user the same password. */
export async function givePasswords({ url }) {
  const insert = `
    insert into roster.password_credentials (user_id, hash) select user_id, $1 from public.bench_keys
    on conflict (user_id) do update set hash = excluded.hash`
  await query(url, insert, [await hashPassword(password)])
}

const tokens = 'tokens { accessToken refreshToken } errors { message }'
const signIn = `mutation ($input: SignInInput!) { signIn(input: $input) { ${tokens} } }`
const refreshSession = `mutation ($input: RefreshSessionInput!) { refreshSession(input: $input) { ${tokens} } }`
const requestOf = (query, input) => ({ body: JSON.stringify({ query, variables: { input } }), token: null })

/** New refresh tokens of these sessions: a run uses up those it begins with. */
async function renewals({ url }, sessionIds) {
  const refreshTokens = sessionIds.map(newOpaqueToken)
  const insert = `
    insert into roster.refresh_tokens (token_hash, session_id, created_at)
    select token_hash, session_id, now() from unnest($1::bytea[], $2::uuid[]) as sent (token_hash, session_id)`
  await query(url, insert, [refreshTokens.map(hashOpaqueToken), sessionIds])
  return refreshTokens.map((refreshToken) => requestOf(refreshSession, { refreshToken }))
}

/** How often this process finds out who calls, by tokens of all sampled users, when it does nothing else: what is asked at each request. */
async function findCallers({ authenticate }, tokens, { connections, seconds }) {
  const begin = performance.now()
  let count = 0
  const findOn = async () => {
    while (performance.now() - begin < seconds * 1000) await authenticate(tokens[count++ % tokens.length])
  }
  await Promise.all(Array.from({ length: connections }, findOn))
  return { rate: (count * 1000) / (performance.now() - begin) }
}

/** How many passwords the machine verifies when it does nothing else, on as many threads as there are cores. */
async function verifyPasswords(seconds) {
  const hash = await hashPassword(password)
  const begin = performance.now()
  let count = 0
  const verifyOn = async () => {
    while (performance.now() - begin < seconds * 1000) {
      await verifyPassword(hash, password)
      count++
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, verifyOn))
  return { rate: (count * 1000) / (performance.now() - begin) }
}

/** The contenders, by what the report calls them. */
export async function sessionContenders({ database, roster }, options) {
  const app = await roster.open()
  const tokens = roster.requests.A.map(({ token }) => token)
  const signIns = database.samples.map(({ email }) => requestOf(signIn, { email, password }))
  const send = (requests, url = roster.url) => sendRequests({ url, requests, ...options })
  const one = () => sendRequests({ url: roster.url, requests: roster.requests.A, ...options, connections: 1 })
  const contenders = [
    ['sessions', 'argon2', () => verifyPasswords(options.seconds)],
    ['sessions', 'signIn', () => send(signIns)],
    ['sessions', 'alone', one],
    ['sessions', 'meanwhile', async () => (await Promise.all([one(), send(signIns)]))[0]],
    ['sessions', 'refreshSession', async () => send(await renewals(database, roster.sessionIds))],
    ['sessions', 'known', () => send(roster.requests.A)],
    ['sessions', 'callers', () => findCallers(app, tokens, options)],
  ]
  return { contenders, close: app.close }
}
