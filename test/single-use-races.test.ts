import { afterAll, beforeAll, beforeEach, expect } from 'vitest'
import { type IssuedToken, issueToken, type LinkType } from '../src/domain/one-time-token.ts'
import { type ACode, codesOn } from './codes.ts'
import { postgresOnly } from './database.ts'
import { boot, type Harness } from './harness.ts'
import { startServers } from './server-cluster.ts'
import type { ServerProcess } from './server-process.ts'

const rounds = 40
const roundsAtOnce = 2
const uses = 20
const budgets = ['verify.network', 'code.account', 'reauthenticate.account'].map((name) => `${name}=100000/60`).join()

let harness: Harness
let servers: ServerProcess[] = []

beforeAll(async () => {
  harness = await boot()
})
beforeEach(() => harness.reset())
afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()))
})

async function cluster(): Promise<void> {
  if (servers.length > 0) return
  servers = await startServers(harness, 3, {
    DATABASE_POOL_SIZE: '20',
    RATE_LIMITS: budgets,
    REQUEST_TIMEOUT_MS: '30000',
    STATEMENT_TIMEOUT_MS: '20000',
  })
}

/** One use of something at a server: whether it succeeded, or why not. */
type Use = (url: string, index: number) => Promise<string>
type Subject = Readonly<{ email: string; token: string; issued: IssuedToken }>

async function aSubject(round: number, type: LinkType): Promise<Subject> {
  const email = `user${round}@example.com`
  const { id, token } = await harness.aUser({ email, emailVerified: true })
  const { app, clock } = harness
  const newEmail = { email: `new${round}@example.com`, normal: `new${round}@example.com` }
  const issue = { type, userId: id, emailNormal: email, newEmail: type.startsWith('EMAIL') ? newEmail : null }
  const now = clock.now()
  if (type === 'EMAIL_CHANGE_NEW')
    await issueToken({ db: app.database.prisma, now }, app.authentication.secrets, { ...issue, type: 'EMAIL_CHANGE_CURRENT' })
  return { email, token, issued: await issueToken({ db: app.database.prisma, now }, app.authentication.secrets, issue) }
}

/** Uses it twenty times at once, at three processes, over all the doors; forty rounds. How often each outcome was seen in a round. */
async function race(type: LinkType, doorsOf: (subject: Subject) => readonly Use[]): Promise<Record<string, number>[]> {
  await cluster()
  const outcomes: Record<string, number>[] = []
  for (let round = 0; round < rounds; round += roundsAtOnce) {
    const subjects = await Promise.all(Array.from({ length: roundsAtOnce }, (_, index) => aSubject(round + index, type)))
    outcomes.push(...(await Promise.all(subjects.map((subject) => useAtOnce(doorsOf(subject))))))
  }
  return outcomes
}

async function useAtOnce(doors: readonly Use[]): Promise<Record<string, number>> {
  const answers = await Promise.all(
    Array.from({ length: uses }, (_, index) => doors[index % doors.length]?.(servers[index % servers.length]?.url ?? '', index)),
  )
  const counts: Record<string, number> = {}
  for (const answer of answers) counts[answer ?? ''] = (counts[answer ?? ''] ?? 0) + 1
  return counts
}

