import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { boot, type Harness } from './harness.ts'
import { mailsTo } from './mails.ts'

const password = 'a long pass phrase'
const document = `mutation($input: SignUpInput!) {
  signUp(input: $input) {
    user { id email username signInCount userMetadata profile { name sources { attribute origin } } }
    tokens { accessToken refreshToken }
    errors { code message path ... on WeakPassword { reasons } }
  }
}`

type Person = { id: string; email: string | null; username: string | null; signInCount: number; userMetadata: unknown; profile: unknown }
type SignedUp = {
  user: Person | null
  tokens: { accessToken: string } | null
  errors: { code: string; path: string[]; reasons?: string[] }[]
}

const limits = 'mail.address=1000/60,mail.network=1000/60,signUp.network=1000/60,signIn.network=1000/60'

/** Where addresses are confirmed, as by default. */
let harness: Harness
/** Where they are not. */
let open: Harness

beforeAll(async () => {
  // Time enough on a machine that does much else.
  harness = await boot({ RATE_LIMITS: limits, REQUEST_TIMEOUT_MS: '30000' })
  open = await boot({ EMAIL_CONFIRMATION: 'off', RATE_LIMITS: limits })
})
beforeEach(() => harness.reset())

async function signUp(where: Harness, input: Record<string, unknown>) {
  const answer = await where.run(document, { variables: { input } })
  return { ...answer, signUp: answer.data?.['signUp'] as SignedUp }
}

const { prisma } = (await boot()).app.database
const mails = () => mailsTo(harness.app)
const eventTypes = async () => (await prisma.auditEvent.findMany({ orderBy: { id: 'asc' } })).map(({ type }) => type)

const nothingTold = { user: null, tokens: null, errors: [] }

describe('where nothing is confirmed', () => {
  test('a person signs up with all that may be said, is signed in, and it is his own word', async () => {
    const { signUp: answer } = await signUp(open, {
      email: 'Jane@Example.com',
      phoneNumber: '+49 151 12345678',
      username: 'Jane',
      password,
      profile: { name: 'Jane Doe' },
      userMetadata: { theme: 'dark' },
    })

    expect(answer).toMatchObject({
      user: {
        email: 'Jane@Example.com',
        username: 'Jane',
        signInCount: 1,
        userMetadata: { theme: 'dark' },
        profile: { name: 'Jane Doe', sources: [{ attribute: 'name', origin: 'USER' }] },
      },
      errors: [],
    })
    const me = await open.run(
      '{ me { emailVerified phoneNumberVerified history(first: 5) { nodes { type connection actor { kind id } } } } }',
      {
        token: answer.tokens?.accessToken ?? '',
      },
    )
    expect(me.data?.['me']).toEqual({
      emailVerified: false,
      phoneNumberVerified: false,
      history: { nodes: [{ type: 'user.signedUp', connection: 'password', actor: { kind: 'USER', id: answer.user?.id } }] },
    })
  })

  test.each([
    [{ email: 'JANE@example.com' }, 'EMAIL_TAKEN', 'email'],
    [{ username: 'jANE' }, 'USERNAME_TAKEN', 'username'],
    [{ phoneNumber: '+49 151 12345678' }, 'PHONE_NUMBER_TAKEN', 'phoneNumber'],
  ])('%j of somebody else is refused as %s', async (name, code, field) => {
    await open.aUser({ email: 'jane@example.com', username: 'jane', phoneNumber: '+4915112345678' })

    expect((await signUp(open, { ...name, password })).signUp).toMatchObject({
      user: null,
      tokens: null,
      errors: [{ code, path: ['input', field] }],
    })
  })

  test('a password is needed', async () => {
    expect((await signUp(open, { email: 'jane@example.com' })).signUp.errors).toMatchObject([
      { code: 'INVALID_INPUT', path: ['input', 'password'] },
    ])
  })
})

