import { hash as argon2 } from '@node-rs/argon2'
import bcrypt from 'bcryptjs'
import { type GraphQLObjectType, getNamedType } from 'graphql'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemScope } from '../src/app.ts'
import { signIn as domainSignIn } from '../src/domain/sign-in.ts'
import { credentialMutations } from '../src/graphql/mutation.ts'
import { statementCount, statements } from './database.ts'
import { boot, type Harness } from './harness.ts'

const password = 'a long pass phrase'
const document = `mutation($input: SignInInput!) {
  signIn(input: $input) { user { id email } tokens { accessToken tokenType expiresIn expiresAt refreshToken } errors { code message path } }
}`

type SignedIn = {
  user: { id: string; email: string | null } | null
  tokens: { accessToken: string; tokenType: string; expiresIn: number; expiresAt: string; refreshToken: string } | null
  errors: { code: string; message: string; path: string[] }[]
}

let harness: Harness

beforeAll(async () => {
  harness = await boot()
})
beforeEach(() => harness.reset())

async function signIn(input: Record<string, unknown>, headers: Record<string, string> = {}) {
  const answer = await harness.run(document, { variables: { input }, headers })
  return { ...answer, signIn: answer.data?.['signIn'] as SignedIn }
}

const jane = { email: 'Jane@example.com', emailVerified: true, phoneNumber: '+4915112345678', username: 'Jane', password } as const

const refused = {
  user: null,
  tokens: null,
  errors: [{ code: 'INVALID_CREDENTIALS', message: 'The name and the password do not belong together.', path: ['input'] }],
}

describe('a user with a password', () => {
  test.each([{ email: ' JANE@EXAMPLE.com ' }, { phoneNumber: '+49 151 1234-5678' }, { username: 'jANE' }])(
    'signs in by %j, reads the own record, and holds tokens that work',
    async (name) => {
      const { id } = await harness.aUser(jane)

      const { signIn: answer } = await signIn({ ...name, password })

      expect(answer).toMatchObject({ user: { id, email: 'Jane@example.com' }, tokens: { tokenType: 'Bearer', expiresIn: 900 }, errors: [] })
      const me = await harness.run('{ me { id signInCount version lastSignInIp } }', { token: answer.tokens?.accessToken ?? '' })
      expect(me.data?.['me']).toEqual({ id, signInCount: 1, version: 1, lastSignInIp: '127.0.0.1' })
    },
  )

  test('leaves the sign-in in history and the device among the sessions (C9 103)', async () => {
    const { id } = await harness.aUser(jane)

    const { signIn: answer } = await signIn({ email: jane.email, password }, { 'user-agent': 'phone' })

    const me = await harness.run(
      `{ me {
        sessions(first: 1) { nodes { ip userAgent connection amr aal current } }
        history(first: 1) { nodes { type success ip userAgent connection actor { kind id } changes { path } } }
        identities { provider lastSignInAt }
        lastSignInAt
      } }`,
      { token: answer.tokens?.accessToken ?? '' },
    )
    expect(me.data?.['me']).toEqual({
      sessions: { nodes: [{ ip: '127.0.0.1', userAgent: 'phone', connection: 'password', amr: ['pwd'], aal: 'aal1', current: true }] },
      history: {
        nodes: [
          {
            type: 'user.signedIn',
            success: true,
            ip: '127.0.0.1',
            userAgent: 'phone',
            connection: 'password',
            actor: { kind: 'USER', id },
            changes: [],
          },
        ],
      },
      identities: [{ provider: 'password', lastSignInAt: expect.any(String) }],
      lastSignInAt: expect.any(String),
    })
  })

  test('finds a failure under the own name in history, with where it came from (C9 103)', async () => {
    const { token } = await harness.aUser(jane)
    await signIn({ email: jane.email, password: 'another pass phrase' }, { 'user-agent': 'stranger' })

    const me = await harness.run('{ me { history(first: 1) { nodes { type success ip userAgent actor { kind } } } } }', { token })

    expect(me.data?.['me']).toEqual({
      history: {
        nodes: [{ type: 'user.signInFailed', success: false, ip: '127.0.0.1', userAgent: 'stranger', actor: { kind: 'ANONYMOUS' } }],
      },
    })
  })

  test('types it on whichever keyboard: composed or decomposed, it is the same (L25, C1.5)', async () => {
    await harness.aUser({ username: 'asa', password: 'Åse går på ski'.normalize('NFD') })

    expect((await signIn({ username: 'asa', password: 'Åse går på ski'.normalize('NFC') })).signIn.errors).toEqual([])
  })

  test.each(['a long pass phras', 'A long pass phrase', ' a long pass phrase', 'a long pass phrase ', ''])(
    'is not let in by %j (C1.4)',
    async (wrong) => {
      await harness.aUser(jane)

      expect((await signIn({ email: jane.email, password: wrong })).signIn).toEqual(refused)
    },
  )
})