function mutate(name: string, input: (index: number) => object, token: string | null = null): Use {
  const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input!`
  const query = `mutation($input: ${type}) { ${name}(input: $input) { errors { code } } }`
  return async (url, index) => {
    const headers = { 'content-type': 'application/json', ...(token === null ? {} : { authorization: `Bearer ${token}` }) }
    const body = JSON.stringify({ query, variables: { input: input(index) } })
    const answer = await (await fetch(`${url}/graphql`, { method: 'POST', headers, body })).json()
    const { data, errors } = answer as { data?: Record<string, { errors: { code: string }[] } | null>; errors?: Failed[] }
    return data?.[name]?.errors.map(({ code }) => code).join() ?? errors?.map(({ extensions }) => extensions.code).join() ?? 'nothing'
  }
}

type Failed = Readonly<{ extensions: { code: string } }>

/** The button of the page: 200 says that it is done. */
function press(fields: Record<string, string>): Use {
  return async (url) => {
    const { status } = await fetch(`${url}/auth/verify`, { method: 'POST', redirect: 'manual', body: new URLSearchParams(fields) })
    return { 200: '', 400: 'TOKEN_NOT_VALID', 503: 'SERVICE_UNAVAILABLE' }[status] ?? String(status)
  }
}

/** In every round one use succeeds. The others are told why not; one that waited too long for its turn may be told to come back. */
function expectOneSuccess(outcomes: readonly Record<string, number>[], loser: string): void {
  expect(outcomes.map((counts) => counts[''])).toEqual(Array(rounds).fill(1))
  const answers = new Set(outcomes.flatMap((counts) => Object.keys(counts)))
  expect([...answers].filter((answer) => !['', loser, 'SERVICE_UNAVAILABLE'].includes(answer))).toEqual([])
  expect(answers).toContain(loser)
}

for (const type of ['SIGNUP', 'MAGIC_LINK', 'EMAIL_CHANGE_CURRENT', 'EMAIL_CHANGE_NEW'] as const)
  postgresOnly(
    `C3.25, L14: a link of type ${type} that is used twenty times at once, by the graph and by the page, works once`,
    async () => {
      const outcomes = await race(type, ({ issued: { token } }) => [
        mutate('verifyToken', () => ({ type, tokenHash: token })),
        press({ type, token }),
      ])

      expectOneSuccess(outcomes, 'TOKEN_NOT_VALID')
    },
    120_000,
  )

for (const type of ['RECOVERY', 'INVITE'] as const)
  postgresOnly(
    `C3.25, L14: of twenty new passwords at once by one link of type ${type}, by the graph and by the page, one is set`,
    async () => {
      const outcomes = await race(type, ({ issued: { token } }) => [
        mutate('verifyToken', (index) => ({ type, tokenHash: token, newPassword: `the pass phrase of ${index}` })),
        press({ type, token, password: 'the pass phrase of the page' }),
      ])

      expectOneSuccess(outcomes, 'TOKEN_NOT_VALID')
    },
    120_000,
  )

postgresOnly(
  'C3.25, L15: a code that is typed twenty times at once, with its link, works once',
  async () => {
    const outcomes = await race('MAGIC_LINK', ({ email, issued: { token, code } }) => [
      mutate('verifyToken', () => ({ type: 'MAGIC_LINK', email, code })),
      mutate('verifyToken', () => ({ type: 'MAGIC_LINK', tokenHash: token })),
    ])

    expectOneSuccess(outcomes, 'TOKEN_NOT_VALID')
  },
  120_000,
)

postgresOnly(
  'C3.27, L15: of twenty wrong codes at once five are looked at, and the right one comes too late',
  async () => {
    await cluster()
    const { email, issued } = await aSubject(0, 'MAGIC_LINK')
    const wrong = mutate('verifyToken', () => ({ type: 'MAGIC_LINK', email, code: issued.code === '000000' ? '111111' : '000000' }))

    expect(await useAtOnce([wrong])).toEqual({ TOKEN_NOT_VALID: uses })

    expect(await harness.app.database.prisma.oneTimeToken.findFirstOrThrow()).toMatchObject({ attempts: 5 })
    const right = mutate('verifyToken', () => ({ type: 'MAGIC_LINK', email, code: issued.code }))
    expect(await right(servers[0]?.url ?? '', 0)).toBe('TOKEN_NOT_VALID')
  },
  60_000,
)

postgresOnly(
  'C3.25, C5.64: a nonce that comes with twenty changes at once allows one',
  async () => {
    const outcomes = await race('REAUTHENTICATION', ({ token, issued: { code } }) => [
      mutate('updateUser', (index) => ({ password: `the pass phrase of ${index}`, nonce: code }), token),
    ])

    expectOneSuccess(outcomes, 'REAUTHENTICATION_REQUIRED')
  },
  120_000,
)

/** Uses something of each round twenty times at once, at three processes; forty rounds. */
async function raceOf<Made>(make: () => Promise<Made>, useOf: (made: Made, index: number) => Use): Promise<Record<string, number>[]> {
  await cluster()
  const outcomes: Record<string, number>[] = []
  for (let round = 0; round < rounds; round += roundsAtOnce) {
    const made = await Promise.all(Array.from({ length: roundsAtOnce }, make))
    outcomes.push(...(await Promise.all(made.map((one) => useAtOnce(Array.from({ length: uses }, (_, index) => useOf(one, index)))))))
  }
  return outcomes
}

postgresOnly(
  'C3.25, C7.78, L14: a code of a browser sign-in that is traded twenty times at once starts one session',
  async () => {
    const codes = await codesOn(harness)
    const outcomes = await raceOf(
      () => codes.toSignIn(),
      ({ code, pkce }: ACode) => mutate('exchangeCode', () => ({ code, codeVerifier: pkce.verifier })),
    )

    expectOneSuccess(outcomes, 'TOKEN_NOT_VALID')
    expect(await harness.app.database.prisma.session.count({ where: { connection: 'acme' } })).toBe(rounds)
  },
  120_000,
)

postgresOnly(
  'C3.25, L14: a code that links, sent twenty times at once by two users, links the account to one of them, once',
  async () => {
    const codes = await codesOn(harness)
    const [{ token: ada }, { token: bob }] = [await harness.aUser({}), await harness.aUser({})]
    const outcomes = await raceOf(
      () => codes.toLink(),
      ({ code, pkce }, index) => mutate('linkIdentity', () => ({ code, codeVerifier: pkce.verifier }), index % 2 === 0 ? ada : bob),
    )

    expectOneSuccess(outcomes, 'TOKEN_NOT_VALID')
    expect(await harness.app.database.prisma.identity.count({ where: { provider: 'acme' } })).toBe(rounds)
  },
  120_000,
)
