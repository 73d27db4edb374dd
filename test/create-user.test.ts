import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { verifyPassword } from '../src/crypto/password-hash.ts'
import type { Change } from '../src/domain/difference.ts'
import { boot, type Harness } from './harness.ts'

let harness: Harness

beforeAll(async () => {
  harness = await boot()
})
beforeEach(() => harness.reset())

const createUser = /* GraphQL */ `
  mutation Create($input: CreateUserInput!) {
    createUser(input: $input) {
      user { id email emailVerified phoneNumber username externalId status hasPassword version createdAt userMetadata appMetadata profile { name birthdate sources { attribute origin } } identities { provider providerUserId } }
      errors { __typename code message path }
    }
  }
`

async function create(input: Record<string, unknown>) {
  const { createUser: payload } = (await harness.admin(createUser, { input })) as {
    createUser: { user: Record<string, unknown> | null; errors: { code: string; path: string[] }[] }
  }
  return payload
}

test('a user is created with everything that is said of them', async () => {
  const { user, errors } = await create({
    email: ' Jane.Doe@Example.COM ',
    emailVerified: true,
    phoneNumber: '+49 (151) 234-567 89',
    username: 'Jane',
    externalId: 'crm-7',
    createdAt: '2020-02-29T12:00:00.000Z',
    profile: { name: 'Jane Doe', birthdate: '0000-02-29' },
    userMetadata: { hobby: 'surfing' },
    appMetadata: { plan: 'full' },
  })

  expect(errors).toEqual([])
  expect(user).toMatchObject({
    email: 'Jane.Doe@Example.COM',
    emailVerified: true,
    phoneNumber: '+4915123456789',
    username: 'Jane',
    externalId: 'crm-7',
    status: 'ACTIVE',
    hasPassword: false,
    version: 1,
    createdAt: '2020-02-29T12:00:00.000Z',
    userMetadata: { hobby: 'surfing' },
    appMetadata: { plan: 'full' },
    profile: {
      name: 'Jane Doe',
      birthdate: '0000-02-29',
      sources: [
        { attribute: 'birthdate', origin: 'ADMIN' },
        { attribute: 'name', origin: 'ADMIN' },
      ],
    },
    identities: [],
  })
})

test('a user without a password has none, and one with a password has an identity that stands for it', async () => {
  const without = await create({ email: 'a@example.com' })
  const withOne = await create({ email: 'b@example.com', password: 'correct horse battery' })

  expect(without.user).toMatchObject({ hasPassword: false, identities: [] })
  expect(withOne.user).toMatchObject({ hasPassword: true, identities: [{ provider: 'password', providerUserId: withOne.user?.['id'] }] })
})

test('a password is kept as an argon2id hash of its normal form', async () => {
  const { user } = await create({ password: 'Åse går på ski' })

  const { hash } = await harness.app.database.prisma.passwordCredential.findUniqueOrThrow({ where: { userId: String(user?.['id']) } })
  expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  expect(await verifyPassword(hash, 'Åse går på ski'.normalize('NFD'))).toBe(true)
})

test('a hash from elsewhere is kept as it is, and what is no hash is refused', async () => {
  const hash = '$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy'
  const kept = await create({ passwordHash: hash })
  const refused = await create({ passwordHash: 'plain text' })

  expect(await harness.app.database.prisma.passwordCredential.findUnique({ where: { userId: String(kept.user?.['id']) } })).toMatchObject({
    hash,
  })
  expect(refused.errors).toMatchObject([{ code: 'INVALID_INPUT', path: ['input', 'passwordHash'] }])
})

test('an id may be brought along, once', async () => {
  const id = '7b0f5a5e-94f5-4b7e-9d3c-0d1f2a3b4c5d'
  const first = await create({ id: id.toUpperCase() })
  const second = await create({ id })

  expect(first.user).toMatchObject({ id })
  expect(second.errors).toMatchObject([{ code: 'INVALID_INPUT', path: ['input', 'id'] }])
})

test('everything that is wrong comes back together, each with its path, and nothing is written', async () => {
  const { user, errors } = await create({
    id: 'no uuid',
    email: 'no address',
    phoneNumber: '0151',
    username: 'with space',
    externalId: '',
    password: 'short',
    createdAt: '2999-01-01T00:00:00.000Z',
    profile: { picture: 'javascript:alert(1)', birthdate: '2023-02-29', zoneinfo: 'Mars/Base', locale: '!!', name: ' ' },
    userMetadata: { constructor: 1, ok: { ['k'.repeat(65)]: 1 } },
  })

  expect(user).toBeNull()
  expect(errors.map(({ path }) => path.join('.')).sort()).toEqual(
    [
      'input.createdAt',
      'input.email',
      'input.externalId',
      'input.id',
      'input.password',
      'input.phoneNumber',
      'input.profile.birthdate',
      'input.profile.locale',
      'input.profile.name',
      'input.profile.picture',
      'input.profile.zoneinfo',
      'input.userMetadata.constructor',
      `input.userMetadata.ok.${'k'.repeat(64)}`,
      'input.username',
    ].sort(),
  )
  expect(await harness.app.database.prisma.user.count()).toBe(0)
})

test('no message repeats what was sent', async () => {
  const { errors } = await create({ email: 'canary-not-an-address', password: 'canary', passwordHash: 'canary' })

  expect(JSON.stringify(errors)).not.toContain('canary')
})

describe('a name that another user has', () => {
  test.each([
    ['email', 'Taken@Example.com', 'tAKEN@example.COM', 'EMAIL_TAKEN', 'EmailTaken'],
    ['phoneNumber', '+4915123456789', '+49 151 234 567 89', 'PHONE_NUMBER_TAKEN', 'PhoneNumberTaken'],
    ['username', 'Taken', 'tAKEN', 'USERNAME_TAKEN', 'UsernameTaken'],
    ['externalId', 'taken', 'taken', 'EXTERNAL_ID_TAKEN', 'ExternalIdTaken'],
  ])('%s is refused in any spelling', async (field, first, second, code, __typename) => {
    await create({ [field]: first })

    const { user, errors } = await create({ [field]: second })

    expect(user).toBeNull()
    expect(errors).toMatchObject([{ __typename, code, path: ['input', field] }])
  })
})

test('nobody is made verified without an address or a number', async () => {
  const { errors } = await create({ emailVerified: true, phoneNumberVerified: true })

  expect(errors.map(({ path }) => path)).toEqual([
    ['input', 'emailVerified'],
    ['input', 'phoneNumberVerified'],
  ])
})

test('creating writes one event with every value, and no secret', async () => {
  const { user } = await create({ email: 'a@example.com', password: 'a secret pass phrase', appMetadata: { plan: 'pro' } })

  const events = await harness.app.database.prisma.auditEvent.findMany({ where: { userId: String(user?.['id']) } })
  expect(events).toMatchObject([{ type: 'user.created', actorKind: 'ADMIN', success: true }])
  const history = (await harness.admin(
    `{ user(by: { id: "${user?.['id']}" }) { history(first: 1) { nodes { changes { path before after } } } } }`,
  )) as { user: { history: { nodes: [{ changes: Change[] }] } } }
  const [{ changes }] = history.user.history.nodes
  expect(changes).toContainEqual({ path: '/email', before: null, after: 'a@example.com' })
  expect(changes).toContainEqual({ path: '/appMetadata/plan', before: null, after: 'pro' })
  expect(changes.map(({ after }) => after)).not.toContain(null)
  expect(JSON.stringify([events, history])).not.toMatch(/argon2|pass phrase/)
})