describe('where addresses are confirmed', () => {
  test('a new address is told nothing, gets a mail, and signs in once it is verified', async () => {
    const { signUp: answer } = await signUp(harness, { email: 'Jane@example.com', password })

    expect(answer).toEqual(nothingTold)
    expect(await mails()).toMatchObject([{ template: 'CONFIRM_SIGN_UP', to: 'Jane@example.com' }])
    const signIn = () =>
      harness.run('mutation($p: String!) { signIn(input: { email: "jane@example.com", password: $p }) { errors { code } } }', {
        variables: { p: password },
      })
    expect((await signIn()).data?.['signIn']).toEqual({ errors: [{ code: 'EMAIL_NOT_VERIFIED' }] })
    await prisma.user.update({ where: { emailNormal: 'jane@example.com' }, data: { emailVerified: true } })
    expect((await signIn()).data?.['signIn']).toEqual({ errors: [] })
    expect(await eventTypes()).toEqual(['user.signedUp', 'user.signInFailed', 'user.signedIn'])
  })

  test('a registered address is answered the same, changes nothing, and its owner is told by mail (C2.20, C9 103)', async () => {
    const { id } = await harness.aUser({ email: 'Jane@example.com', password: 'the first pass phrase', profile: { name: 'Jane' } })
    const before = await prisma.user.findUniqueOrThrow({ where: { id }, include: { passwordCredential: true, profile: true } })

    const fresh = await signUp(harness, { email: 'new@example.com', password, profile: { name: 'Mallory' } })
    const registered = await signUp(harness, { email: 'JANE@example.com', password, profile: { name: 'Mallory' } })

    expect([registered.status, registered.data]).toEqual([fresh.status, fresh.data])
    expect(registered.signUp).toEqual(nothingTold)
    expect(await mails()).toMatchObject([{ template: 'CONFIRM_SIGN_UP' }, { template: 'ALREADY_REGISTERED', to: 'Jane@example.com' }])
    expect(await eventTypes()).toEqual(['user.created', 'user.signedUp', 'user.signUpRepeated'])
    expect(await prisma.user.findUniqueOrThrow({ where: { id }, include: { passwordCredential: true, profile: true } })).toEqual(before)
  })

  test('neither is answered sooner than the other (C2.20)', async () => {
    await harness.aUser({ email: 'jane@example.com' })
    const timed = async (email: string) => {
      const start = performance.now()
      await signUp(harness, { email, password })
      return performance.now() - start
    }
    const times: { known: number; unknown: number }[] = []
    for (let count = 0; count < 10; count++)
      times.push({ known: await timed('jane@example.com'), unknown: await timed(`new${count}@example.com`) })

    // The quickest of each: what else the machine does only adds to it.
    const [known, unknown] = [Math.min(...times.map((time) => time.known)), Math.min(...times.map((time) => time.unknown))]
    expect(Math.min(known, unknown)).toBeGreaterThan(250)
    expect(Math.abs(known - unknown)).toBeLessThan(25)
  })

  test('nobody writes to the address of a deleted user, and it is answered the same', async () => {
    const { id } = await harness.aUser({ email: 'jane@example.com' })
    await harness.admin(`mutation { deleteUser(input: { id: "${id}" }) { errors { code } } }`)

    expect((await signUp(harness, { email: 'jane@example.com', password })).signUp).toEqual(nothingTold)
    expect(await mails()).toEqual([])
  })

  test('a taken username or phone number is told, whoever has the address', async () => {
    await harness.aUser({ email: 'jane@example.com', username: 'jane', phoneNumber: '+4915112345678' })

    for (const email of ['jane@example.com', 'new@example.com']) {
      expect((await signUp(harness, { email, username: 'JANE', password })).signUp.errors).toMatchObject([{ code: 'USERNAME_TAKEN' }])
      const phone = { email, phoneNumber: '+4915112345678', password }
      expect((await signUp(harness, phone)).signUp.errors).toMatchObject([{ code: 'PHONE_NUMBER_TAKEN' }])
    }
  })

  test('a password may be left out with an address, and not without one; a username alone is signed in at once', async () => {
    expect((await signUp(harness, { email: 'jane@example.com' })).signUp).toEqual(nothingTold)
    expect((await signUp(harness, { username: 'jane' })).signUp.errors).toMatchObject([{ path: ['input', 'password'] }])
    expect((await signUp(harness, { username: 'jane', password })).signUp).toMatchObject({ user: { username: 'jane' }, errors: [] })
    expect(await prisma.passwordCredential.count()).toBe(1)
  })

  test('one address gets five mails an hour, whoever has it (C2.23)', async () => {
    const limited = await boot()
    await limited.aUser({ email: 'jane@example.com' })
    for (const email of ['jane@example.com', 'new@example.com']) {
      for (let count = 0; count < 5; count++) expect((await signUp(limited, { email, password })).signUp).toEqual(nothingTold)

      expect((await signUp(limited, { email, password })).errors).toMatchObject([{ extensions: { code: 'RATE_LIMITED' } }])
    }
    expect(await mails()).toHaveLength(10)
  })
})