describe('whoever may not sign in is answered alike', () => {
  const people: Readonly<Record<string, (harness: Harness) => Promise<unknown>>> = {
    'an unknown address': async () => {},
    'a wrong password': (harness) => harness.aUser({ ...jane, password: 'another pass phrase' }),
    'a user without a password': (harness) => harness.aUser({ ...jane, password: null }),
    'a blocked user with the right password': async (harness) => {
      const { id } = await harness.aUser(jane)
      await harness.admin(`mutation { blockUser(input: { id: "${id}" }) { errors { code } } }`)
    },
    'a deleted user with the right password': async (harness) => {
      const { id } = await harness.aUser(jane)
      await harness.admin(`mutation { deleteUser(input: { id: "${id}" }) { errors { code } } }`)
    },
    'an anonymous one': async (harness) => {
      const { id } = await harness.aUser(jane)
      await harness.admin(`mutation { deleteUser(input: { id: "${id}", mode: ANONYMIZE }) { errors { code } } }`)
    },
    'an unverified user with a wrong password': (harness) =>
      harness.aUser({ ...jane, emailVerified: false, password: 'another pass phrase' }),
  }

  test.each(Object.entries(people))('%s (C2.20, T-ENUM-3, L24)', async (_who, make) => {
    await make(harness)

    const answer = await signIn({ email: jane.email, password })

    expect([answer.status, answer.data, answer.errors]).toEqual([200, { signIn: refused }, undefined])
  })

  test.each(['', 'jane', '@', 'jane@', 'x'.repeat(50_000)])('a malformed address %# (C2.20)', async (email) => {
    expect((await signIn({ email, password })).signIn).toEqual(refused)
  })

  test('a password of 50 kB is as wrong as any other (L23)', async () => {
    await harness.aUser(jane)

    expect((await signIn({ email: jane.email, password: 'x'.repeat(50_000) })).signIn).toEqual(refused)
  })

  test('the same number of statements is sent for each of them (A8)', async () => {
    const counts = new Map<string, number>()
    for (const [who, make] of Object.entries(people)) {
      await harness.reset()
      await make(harness)
      statements.length = 0
      await signIn({ email: jane.email, password })
      counts.set(who, statementCount())
    }

    expect(new Set(counts.values()), JSON.stringify([...counts])).toEqual(new Set([3]))
  })

  test('a block that has run out is none', async () => {
    const { id } = await harness.aUser(jane)
    await harness.admin(`mutation { blockUser(input: { id: "${id}", duration: "PT1H" }) { errors { code } } }`)
    harness.clock.advance({ minutes: 61 })

    expect((await signIn({ email: jane.email, password })).signIn.errors).toEqual([])
  })
})

