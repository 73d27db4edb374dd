import bcrypt from 'bcryptjs'
import { afterAll, beforeAll, beforeEach, expect } from 'vitest'
import { postgresOnly } from './database.ts'
import { boot, type Harness } from './harness.ts'
import { startServers } from './server-cluster.ts'
import type { ServerProcess } from './server-process.ts'

const password = 'a long pass phrase'
const limits = [
  'signIn.account',
  'signIn.accountDaily',
  'signIn.accountAndNetwork',
  'signIn.network',
  'signUp.network',
  'mail.address',
  'mail.network',
]
const document = `mutation($input: SignInInput!) { signIn(input: $input) { tokens { expiresIn } errors { code } } }`

let harness: Harness
let servers: ServerProcess[] = []

beforeAll(async () => {
  harness = await boot()
})
beforeEach(() => harness.reset())
afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()))
})

/** So many servers on one database. */
async function start(count: number): Promise<readonly ServerProcess[]> {
  const environment = {
    // Time enough on a machine that does much else.
    REQUEST_TIMEOUT_MS: '20000',
    RATE_LIMITS: limits.map((budget) => `${budget}=99999/600`).join(),
  }
  servers = [...servers, ...(await startServers(harness, Math.max(0, count - servers.length), environment))]
  return servers.slice(0, count)
}

type Reply = Readonly<{
  status: number
  ms: number
  data: Record<string, { errors: { code: string }[] }> | null
  retryAfter: string | null
}>