test('R13: of twenty sign-ups at once with one address in all its cases, one makes a user, and all are answered alike', async () => {
  const address = (index: number) =>
    [...'jane.doe@example.com'].map((letter, at) => ((index >> (at % 5)) & 1 ? letter.toUpperCase() : letter)).join('')

  const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => signUp(harness, { email: address(index), password })))

  expect(answers.map((answer) => answer.signUp)).toEqual(answers.map(() => nothingTold))
  expect(await prisma.user.count()).toBe(1)
  expect((await eventTypes()).toSorted()).toEqual([...Array<string>(19).fill('user.signUpRepeated'), 'user.signedUp'].toSorted())
})

test.each(['app_metadata', 'appMetadata', 'raw_app_meta_data', 'role'])(
  'metadata called %s stays what the person said of himself (C8 96)',
  async (name) => {
    const { signUp: answer } = await signUp(open, { username: 'mallory', password, userMetadata: { [name]: { admin: true } } })

    const user = await prisma.user.findUniqueOrThrow({ where: { id: answer.user?.id ?? '' } })
    expect([user.userMetadata, user.appMetadata]).toEqual([{ [name]: { admin: true } }, {}])
  },
)

test.each(['appMetadata', 'emailVerified', 'externalId', 'id', 'scopes', 'createdAt', 'passwordHash'])(
  '%s is nothing a person says (C8 96)',
  async (field) => {
    const answer = await signUp(open, { username: 'mallory', password, [field]: { admin: true } })

    expect(answer.errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }])
    expect(await prisma.user.count()).toBe(0)
  },
)

test('everything that is wrong comes back together, before anything is spent', async () => {
  const { signUp: answer } = await signUp(harness, {
    email: 'jane',
    phoneNumber: '12',
    username: 'a b',
    password: 'short',
    profile: { website: 'javascript:alert(1)' },
    userMetadata: { constructor: 1 },
    redirectTo: 'https://evil.example',
  })

  expect(answer.errors.map(({ code, path }) => `${code} ${path.slice(1).join('.')}`)).toEqual([
    'INVALID_INPUT email',
    'INVALID_INPUT phoneNumber',
    'INVALID_INPUT username',
    'WEAK_PASSWORD password',
    'INVALID_INPUT profile.website',
    'INVALID_INPUT userMetadata.constructor',
    'REDIRECT_NOT_ALLOWED redirectTo',
  ])
  expect((await signUp(harness, { password })).signUp.errors).toMatchObject([{ code: 'INVALID_INPUT', path: ['input'] }])
  expect(await prisma.rateLimit.count()).toBe(0)
})

test('metadata that is too large is refused, whoever has the address', async () => {
  await harness.aUser({ email: 'jane@example.com' })
  for (const email of ['jane@example.com', 'new@example.com'])
    expect((await signUp(harness, { email, password, userMetadata: { a: 'x'.repeat(20_000) } })).signUp.errors).toMatchObject([
      { code: 'METADATA_TOO_LARGE' },
    ])
})

test('where it is switched off, nobody signs up, and a page is told (C2.22)', async () => {
  const closed = await boot({ SIGN_UP: 'false' })

  expect((await signUp(closed, { username: 'jane', password })).signUp.errors).toMatchObject([{ code: 'SIGN_UP_DISABLED', path: [] }])
  expect(await closed.admin('{ serverInfo { signIn { names signUp emailConfirmation passwordMinLength } } }')).toEqual({
    serverInfo: {
      signIn: { names: ['EMAIL', 'PHONE_NUMBER', 'USERNAME'], signUp: false, emailConfirmation: true, passwordMinLength: 8 },
    },
  })
})