test('that an address is to be verified is told to who knows the password, whichever name was sent', async () => {
  await harness.aUser({ ...jane, emailVerified: false })

  for (const name of [{ email: jane.email }, { username: jane.username }])
    expect((await signIn({ ...name, password })).signIn.errors).toEqual([
      { code: 'EMAIL_NOT_VERIFIED', message: expect.any(String), path: ['input'] },
    ])
  expect(await harness.app.database.prisma.session.count({ where: { userAgent: { not: 'test' } } })).toBe(0)
})

test.each([{}, { email: 'a@example.com', username: 'a' }, { email: null }])('of the names %j, exactly one is asked for', async (names) => {
  expect((await signIn({ ...names, password })).signIn.errors).toMatchObject([{ code: 'INVALID_INPUT', path: ['input'] }])
})

describe('guessing', () => {
  test('ends after ten tries at one account from one network, for names that nobody has too (C2.17)', async () => {
    await harness.aUser(jane)
    for (const email of [jane.email, 'nobody@example.com']) {
      for (let count = 0; count < 10; count++) expect((await signIn({ email, password: `wrong ${count}` })).status).toBe(200)

      const eleventh = await signIn({ email: email.toUpperCase(), password })

      expect(eleventh.errors).toMatchObject([{ extensions: { code: 'RATE_LIMITED', retryAfterSeconds: expect.any(Number) } }])
    }
  })

  test('is forgotten when the right password comes (C2.18)', async () => {
    await harness.aUser(jane)
    for (let round = 0; round < 3; round++) {
      for (let count = 0; count < 9; count++) await signIn({ email: jane.email, password: 'wrong' })

      expect((await signIn({ email: jane.email, password })).signIn.errors).toEqual([])
    }
  })

  test('does not lock the victim out of the session he has (C2.19)', async () => {
    const { id, token } = await harness.aUser(jane)
    for (let count = 0; count < 15; count++) await signIn({ email: jane.email, password: 'wrong' })

    expect((await harness.run('{ me { id } }', { token })).data).toEqual({ me: { id } })
  })

  test('happens once a request: aliases and fragments are refused before any of them runs (T-BRUTE-1, L9, L26)', async () => {
    await harness.aUser(jane)
    const one = `signIn(input: { email: "${jane.email}", password: "${password}" }) { errors { code } }`
    const documents = [
      `mutation { a: ${one} b: ${one} }`,
      `mutation { ...F ...F } fragment F on Mutation { a: ${one} }`,
      `mutation { ... on Mutation { a: ${one} } ...F } fragment F on Mutation { b: ${one} }`,
      `mutation { a: ${one} signUp(input: { username: "x" }) { errors { code } } }`,
    ]

    for (const query of documents) {
      const answer = await harness.run(query)
      expect([answer.data, answer.errors?.map(({ extensions }) => extensions)]).toEqual([
        undefined,
        [{ code: 'QUERY_TOO_COMPLEX', limit: 1, of: 'credentials' }],
      ])
    }
    expect(await harness.app.database.prisma.rateLimit.count()).toBe(0)
  })
})

test('every mutation that answers tokens is known as a door, of which a request opens one (C2.22)', () => {
  const { schema } = harness.app
  const mutations = Object.values(schema.getMutationType()?.getFields() ?? {})
  const doors = mutations.filter(({ type }) => 'tokens' in (getNamedType(type) as GraphQLObjectType).getFields()).map(({ name }) => name)

  expect(doors).toEqual(expect.arrayContaining(['signIn', 'signUp']))
  expect([...credentialMutations(schema)]).toEqual(expect.arrayContaining(doors))
})

