import { beforeAll, beforeEach, expect, test } from 'vitest'
import { boot, type Harness, type Person } from './harness.ts'

let harness: Harness
let person: Person

beforeAll(async () => {
  harness = await boot()
})
beforeEach(async () => {
  await harness.reset()
  person = await harness.aUser({
    email: 'jane@example.com',
    password: 'a long pass phrase',
    phoneNumber: '+4915123456789',
    username: 'jane',
    profile: { name: 'Jane Canary' },
    userMetadata: { pet: 'canary' },
    appMetadata: { note: 'canary' },
  })
})

async function remove(mode: 'SOFT' | 'HARD' | 'ANONYMIZE') {
  const { deleteUser } = (await harness.admin(
    `mutation { deleteUser(input: { id: "${person.id}", mode: ${mode} }) { user { id status email deletedAt profile { name sources { attribute } } userMetadata } errors { __typename code message path ... on DeleteBlocked { references { table constraint rows } } } } }`,
  )) as { deleteUser: { user: Record<string, unknown> | null; errors: Record<string, unknown>[] } }
  return deleteUser
}

const find = () => harness.admin('{ user(by: { email: "jane@example.com" }) { id } users { totalCount } }')

test('SOFT hides the user, signs out, and keeps the names reserved', async () => {
  expect(await remove('SOFT')).toMatchObject({ user: { id: person.id, status: 'DELETED' }, errors: [] })

  expect(await find()).toEqual({ user: null, users: { totalCount: 0 } })
  expect((await harness.run('{ me { id } }', { token: person.token })).status).toBe(401)
  expect(await harness.admin('mutation { createUser(input: { email: "JANE@example.com" }) { errors { code } } }')).toEqual({
    createUser: { errors: [{ code: 'EMAIL_TAKEN' }] },
  })
  expect(await harness.admin(`{ node(id: "${person.id}") { id } }`)).toEqual({ node: null })
})

test('a user that is hidden is found by its status, and restored as it was', async () => {
  await remove('SOFT')
  expect(await harness.admin('{ users(where: { status: [DELETED] }) { nodes { id } } }')).toEqual({ users: { nodes: [{ id: person.id }] } })

  const restored = await harness.admin(
    `mutation { restoreUser(input: { id: "${person.id}" }) { user { status email profile { name } } errors { code } } }`,
  )

  expect(restored).toEqual({
    restoreUser: { user: { status: 'ACTIVE', email: 'jane@example.com', profile: { name: 'Jane Canary' } }, errors: [] },
  })
  expect((await harness.run('{ me { id } }', { token: person.token })).status).toBe(401)
})

test('HARD removes the row and all it owns; what is left of its history says nothing of the person', async () => {
  expect(await remove('HARD')).toEqual({ user: null, errors: [] })

  const { prisma } = harness.app.database
  const where = { userId: person.id }
  expect(await prisma.profile.count({ where })).toBe(0)
  expect(await prisma.passwordCredential.count({ where })).toBe(0)
  expect(await prisma.session.count({ where })).toBe(0)
  const events = await prisma.auditEvent.findMany({ where: { subjectId: person.id }, orderBy: { id: 'asc' } })
  expect(events.map(({ type, userId }) => [type, userId])).toEqual([
    ['user.created', null],
    ['user.purged', null],
  ])
  expect(JSON.stringify(events)).not.toMatch(/canary|jane/i)
  expect(await harness.admin('mutation { createUser(input: { email: "jane@example.com" }) { errors { code } } }')).toEqual({
    createUser: { errors: [] },
  })
})

test('ANONYMIZE keeps the row and erases the person, for good', async () => {
  expect(await remove('ANONYMIZE')).toMatchObject({
    user: { id: person.id, status: 'DELETED', email: null, profile: { name: null, sources: [] }, userMetadata: {} },
    errors: [],
  })

  const { prisma } = harness.app.database
  const row = await prisma.user.findUnique({
    where: { id: person.id },
    include: { profile: true, identities: true, passwordCredential: true, sessions: true, auditEvents: true },
  })
  expect(JSON.stringify(row)).not.toMatch(/canary|jane|4915123456789/i)
  expect(row).toMatchObject({ identities: [], passwordCredential: null, sessions: [] })
  expect(await harness.admin(`mutation { restoreUser(input: { id: "${person.id}" }) { errors { code } } }`)).toEqual({
    restoreUser: { errors: [{ code: 'USER_NOT_FOUND' }] },
  })
})

test('a user that is hidden can still be purged', async () => {
  await remove('SOFT')

  expect(await remove('HARD')).toEqual({ user: null, errors: [] })
  expect((await remove('HARD')).errors).toMatchObject([{ code: 'USER_NOT_FOUND', path: ['input', 'id'] }])
})

test('a host table that holds the user blocks HARD by name, and nothing is half done', async () => {
  const { prisma } = harness.app.database
  await prisma.$executeRawUnsafe(
    'create table public.orders (id int primary key, buyer uuid constraint orders_buyer references roster.users)',
  )
  try {
    await prisma.$executeRawUnsafe(`insert into public.orders values (1, '${person.id}'), (2, '${person.id}')`)

    expect(await remove('HARD')).toMatchObject({
      user: null,
      errors: [
        {
          __typename: 'DeleteBlocked',
          code: 'DELETE_BLOCKED',
          references: [{ table: 'public.orders', constraint: 'orders_buyer', rows: 2 }],
        },
      ],
    })
    expect(await harness.run('{ me { email profile { name } } }', { token: person.token })).toMatchObject({
      data: { me: { email: 'jane@example.com', profile: { name: 'Jane Canary' } } },
    })
  } finally {
    await prisma.$executeRawUnsafe('drop table public.orders')
  }
})
