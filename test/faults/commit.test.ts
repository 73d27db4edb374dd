import { afterAll, beforeAll, expect } from 'vitest'
import { type Cluster, clusterTest, isClusterRun, startCluster } from './cluster.ts'
import { type CommitProxy, startProxy } from './proxy.ts'
import { type Serving, serve } from './serving.ts'

let cluster: Cluster
let proxy: CommitProxy
let roster: Serving

beforeAll(async () => {
  if (!isClusterRun) return
  cluster = await startCluster()
  proxy = await startProxy(cluster.url)
  roster = await serve(proxy.url)
})
afterAll(async () => {
  await roster?.remove()
  proxy?.close()
  await cluster?.remove()
})

const createUser = 'mutation($input: CreateUserInput!) { createUser(input: $input) { user { id version } errors { code } } }'
const updateUser = 'mutation($input: UpdateUserInput!) { updateUser(input: $input) { user { version userMetadata } errors { code } } }'

async function aUser(username: string): Promise<string> {
  return (await roster.ask(createUser, { input: { username, userMetadata: { plan: 'free' } } })).data.createUser.user.id
}

async function events(subject: string): Promise<unknown[]> {
  return cluster.sql(`SELECT type FROM roster.audit_events WHERE subject_id = '${subject}' ORDER BY id`)
}

/** How a change is committed, what is in the message that does it, and a change like that. */
const commits = [
  ['a transaction', 'COMMIT', { userMetadata: { plan: 'paid' }, profile: { nickname: 'Paid' } }],
  ['one statement', 'json_changes', { userMetadata: { plan: 'paid' } }],
] as const

for (const [how, message, patch] of commits) {
  clusterTest(
    `R3: a change by ${how} that is committed and whose answer is lost is SERVICE_UNAVAILABLE, and with expectedVersion it is not done twice`,
    async () => {
      const id = await aUser(`after.${message}`)
      const change = { input: { id, expectedVersion: 1, ...patch } }

      const cutsBefore = proxy.cuts()
      proxy.cutAt(message, 'after')
      const lost = await roster.ask(updateUser, change)
      const again = await roster.ask(updateUser, change)

      expect([lost.status, lost.retryAfter, lost.codes]).toEqual([503, '1', ['SERVICE_UNAVAILABLE']])
      expect(again.codes).toEqual(['VERSION_CONFLICT'])
      expect(proxy.cuts()).toBe(cutsBefore + 1)
      const rows = await cluster.sql(`SELECT version, user_metadata FROM roster.users WHERE id = '${id}'`)
      expect(rows).toEqual([{ version: 2, user_metadata: { plan: 'paid' } }])
      expect(await events(id)).toEqual([{ type: 'user.created' }, { type: 'user.updated' }])
    },
  )

  clusterTest(`R3: a change by ${how} that is lost on its way is SERVICE_UNAVAILABLE, and its repetition succeeds`, async () => {
    const id = await aUser(`before.${message}`)
    const change = { input: { id, expectedVersion: 1, ...patch } }

    const cutsBefore = proxy.cuts()
    proxy.cutAt(message, 'before')
    const lost = await roster.ask(updateUser, change)
    const again = await roster.ask(updateUser, change)

    expect([lost.status, lost.retryAfter, lost.codes]).toEqual([503, '1', ['SERVICE_UNAVAILABLE']])
    expect([again.codes, again.data.updateUser.user]).toEqual([[], { version: 2, userMetadata: { plan: 'paid' } }])
    expect(proxy.cuts()).toBe(cutsBefore + 1)
    expect(await events(id)).toEqual([{ type: 'user.created' }, { type: 'user.updated' }])
  })
}

clusterTest('R3: a user whose creation was done but not answered is found by what is unique of him', async () => {
  proxy.cutAt('COMMIT', 'after')
  const input = { externalId: 'crm-1', username: 'unique' }
  const lost = await roster.ask(createUser, { input })
  const again = await roster.ask(createUser, { input })
  const found = await roster.ask('{ user(by: { externalId: "crm-1" }) { username version } }')

  expect(lost.codes).toEqual(['SERVICE_UNAVAILABLE'])
  expect(again.codes[0]).toMatch(/^(EXTERNAL_ID|USERNAME)_TAKEN$/)
  expect(found.data.user).toEqual({ username: 'unique', version: 1 })
})

const signIn = 'mutation($input: SignInInput!) { signIn(input: $input) { tokens { refreshToken } errors { code } } }'
const refreshSession =
  'mutation($input: RefreshSessionInput!) { refreshSession(input: $input) { tokens { refreshToken } errors { code } } }'

for (const [when, happened] of [
  ['before', 1],
  ['after', 2],
] as const)
  clusterTest(`C5.58, R3: a session whose renewal is cut ${when} it is done is renewed when the same token is sent again`, async () => {
    const name = { username: `renewed.${when}`, password: 'a long pass phrase' }
    const { id } = (await roster.ask(createUser, { input: name })).data.createUser.user
    const { refreshToken } = (await roster.ask(signIn, { input: name })).data.signIn.tokens

    proxy.cutAt('session.refreshed', when)
    const lost = await roster.ask(refreshSession, { input: { refreshToken } })
    const again = await roster.ask(refreshSession, { input: { refreshToken } })
    const next = await roster.ask(refreshSession, { input: again.data.refreshSession.tokens })

    expect([lost.status, lost.retryAfter, lost.codes]).toEqual([503, '1', ['SERVICE_UNAVAILABLE']])
    expect([again.codes, next.codes]).toEqual([[], []])
    const renewals = (await events(id)).filter((event) => (event as { type: string }).type === 'session.refreshed')
    expect(renewals).toHaveLength(happened + 1)
  })
