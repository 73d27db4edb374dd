import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import { afterAll, beforeAll, expect } from 'vitest'
import { postgresOnly } from './database.ts'
import { ask, pause, run, until } from './faults/serving.ts'
import { boot, type Harness } from './harness.ts'
import { serverEnvironment, startServers } from './server-cluster.ts'
import type { ServerProcess } from './server-process.ts'

const create = 'mutation { createAdminToken(input: { name: "load", scopes: ["read:users"] }) { token errors { code } } }'
const publishedSeconds = 18

let harness: Harness
let servers: ServerProcess[] = []
let environment: Record<string, string>

beforeAll(async () => {
  harness = await boot()
  await harness.reset()
})
afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()))
})

async function cluster(): Promise<void> {
  if (servers.length > 0) return
  environment = serverEnvironment(harness)
  servers = await startServers(harness, 3)
}

const db = () => harness.app.database.prisma
const url = (index: number) => servers[index % servers.length]?.url ?? ''
const kidOf = (token: string) => decodeProtectedHeader(token).kid ?? ''
const command = (...words: string[]) => run(['keys', ...words], environment).ended
const publishedAt = async (index: number) => {
  const { keys } = (await (await fetch(`${url(index)}/.well-known/jwks.json`)).json()) as { keys: { kid: string }[] }
  return keys.map(({ kid }) => kid)
}
const everywhere = async (isSo: (index: number) => Promise<boolean>) =>
  (await Promise.all(servers.map((_, index) => isSo(index)))).every(Boolean)

/** Rotates, with seconds for the hour that a key is published before it signs, and waits until all servers sign with it. */
async function rotate(signsWith: () => readonly string[]): Promise<string> {
  const { code, stderr } = await command('rotate')
  expect([code, stderr]).toEqual([0, expect.stringContaining('Made ')])
  const [next] = await db().signingKey.findMany({ orderBy: { activatesAt: 'desc' } })
  const activatesAt = new Date(Date.now() + publishedSeconds * 1000)
  await db().signingKey.update({ where: { id: next?.id ?? '' }, data: { activatesAt } })
  await until(async () => Date.now() > activatesAt.getTime() && signsWith().every((kid) => kid === next?.id), 60_000)
  return next?.id ?? ''
}

postgresOnly(
  'R22, C4.53: two rotations under load fail no verification, by servers or a third party; old keys go; a dropped one is refused everywhere in a minute',
  async () => {
    await cluster()
    const firstToken = await harness.adminToken('admin')
    const failures: unknown[] = []
    const verified: string[] = []
    const lastKids = ['', '', '']
    let isOver = false
    // It reads the keys when they are four seconds old, and never because of a key it does not know.
    const thirdParty = servers.map(({ url }) =>
      createRemoteJWKSet(new URL(`${url}/.well-known/jwks.json`), { cacheMaxAge: 4000, cooldownDuration: 600_000 }),
    )
    const client = async (index: number) => {
      for (let turn = index; !isOver; turn++) {
        const { data, codes } = await ask(url(index), firstToken, create)
        const token: string = data?.createAdminToken?.token ?? ''
        if (token === '') failures.push(codes)
        else {
          lastKids[index] = kidOf(token)
          await jwtVerify(token, thirdParty[(turn + 1) % 3] as ReturnType<typeof createRemoteJWKSet>).then(
            () => verified.push(kidOf(token)),
            (error) => failures.push(String(error)),
          )
          const reply = await ask(url(turn + 2), token, '{ users(first: 1) { totalCount } }')
          if (reply.codes.length > 0) failures.push(reply.codes)
        }
      }
    }
    const clients = [0, 1, 2].map(client)
    const original = kidOf(firstToken)
    const second = await rotate(() => lastKids)
    const third = await rotate(() => lastKids)
    isOver = true
    await Promise.all(clients)

    expect(failures).toEqual([])
    expect(new Set(verified)).toEqual(new Set([original, second, third]))
    expect(verified.length).toBeGreaterThan(300)
    expect(await everywhere(async (index) => String(await publishedAt(index)) === String([third, second, original]))).toBe(true)

    // Three hours pass, and the admin tokens are revoked.
    await db().$executeRaw`update roster.signing_keys set activates_at = activates_at - interval '3 hours'`
    await db().adminToken.updateMany({ data: { revokedAt: new Date() } })
    await until(() => everywhere(async (index) => String(await publishedAt(index)) === third), 40_000)
    expect(await db().signingKey.findMany({ select: { id: true } })).toEqual([{ id: third }])

    await harness.app.signingKeys.refresh()
    const stolen = await harness.adminToken('admin')
    const statusOf = async (index: number) => (await ask(url(index), stolen, '{ users(first: 1) { totalCount } }')).status
    expect(await everywhere(async (index) => (await statusOf(index)) === 200)).toBe(true)
    const droppedAt = performance.now()
    expect((await command('drop', third)).code).toBe(0)
    await until(() => everywhere(async (index) => (await statusOf(index)) === 401), 60_000)
    expect(performance.now() - droppedAt).toBeLessThan(30_000)
    expect(await everywhere(async (index) => !(await publishedAt(index)).includes(third))).toBe(true)
    await harness.app.signingKeys.refresh()
    const fresh = await harness.adminToken('admin')
    expect(await everywhere(async (index) => (await ask(url(index), fresh, create)).codes.length === 0)).toBe(true)
  },
  240_000,
)

postgresOnly(
  'of three processes that rotate at once one makes the next key, in each of three rounds',
  async () => {
    await cluster()
    for (let round = 0; round < 3; round++) {
      const ended = await Promise.all([1, 2, 3].map(() => command('rotate')))
      expect(ended.map(({ code }) => code).sort()).toEqual([0, 1, 1])
      expect(await db().signingKey.count({ where: { activatesAt: { gt: new Date() } } })).toBe(1)
      await db().signingKey.deleteMany({ where: { activatesAt: { gt: new Date() } } })
    }
  },
  120_000,
)

postgresOnly(
  'servers make the next key by themselves, one for all, and use it',
  async () => {
    await cluster()
    await db().$executeRaw`update roster.signing_keys set activates_at = activates_at - interval '91 days'`
    await until(() => everywhere(async (index) => (await publishedAt(index)).length === 2), 30_000)
    await pause(11_000)

    expect(await db().signingKey.count()).toBe(2)
  },
  60_000,
)
