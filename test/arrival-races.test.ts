import { afterAll, beforeAll, beforeEach, expect } from 'vitest'
import type { ConnectionSettings } from '../src/domain/connection/connection-settings.ts'
import { arrivalsOn } from './arrivals.ts'
import { engine, postgresOnly } from './database.ts'
import { boot, type Harness } from './harness.ts'
import { type Provider, startProvider } from './provider.ts'
import { type Cluster, startCluster } from './server-cluster.ts'

let harness: Harness
let provider: Provider
let cluster: Cluster

const budget = { RATE_LIMITS: 'signIn.network=99999/60' }

beforeAll(async () => {
  harness = await boot(budget)
  provider = await startProvider(() => new Date(), 'ES256')
  if (engine === 'postgresql') cluster = await startCluster(harness, budget)
})
beforeEach(async () => {
  await harness.reset()
  const settings = { issuer: provider.issuer, clientId: provider.clientId, linkByVerifiedEmail: true } as ConnectionSettings
  await arrivalsOn(harness).aConnection(settings)
  await arrivalsOn(harness).aConnection(settings, 'other')
})
afterAll(async () => {
  provider?.close()
  await cluster?.stop()
})

const rounds = Array.from({ length: 12 }, (_, round) => String(round))
const db = () => harness.app.database.prisma

/** Brings the tokens to the three servers at once, and answers whom they signed in, or the codes of what went wrong. */
function together(sent: readonly { idToken: string; connection?: string }[]): Promise<string[]> {
  const query = 'mutation($input: SignInWithIdTokenInput!) { signInWithIdToken(input: $input) { user { id } errors { code } } }'
  return Promise.all(
    sent.map(async ({ idToken, connection = 'acme' }, server) => {
      const { data, errors } = await cluster.send(server, query, { variables: { input: { connection, idToken } } })
      const payload = data?.['signInWithIdToken'] as { user: { id: string } | null; errors: { code: string }[] } | undefined
      return payload?.user?.id ?? payload?.errors[0]?.code ?? JSON.stringify(errors)
    }),
  )
}

const tokens = (count: number, claims: (index: number) => Record<string, unknown>) =>
  Promise.all(Array.from({ length: count }, async (_, index) => ({ idToken: await provider.idToken({ claims: claims(index) }) })))

postgresOnly(
  'nine first arrivals of one subject at once, at three servers, make one user and nine sessions, twelve times',
  async () => {
    for (const sub of rounds) {
      const email = `${sub}@example.com`
      const ids = await together(await tokens(9, () => ({ sub, email, email_verified: true, name: 'Jane' })))

      expect(new Set(ids).size).toBe(1)
      expect(await db().user.findMany({ where: { emailNormal: email }, select: { id: true, signInCount: true } })).toEqual([
        { id: ids[0], signInCount: 9 },
      ])
      expect(await db().session.count({ where: { userId: ids[0] ?? '' } })).toBe(9)
    }
    expect(await db().user.count()).toBe(rounds.length)
    expect(await db().auditEvent.count({ where: { type: 'user.signedUp' } })).toBe(rounds.length)
  },
  120_000,
)

postgresOnly(
  'one token that is brought nine times at once, to three servers, signs in once, twelve times',
  async () => {
    for (const sub of rounds) {
      const [token] = await tokens(1, () => ({ sub }))
      const ids = await together(Array.from({ length: 9 }, () => token ?? { idToken: '' }))

      expect(ids.filter((id) => id === 'TOKEN_NOT_VALID')).toHaveLength(8)
    }
    expect([await db().user.count(), await db().session.count()]).toEqual([rounds.length, rounds.length])
  },
  120_000,
)

postgresOnly(
  'one verified address that arrives by two connections at once, at three servers, makes one user, twelve times',
  async () => {
    for (const sub of rounds) {
      const email = `${sub}@example.com`
      const six = await tokens(6, (index) => ({ sub: `${sub}-${index}`, email, email_verified: true }))
      const ids = await together(six.map((token, index) => ({ ...token, connection: index % 2 === 0 ? 'acme' : 'other' })))

      expect(new Set(ids).size).toBe(1)
      expect(await db().identity.count({ where: { userId: ids[0] ?? '' } })).toBe(6)
    }
  },
  120_000,
)

postgresOnly(
  'whoever signs up with the address of somebody who arrives at the same time shares nothing with him, twelve times',
  async () => {
    for (const sub of rounds) {
      const email = `${sub}@example.com`
      const [token] = await tokens(1, () => ({ sub, email, email_verified: true }))
      const signUp = 'mutation($email: String!) { signUp(input: { email: $email, password: "a long passphrase" }) { errors { code } } }'
      const [[id]] = await Promise.all([together([token ?? { idToken: '' }]), cluster.send(1, signUp, { variables: { email } })])

      const user = await db().user.findUniqueOrThrow({ where: { id: id ?? '' }, include: { passwordCredential: true } })
      expect(user).toMatchObject({ emailNormal: email, emailVerified: true, passwordCredential: null })
      expect(await db().user.count({ where: { emailNormal: email } })).toBe(1)
    }
  },
  120_000,
)
