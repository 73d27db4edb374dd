import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { eachSource } from '../src/domain/profile-source.ts'
import { createOldDirectories } from '../src/ports/old-directory.ts'
import { boot, type Harness } from './harness.ts'

type Asked = Readonly<{ body: unknown; authorization: string | undefined; type: string | undefined }>
type Answer = (response: ServerResponse, request: IncomingMessage) => void

let harness: Harness
const asked: Asked[] = []
let answer: Answer
const oldSystem = createServer(async (request, response) => {
  const chunks = await request.toArray()
  const { authorization, 'content-type': type } = request.headers
  asked.push({ body: JSON.parse(Buffer.concat(chunks as Buffer[]).toString()), authorization, type })
  answer(response, request)
})
let url: string

const password = 'correct horse'
const jane = {
  user_id: 4711,
  email: 'Jane@Example.com',
  email_verified: true,
  username: 'jane.doe',
  phone_number: '+49 151 1234567',
  phone_verified: true,
  name: 'Jane Doe',
  given_name: 'Jane',
  picture: 'javascript:alert(1)',
  user_metadata: { theme: 'dark' },
  app_metadata: { plan: 'admin' },
}

beforeAll(async () => {
  harness = await boot({
    RATE_LIMITS: 'signIn.accountAndNetwork=999/60,signIn.account=999/60,signIn.accountDaily=999/60,signIn.network=999/60',
  })
  await new Promise<void>((resolve) => oldSystem.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(oldSystem.address() as AddressInfo).port}/login`
})
afterAll(() => {
  oldSystem.close()
})
beforeEach(async () => {
  await harness.reset()
  asked.length = 0
  answer = knows(jane)
})

/** Answers this to who has the password, and 401 to everybody else. */
function knows(person: object): Answer {
  return (response) => {
    const isRight = (asked.at(-1)?.body as { password: string } | undefined)?.password === password
    response.statusCode = isRight ? 200 : 401
    response.end(JSON.stringify(isRight ? person : { error: 'no' }))
  }
}

const create =
  'mutation ($input: CreateConnectionInput!) { createConnection(input: $input) { connection { id key strategy clientId verifierUrl hasClientSecret } errors { code path } } }'

async function connect(more: object = {}): Promise<{ connection: { id: string } | null; errors: unknown[] }> {
  const input = { key: 'old-shop', strategy: 'PASSWORD', verifierUrl: url, clientSecret: 'shown-to-the-old-system', ...more }
  const { createConnection } = await harness.admin(create, { input })
  return createConnection as { connection: { id: string }; errors: unknown[] }
}

type SignedIn = Readonly<{ user: { id: string } | null; errors: { code: string }[] }>

async function signIn(input: Record<string, string>): Promise<SignedIn> {
  const query = 'mutation ($input: SignInInput!) { signIn(input: $input) { user { id } errors { code } } }'
  const { data, errors } = await harness.run(query, { variables: { input } })
  if (errors !== undefined) throw new Error(JSON.stringify(errors))
  return data?.['signIn'] as SignedIn
}

const refused = { user: null, errors: [{ code: 'INVALID_CREDENTIALS' }] }
const failures = () =>
  harness.app.database.prisma.auditEvent.count({ where: { type: 'user.signInFailed', subjectId: null, connection: 'old-shop' } })
const people = () => harness.app.database.prisma.user.count()

describe('somebody whom only the old system knows', () => {
  test('becomes a user at the first sign-in, with the password as our own hash, and the old system is never asked again', async () => {
    await connect()

    const first = await signIn({ email: 'jane@example.com', password })

    expect(first).toEqual({ user: { id: expect.any(String) }, errors: [] })
    expect(asked).toEqual([
      { body: { email: 'jane@example.com', password }, authorization: 'Bearer shown-to-the-old-system', type: 'application/json' },
    ])
    const user = await harness.app.database.prisma.user.findFirstOrThrow({
      include: { profile: true, profileSources: true, identities: true, passwordCredential: true, auditEvents: { orderBy: { id: 'asc' } } },
    })
    expect(user).toMatchObject({
      email: 'Jane@Example.com',
      emailVerified: true,
      username: 'jane.doe',
      externalId: '4711',
      phoneNumber: '+491511234567',
      phoneNumberVerified: true,
      userMetadata: { theme: 'dark' },
      appMetadata: {},
      signInCount: 1,
      profile: { name: 'Jane Doe', givenName: 'Jane', picture: null },
      identities: [{ provider: 'password' }],
      passwordCredential: { hash: expect.stringMatching(/^\$argon2id\$/) },
    })
    expect(eachSource(user.profileSources).map(({ origin }) => origin)).toEqual(['IMPORT', 'IMPORT'])
    expect(user.auditEvents).toMatchObject([
      { type: 'user.created', actorKind: 'USER', actorId: user.id, connection: 'old-shop' },
      { type: 'user.signedIn' },
    ])

    answer = (response) => response.destroy()
    for (const [field, name] of [
      ['email', 'JANE@example.com'],
      ['username', 'Jane.Doe'],
    ] as const)
      expect((await signIn({ [field]: name, password })).user).toEqual(first.user)
    expect(await signIn({ email: 'jane@example.com', password: 'wrong' })).toEqual(refused)
    expect(asked).toHaveLength(1)
  })

  test('is found by a username as well, asked for as it was typed', async () => {
    await connect({ clientSecret: undefined })
    answer = knows({ username: 'JANE.doe', email: 'not an address', user_metadata: 'none' })

    expect((await signIn({ username: 'Jane.Doe', password })).errors).toEqual([])

    expect(asked).toEqual([{ body: { username: 'Jane.Doe', password }, authorization: undefined, type: 'application/json' }])
    expect(await harness.app.database.prisma.user.findFirst()).toMatchObject({ email: null, usernameNormal: 'jane.doe', userMetadata: {} })
  })

  test('has the name that was asked for where the old system says none', async () => {
    await connect()
    answer = knows({})

    expect(await signIn({ email: 'jane@example.com', password })).toEqual({ user: null, errors: [{ code: 'EMAIL_NOT_VERIFIED' }] })
    expect(await harness.app.database.prisma.user.findFirst()).toMatchObject({ emailNormal: 'jane@example.com', emailVerified: false })
    expect(asked).toHaveLength(1)
  })

  test('is asked for in one old system after the other', async () => {
    await connect({ key: 'a-gone-shop', verifierUrl: 'http://127.0.0.1:9/login' })
    await connect()

    expect((await signIn({ email: 'jane@example.com', password })).errors).toEqual([])
  })

  test('is one user when he signs in twice at once', async () => {
    await connect()

    const answers = await Promise.all([1, 2, 3, 4].map(() => signIn({ email: 'jane@example.com', password })))

    expect(answers.map(({ errors }) => errors)).toEqual([[], [], [], []])
    expect(new Set(answers.map(({ user }) => user?.id)).size).toBe(1)
    expect(await people()).toBe(1)
  })
})

describe('nobody is signed in, and nobody is made, when the old system', () => {
  test.each<[string, Answer]>([
    ['answers 401', (response) => response.writeHead(401).end()],
    ['answers 404', (response) => response.writeHead(404).end('{}')],
    ['speaks of another address', knows({ ...jane, email: 'admin@example.com' })],
    ['speaks of an address that is none', knows({ ...jane, email: 'jane' })],
    ['says that he is blocked', knows({ ...jane, blocked: true })],
  ])('%s', async (_what, made) => {
    await connect()
    answer = made

    expect(await signIn({ email: 'jane@example.com', password })).toEqual(refused)
    expect([asked.length, await people(), await failures()]).toEqual([1, 0, 0])
  })

  test.each<[string, Answer]>([
    ['answers 500', (response) => response.writeHead(500).end('{}')],
    ['answers 204', (response) => response.writeHead(204).end()],
    ['redirects', (response) => response.writeHead(307, { location: '/elsewhere' }).end()],
    ['answers no JSON', (response) => response.end('<html>')],
    ['answers a list', (response) => response.end('[]')],
    ['answers null', (response) => response.end('null')],
    ['answers too much', (response) => response.end(JSON.stringify({ ...jane, more: 'x'.repeat(70_000) }))],
    ['hangs up', (response) => response.destroy()],
    ['answers a part', (response) => response.writeHead(200, { 'content-length': '100' }).write('{', () => response.destroy())],
    ['begins and never ends', (response) => void response.write('{')],
  ])('%s, which is written down', async (_what, made) => {
    await connect()
    answer = made

    expect(await signIn({ email: 'jane@example.com', password })).toEqual(refused)
    expect([asked.length, await people(), await failures()]).toEqual([1, 0, 1])
  })

  test('is silent, and so is another one: the sign-in ends in time', async () => {
    await connect()
    await connect({ key: 'older-shop' })
    answer = () => undefined
    const begun = performance.now()

    expect(await signIn({ email: 'jane@example.com', password })).toEqual(refused)
    expect(performance.now() - begun).toBeLessThan(5000)
    expect(asked).toHaveLength(1)
  })

  test('speaks of somebody whose other name is taken here', async () => {
    await connect()
    await harness.aUser({ username: 'jane.doe' })

    expect(await signIn({ email: 'jane@example.com', password })).toEqual(refused)
    expect([asked.length, await people(), await failures()]).toEqual([1, 1, 1])
  })
})

describe('the old system is not asked', () => {
  test.each<[string, object]>([
    ['of a connection that is disabled', { enabled: false }],
    ['of a connection by which nobody becomes a user', { allowSignUp: false }],
  ])('%s', async (_what, more) => {
    await connect(more)

    expect(await signIn({ email: 'jane@example.com', password })).toEqual(refused)
    expect(asked).toEqual([])
  })

  test.each<[string, Record<string, string>]>([
    ['a phone number', { phoneNumber: '+491511234567', password }],
    ['what is no address', { email: 'jane', password }],
    ['a password that nobody can have', { email: 'jane@example.com', password: 'x'.repeat(1025) }],
  ])('about %s', async (_what, input) => {
    await connect()

    expect(await signIn(input)).toEqual(refused)
    expect(asked).toEqual([])
  })

  test('about somebody who is deleted, blocked, or has no password here', async () => {
    await connect()
    for (const after of ['deleteUser', 'blockUser', null]) {
      const { id } = await harness.aUser({ email: `${after}@example.com`, ...(after === null ? {} : { password }) })
      if (after !== null) await harness.admin(`mutation { ${after}(input: { id: "${id}" }) { errors { code } } }`)

      expect(await signIn({ email: `${after}@example.com`, password })).toEqual(refused)
    }
    expect(asked).toEqual([])
  })

  test('when somebody forgot his password', async () => {
    await connect()
    await harness.run('mutation { requestPasswordReset(input: { email: "jane@example.com" }) { errors { code } } }')

    expect(asked).toEqual([])
  })

  test('more often than the budgets of signing in allow (C2.17)', async () => {
    const limited = await boot()
    await limited.admin(create, { input: { key: 'old-shop', strategy: 'PASSWORD', verifierUrl: url } })
    const document = 'mutation { signIn(input: { email: "jane@example.com", password: "wrong" }) { errors { code } } }'
    for (let count = 0; count < 12; count++) await limited.run(document)

    expect(asked).toHaveLength(10)
  })
})

const soon = () => AbortSignal.timeout(1000)

describe('an old system that is down', () => {
  test('makes nobody wait after three failures, and is asked again later', async () => {
    const reasons: unknown[] = []
    const logger = { warn: (fields: unknown) => reasons.push(fields) } as unknown as Parameters<typeof createOldDirectories>[0]
    const ask = createOldDirectories(logger)
    const directory = { connectionId: 'x', key: 'old-shop', url, secret: null }
    const credentials = { email: 'jane@example.com', password }
    answer = (response) => response.writeHead(503).end()
    for (let count = 0; count < 5; count++) await expect(ask(directory, credentials, soon())).rejects.toMatchObject({ isNew: count < 3 })

    expect(asked).toHaveLength(3)
    expect(reasons).toEqual(Array.from({ length: 3 }, () => ({ connection: 'old-shop', reason: 'answered 503' })))
    await expect(ask({ ...directory, connectionId: 'y' }, credentials, soon())).rejects.toMatchObject({ isNew: true })
    answer = knows(jane)
    await delay(5100)
    expect(await ask(directory, credentials, soon())).toMatchObject({ username: 'jane.doe' })
  }, 15_000)

  test('does not keep more than sixteen waiting, and those no longer than their time', async () => {
    const ask = createOldDirectories({ warn: () => undefined } as unknown as Parameters<typeof createOldDirectories>[0])
    const directory = { connectionId: 'x', key: 'old-shop', url, secret: null }
    answer = () => undefined
    const begun = performance.now()
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, () => ask(directory, { email: 'jane@example.com', password }, soon())),
    )

    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(20)
    expect(asked).toHaveLength(16)
    expect(performance.now() - begun).toBeLessThan(3000)
  }, 10_000)
})

describe('a connection to an old system', () => {
  test('is none that a browser or an ID token signs in by', async () => {
    await connect()
    const query = 'mutation ($input: SignInWithIdTokenInput!) { signInWithIdToken(input: $input) { errors { code } } }'
    const byToken = await harness.run(query, { variables: { input: { connection: 'old-shop', idToken: 'a.b.c' } } })
    const begin = async (key: string) => {
      const response = await fetch(
        `${harness.url}/auth/authorize?connection=${key}&redirect_to=http%3A%2F%2Flocalhost%3A3000%2F&code_challenge=${'x'.repeat(43)}&code_challenge_method=S256`,
        { redirect: 'manual' },
      )
      return [response.status, response.headers.get('location')]
    }

    expect(byToken.data).toEqual({ signInWithIdToken: { errors: [{ code: 'CONNECTION_NOT_FOUND' }] } })
    expect(await begin('old-shop')).toEqual(await begin('nobody'))
    expect(asked).toEqual([])
  })

  test('needs no client, and its secret is sealed', async () => {
    const { connection } = await connect()

    expect(connection).toMatchObject({ strategy: 'PASSWORD', clientId: null, verifierUrl: url, hasClientSecret: true })
    expect(JSON.stringify(await harness.app.database.prisma.connectionSecret.findMany())).not.toContain('shown-to')
  })

  test.each<[string, object]>([
    ['no URL', { verifierUrl: null }],
    ['a URL without TLS', { verifierUrl: 'http://old.example/login' }],
    ['a URL with a password', { verifierUrl: 'https://a:b@old.example/login' }],
    ['a URL that is none', { verifierUrl: 'old' }],
  ])('%s is refused', async (_what, input) => {
    expect(await connect(input)).toEqual({ connection: null, errors: [{ code: 'INVALID_INPUT', path: ['input', 'verifierUrl'] }] })
  })

  test('can be pointed elsewhere, and at nothing it cannot', async () => {
    const id = (await connect()).connection?.id
    const update =
      'mutation ($input: UpdateConnectionInput!) { updateConnection(input: $input) { connection { verifierUrl } errors { path } } }'

    expect(await harness.admin(update, { input: { id, verifierUrl: 'https://old.example/login' } })).toEqual({
      updateConnection: { connection: { verifierUrl: 'https://old.example/login' }, errors: [] },
    })
    expect(await harness.admin(update, { input: { id, verifierUrl: null } })).toMatchObject({
      updateConnection: { errors: [{ path: ['input', 'verifierUrl'] }] },
    })
  })
})
