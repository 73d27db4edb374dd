import { afterAll, beforeAll, beforeEach, expect } from 'vitest'
import { engine, postgresOnly } from './database.ts'
import { boot, type Harness } from './harness.ts'
import { type Cluster, startCluster } from './server-cluster.ts'

let harness: Harness
let cluster: Cluster
let token: string

beforeAll(async () => {
  harness = await boot()
  if (engine === 'postgresql') cluster = await startCluster(harness)
})
beforeEach(async () => {
  await harness.reset()
  token = await harness.adminToken('admin')
})
afterAll(() => cluster?.stop())

const rounds = Array.from({ length: 20 }, (_, round) => String(round))
const identities = () => harness.app.database.prisma.identity

/** Sends the operations at once, each to the next server, and answers their codes; '' of what succeeded. */
async function together(name: string, operations: readonly { query: string; variables: Record<string, unknown> }[]): Promise<string[]> {
  const answers = await Promise.all(operations.map(({ query, variables }, server) => cluster.send(server, query, { token, variables })))
  return answers.map(({ data, errors }) => {
    const payload = data?.[name] as { errors: { code: string }[] } | undefined
    return payload?.errors.map(({ code }) => code).join() ?? JSON.stringify(errors)
  })
}

const link = (userId: string, providerUserId: string, provider = 'google') => ({
  query: 'mutation($input: LinkIdentityInput!) { linkIdentity(input: $input) { errors { code } } }',
  variables: { input: { userId, provider, providerUserId } },
})
const unlink = (id: string) => ({
  query: 'mutation($id: ID!) { unlinkIdentity(input: { id: $id }) { errors { code } } }',
  variables: { id },
})

postgresOnly(
  'of one account that is linked to six users at once, at three servers, one gets it and five are told that it is taken, twenty times',
  async () => {
    const people = await Promise.all(Array.from({ length: 6 }, () => harness.aUser({})))
    for (const providerUserId of rounds) {
      const codes = await together(
        'linkIdentity',
        people.map(({ id }) => link(id, providerUserId)),
      )

      expect(codes.sort()).toEqual(['', ...Array(5).fill('IDENTITY_TAKEN')])
      expect(await identities().count({ where: { providerUserId } })).toBe(1)
    }
    expect(await harness.app.database.prisma.auditEvent.count({ where: { type: 'identity.linked' } })).toBe(rounds.length)
  },
  120_000,
)

postgresOnly(
  'of a user’s last three identities that are unlinked at once, at three servers, one stays, twenty times',
  async () => {
    for (const providerUserId of rounds) {
      const { id: userId } = await harness.aUser({})
      const links = ['google', 'github', 'apple'].map((provider) => link(userId, providerUserId, provider))
      expect(await together('linkIdentity', links)).toEqual(['', '', ''])
      const rows = await identities().findMany({ where: { userId } })

      const codes = await together(
        'unlinkIdentity',
        rows.map(({ id }) => unlink(id)),
      )

      expect(codes.sort()).toEqual(['', '', 'LAST_IDENTITY'])
      expect(await identities().count({ where: { userId } })).toBe(1)
    }
  },
  120_000,
)
