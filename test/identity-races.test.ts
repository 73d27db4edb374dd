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

const merge = (sourceUserId: string, targetUserId: string) => ({
  query: 'mutation($input: MergeUsersInput!) { mergeUsers(input: $input) { errors { code } } }',
  variables: { input: { sourceUserId, targetUserId } },
})

postgresOnly(
  'of two users who are merged into each other at once, at three servers, one stays with the identities of both, twenty times',
  async () => {
    for (const providerUserId of rounds) {
      const [one, other] = await Promise.all([harness.aUser({ username: 'jane' }), harness.aUser({})])
      await together('linkIdentity', [link(one.id, providerUserId), link(other.id, providerUserId, 'github')])

      const codes = await together('mergeUsers', [merge(one.id, other.id), merge(other.id, one.id), merge(one.id, other.id)])

      expect(codes.sort()).toEqual(['', 'USER_NOT_FOUND', 'USER_NOT_FOUND'])
      const left = await harness.app.database.prisma.user.findMany({ where: { id: { in: [one.id, other.id] } } })
      expect(left).toMatchObject([{ username: 'jane' }])
      expect(await identities().count({ where: { userId: left[0]?.id ?? '' } })).toBe(2)
      await harness.app.database.prisma.user.deleteMany()
    }
  },
  120_000,
)

postgresOnly(
  'of five users who are merged into one at once, at three servers, everything arrives, ten times',
  async () => {
    for (const providerUserId of rounds.slice(0, 10)) {
      const target = await harness.aUser({})
      const people = await Promise.all([1, 2, 3, 4, 5].map((key) => harness.aUser({ userMetadata: { [`key${key}`]: key } })))
      const links = people.map(({ id }, index) => link(id, providerUserId, `provider${index}`))
      await together('linkIdentity', links)

      const codes = await together(
        'mergeUsers',
        people.map(({ id }) => merge(id, target.id)),
      )

      expect(codes).toEqual(Array(5).fill(''))
      const { prisma } = harness.app.database
      const row = await prisma.user.findUniqueOrThrow({ where: { id: target.id } })
      expect([Object.keys(row.userMetadata as object).length, row.version]).toEqual([5, 6])
      expect(await identities().count({ where: { userId: target.id } })).toBe(5)
      expect(await prisma.auditEvent.count({ where: { userId: target.id } })).toBe(1 + 5 * 4)
    }
  },
  120_000,
)

postgresOnly(
  'whoever signs in while he is merged is signed in as the source, whose session is over, or as nobody, or as the target, ten times',
  async () => {
    const query =
      'mutation { signIn(input: { username: "jane", password: "a long pass phrase" }) { user { id } tokens { accessToken } errors { code } } }'
    for (const _ of rounds.slice(0, 10)) {
      const [source, target] = [await harness.aUser({ username: 'jane', password: 'a long pass phrase' }), await harness.aUser({})]
      const merging = together('mergeUsers', [merge(source.id, target.id)])
      const answers = await Promise.all([1, 2, 3].map((server) => cluster.send(server, query)))

      expect(await merging).toEqual([''])
      for (const { data } of answers) {
        const signedIn = data?.['signIn'] as { tokens: { accessToken: string } | null; errors: { code: string }[] }
        if (signedIn.tokens === null) expect(signedIn.errors).toEqual([{ code: 'INVALID_CREDENTIALS' }])
        else {
          const { status, data: own } = await harness.run('{ me { id } }', { token: signedIn.tokens.accessToken })
          if (status === 200) expect(own).toEqual({ me: { id: target.id } })
          else expect(status).toBe(401)
        }
      }
      await harness.app.database.prisma.user.deleteMany()
      await harness.app.database.prisma.rateLimit.deleteMany()
    }
  },
  120_000,
)