async function post(server: ServerProcess | undefined, query: string, variables: unknown = {}, token?: string): Promise<Reply> {
  const begin = performance.now()
  const response = await fetch(`${server?.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query, variables }),
  })
  const { data } = (await response.json()) as Pick<Reply, 'data'>
  return { status: response.status, ms: performance.now() - begin, data, retryAfter: response.headers.get('retry-after') }
}

const at = (values: readonly number[], share: number) =>
  values.toSorted((one, other) => one - other)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0
const median = (replies: readonly Reply[]) =>
  at(
    replies.map(({ ms }) => ms),
    0.5,
  )

function shuffled<Item>(items: readonly Item[]): Item[] {
  return items
    .map((item) => ({ item, place: Math.random() }))
    .toSorted((one, other) => one.place - other.place)
    .map(({ item }) => item)
}

/** A8: whether the medians are more than 5 % and 2 ms apart, and Mann and Whitney's U says that it is no accident (three sigma). */
function areApart(some: readonly number[], others: readonly number[]): boolean {
  const difference = Math.abs(at(some, 0.5) - at(others, 0.5))
  const wins = some.reduce((sum, time) => sum + others.filter((other) => time > other).length, 0)
  const pairs = some.length * others.length
  const sigma = Math.sqrt((pairs * (some.length + others.length + 1)) / 12)
  return difference > Math.max(at(others, 0.5) * 0.05, 2) && Math.abs(wins - pairs / 2) > 3 * sigma
}

postgresOnly(
  'who exists cannot be told from the time: unknown, wrong, without a password, unverified, blocked, deleted (A8, C2.20)',
  async () => {
    const [server] = await start(1)
    const blocked = await harness.aUser({ username: 'blocked', password })
    const deleted = await harness.aUser({ username: 'deleted', password })
    await harness.aUser({ username: 'known', password })
    await harness.aUser({ username: 'without' })
    await harness.aUser({ username: 'unverified', email: 'unverified@example.com', password })
    await harness.admin(`mutation { blockUser(input: { id: "${blocked.id}" }) { errors { code } } }`)
    await harness.admin(`mutation { deleteUser(input: { id: "${deleted.id}" }) { errors { code } } }`)
    const classes = ['known', 'unknown', 'without', 'unverified', 'blocked', 'deleted', 'mal formed']
    const tryAs = async (username: string) => {
      const right = username === 'blocked' || username === 'deleted'
      const input = { username, password: right ? password : 'another pass phrase' }
      return (await post(server, document, { input })).ms
    }
    for (let count = 0; count < 10; count++) for (const username of classes) await tryAs(username)

    const differences: string[][] = []
    for (let run = 0; run < 3; run++) {
      const times = new Map(classes.map((username) => [username, [] as number[]]))
      for (let count = 0; count < 40; count++) for (const username of shuffled(classes)) times.get(username)?.push(await tryAs(username))
      const known = times.get('known') ?? []
      differences.push([...times].filter(([, values]) => areApart(values, known)).map(([username]) => username))
    }

    // A difference that is noise is not there three times out of three.
    const always = classes.filter((username) => differences.every((run) => run.includes(username)))
    expect(always, JSON.stringify(differences)).toEqual([])
  },
  300_000,
)

postgresOnly(
  'of a burst of 240 sign-ins the queue takes what it can hold, refuses the rest, and `me` of somebody else goes on (T-LOAD-2, L23)',
  async () => {
    const [server] = await start(1)
    const { token } = await harness.aUser({ username: 'reader' })
    await harness.aUser({ username: 'jane', password })
    const me = () => post(server, '{ me { id } }', {}, token)
    for (let count = 0; count < 50; count++) await me()

    let isOver = false
    const input = { username: 'jane', password: 'another pass phrase' }
    const burst = Promise.all(Array.from({ length: 240 }, () => post(server, document, { input }))).finally(() => {
      isOver = true
    })
    const reads: Reply[] = []
    while (!isOver) reads.push(await me())

    const [taken, refused] = [(await burst).filter(({ status }) => status === 200), (await burst).filter(({ status }) => status === 503)]
    expect(taken.length + refused.length).toBe(240)
    expect(refused.length).toBeGreaterThan(0)
    for (const { retryAfter } of refused) expect(retryAfter).toBe('1')
    expect(taken.length).toBeGreaterThan(0)
    expect(reads.map(({ status }) => status)).toEqual(reads.map(() => 200))
    // In the line of the passwords, nothing would have been read before its end.
    expect(median(reads)).toBeLessThan(median(taken) / 2)
  },
  60_000,
)

postgresOnly(
  'while old bcrypt hashes are verified, nobody else waits for them',
  async () => {
    const [server] = await start(1)
    const { token } = await harness.aUser({ username: 'reader' })
    await harness.aUser({ username: 'jane', passwordHash: await bcrypt.hash(password, 11) })
    const me = () => post(server, '{ me { id } }', {}, token)
    for (let count = 0; count < 50; count++) await me()

    let isOver = false
    const signedIn = Promise.all(
      Array.from({ length: 4 }, () => post(server, document, { input: { username: 'jane', password: 'another pass phrase' } })),
    ).finally(() => {
      isOver = true
    })
    const reads: Reply[] = []
    while (!isOver) reads.push(await me())

    expect((await signedIn).map(({ status }) => status)).toEqual([200, 200, 200, 200])
    expect(median(reads)).toBeLessThan(median(await signedIn) / 5)
  },
  60_000,
)

postgresOnly(
  'R13: of sign-ups at three processes with one address, one makes a user, and all are answered alike',
  async () => {
    const processes = await start(3)
    const query = `mutation($input: SignUpInput!) { signUp(input: $input) { user { id } tokens { expiresIn } errors { code } } }`

    for (let round = 0; round < 5; round++) {
      const email = (index: number) => (index % 2 ? `jane${round}@example.com` : `JANE${round}@example.COM`)
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) => post(processes[index % 3], query, { input: { email: email(index), password } })),
      )

      expect(answers.map(({ data }) => data?.['signUp'])).toEqual(answers.map(() => ({ user: null, tokens: null, errors: [] })))
    }
    expect(await harness.app.database.prisma.user.count()).toBe(5)
    expect(await harness.app.database.prisma.auditEvent.count({ where: { type: 'user.signUpRepeated' } })).toBe(95)
  },
  60_000,
)

postgresOnly(
  'of 200 parallel guesses at one account, ten are verified (C2.17, T-RACE-2)',
  async () => {
    await harness.aUser({ username: 'jane', password })
    const query = 'mutation { signIn(input: { username: "jane", password: "another pass phrase" }) { errors { code } } }'

    const answers = await Promise.all(Array.from({ length: 200 }, () => harness.run(query)))

    expect(answers.filter(({ data }) => data?.['signIn'] !== undefined)).toHaveLength(10)
    expect(await harness.app.database.prisma.auditEvent.count({ where: { type: 'user.signInFailed' } })).toBe(10)
  },
  60_000,
)