describe('the hash that is kept', () => {
  const hashOf = async (userId: string) =>
    (await harness.app.database.prisma.passwordCredential.findUniqueOrThrow({ where: { userId } })).hash

  test.each([
    ['bcrypt', () => bcrypt.hash(password, 4)],
    ['bcrypt of PHP', async () => (await bcrypt.hash(password, 4)).replace('$2b$', '$2y$')],
    ['argon2id of less memory', () => argon2(password, { algorithm: 2, memoryCost: 4096, timeCost: 3, parallelism: 1 })],
    ['argon2i', () => argon2(password, { algorithm: 1, memoryCost: 19_456, timeCost: 2, parallelism: 1 })],
  ])('of %s is replaced by argon2id at the first sign-in, and is no change of the password (C1.12)', async (_what, made) => {
    const passwordHash = await made()
    const { id } = await harness.aUser({ username: 'jane', passwordHash })
    const before = await harness.app.database.prisma.passwordCredential.findUniqueOrThrow({ where: { userId: id } })

    expect((await signIn({ username: 'jane', password: 'another pass phrase' })).signIn).toEqual(refused)
    expect(await hashOf(id)).toBe(passwordHash)
    expect((await signIn({ username: 'jane', password })).signIn.errors).toEqual([])

    expect(await hashOf(id)).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    const after = await harness.app.database.prisma.passwordCredential.findUniqueOrThrow({ where: { userId: id } })
    expect(after.updatedAt).toEqual(before.updatedAt)
    expect((await signIn({ username: 'jane', password })).signIn.errors).toEqual([])
  })

  test('is made anew when the parameters are raised, and the old one still verifies until then (C1.12)', async () => {
    const { id } = await harness.aUser({ username: 'jane', password })
    const raised = await boot({ ARGON2_PASSES: '3' })
    await raised.aUser({ id, username: 'jane', passwordHash: await argon2(password, { algorithm: 2, memoryCost: 19_456, timeCost: 2 }) })

    const answers = await Promise.all([1, 2, 3].map(() => raised.run(document, { variables: { input: { username: 'jane', password } } })))

    expect(answers.map(({ data }) => data?.['signIn'])).toMatchObject([{ errors: [] }, { errors: [] }, { errors: [] }])
    expect(await hashOf(id)).toMatch(/m=19456,t=3,p=1/)
  })
})

describe('what happens while the password is verified counts', () => {
  /** Signs in, with this done between verifying and the change. */
  async function signInWhile(id: string, meanwhile: string): Promise<unknown> {
    const { app } = harness
    let isDone = false
    const verify: typeof app.authentication.passwords.verify = async (...sent) => {
      const matches = await app.authentication.passwords.verify(...sent)
      if (!isDone) await harness.admin(`mutation { ${meanwhile} { errors { code } } }`)
      isDone = true
      return matches
    }
    const passwords = { ...app.authentication.passwords, verify }
    const scope = { ...systemScope(app), ...app.authentication, passwords }
    return domainSignIn(scope, { email: jane.email, password }).then(
      ({ userId }) => (userId === id ? 'signed in' : 'somebody else'),
      ({ code }) => code,
    )
  }
  const sessions = (userId: string) =>
    harness.app.database.prisma.session.count({ where: { userId, revokedAt: null, userAgent: { not: 'test' } } })

  test.each([
    ['a change of the password', (id: string) => `updateUser(input: { id: "${id}", password: "the second pass phrase" })`],
    ['a block', (id: string) => `blockUser(input: { id: "${id}" })`],
    ['a deletion', (id: string) => `deleteUser(input: { id: "${id}" })`],
  ])('%s: nobody is signed in', async (_what, meanwhile) => {
    const { id } = await harness.aUser(jane)

    expect(await signInWhile(id, meanwhile(id))).toBe('INVALID_CREDENTIALS')

    expect(await sessions(id)).toBe(0)
    expect(await harness.app.database.prisma.user.findUniqueOrThrow({ where: { id } })).toMatchObject({ signInCount: 0 })
  })

  test('another hash of the same password: the user is signed in', async () => {
    const { id } = await harness.aUser(jane)

    expect(await signInWhile(id, `updateUser(input: { id: "${id}", password: "${password}" })`)).toBe('signed in')
  })
})
