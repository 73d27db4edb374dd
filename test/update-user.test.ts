import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { statements } from './database.ts'
import { boot, type Harness, type Person } from './harness.ts'
import { plant } from './setup/host.ts'

let harness: Harness
let person: Person

beforeAll(async () => {
  harness = await boot()
})
beforeEach(async () => {
  await harness.reset()
  person = await harness.aUser({
    email: 'jane@example.com',
    emailVerified: true,
    password: 'the first pass phrase',
    profile: { name: 'Jane', nickname: 'J' },
    userMetadata: { color: 'red', list: [1, 2], nested: { a: 1, b: { c: 2 } } },
    appMetadata: { plan: 'free' },
  })
})

const updateUser = /* GraphQL */ `
  mutation Update($input: UpdateUserInput!) {
    updateUser(input: $input) {
      user { email emailVerified phoneNumber username version userMetadata profile { name nickname givenName sources { attribute origin } } hasPassword }
      errors { __typename code path ... on VersionConflict { currentVersion } ... on MetadataTooLarge { limit actual } }
    }
  }
`
type Payload = { updateUser: { user: Record<string, unknown> | null; errors: Record<string, unknown>[] } }

async function byAdmin(input: Record<string, unknown>) {
  return ((await harness.admin(updateUser, { input: { id: person.id, ...input } })) as Payload).updateUser
}

async function byPerson(input: Record<string, unknown>) {
  const { data, errors } = await harness.run(updateUser, { token: person.token, variables: { input } })
  return { payload: (data as Payload | null)?.updateUser, errors }
}

test('the user edits metadata and profile, and what was written says so', async () => {
  const { payload } = await byPerson({ userMetadata: { color: 'blue' }, profile: { givenName: 'Jane' } })

  expect(payload?.errors).toEqual([])
  expect(payload?.user).toMatchObject({ version: 2, userMetadata: { color: 'blue', list: [1, 2] } })
  expect(payload?.user?.['profile']).toMatchObject({
    givenName: 'Jane',
    sources: [
      { attribute: 'givenName', origin: 'USER' },
      { attribute: 'name', origin: 'ADMIN' },
      { attribute: 'nickname', origin: 'ADMIN' },
    ],
  })
})

test('the user cannot send appMetadata, and nothing else of that request is done', async () => {
  const { errors } = await byPerson({ userMetadata: { color: 'blue' }, appMetadata: { plan: 'pro' } })

  expect(errors).toMatchObject([
    { extensions: { code: 'FORBIDDEN', field: 'input.appMetadata', requiredScopes: ['update:users_app_metadata'] } },
  ])
  expect(await harness.app.database.prisma.user.findUnique({ where: { id: person.id } })).toMatchObject({
    version: 1,
    userMetadata: { color: 'red' },
  })
})

test('the user cannot change another user', async () => {
  const other = await harness.aUser({})
  const { errors } = await byPerson({ id: other.id, userMetadata: { color: 'blue' } })

  expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }])
})

test('what is absent is left alone, and null clears', async () => {
  await byAdmin({ username: 'jane' })
  const { user } = await byAdmin({ username: null, profile: { nickname: null } })

  expect(user).toMatchObject({ email: 'jane@example.com', username: null, profile: { name: 'Jane', nickname: null } })
})

test('a new address is not verified, and false un-verifies', async () => {
  expect((await byAdmin({ emailVerified: false })).user).toMatchObject({ emailVerified: false })
  expect((await byAdmin({ emailVerified: true })).user).toMatchObject({ emailVerified: true })
  expect((await byAdmin({ email: 'jane@example.org' })).user).toMatchObject({ email: 'jane@example.org', emailVerified: false })
  expect((await byAdmin({ email: 'jane@example.net', emailVerified: true })).user).toMatchObject({ emailVerified: true })
})

test('another spelling of the same address stays verified', async () => {
  expect((await byAdmin({ email: 'JANE@example.com' })).user).toMatchObject({ email: 'JANE@example.com', emailVerified: true })
})

test('a taken address is the same typed error as at creation', async () => {
  await harness.aUser({ email: 'taken@example.com' })

  expect((await byAdmin({ email: 'Taken@Example.com' })).errors).toMatchObject([
    { __typename: 'EmailTaken', code: 'EMAIL_TAKEN', path: ['input', 'email'] },
  ])
})

describe('metadata', () => {
  test('MERGE replaces first-level keys, and a null removes its key', async () => {
    const { user } = await byAdmin({ userMetadata: { color: null, nested: { a: null }, extra: true } })

    expect(user?.['userMetadata']).toEqual({ list: [1, 2], nested: { a: null }, extra: true })
  })

  test('MERGE_DEEP is JSON Merge Patch, RFC 7396', async () => {
    const { user } = await byAdmin({
      metadataMode: 'MERGE_DEEP',
      userMetadata: { color: null, list: { 0: 'x' }, nested: { a: null, b: { d: 3 } }, fresh: { deep: { gone: null, stays: 1 } } },
    })

    expect(user?.['userMetadata']).toEqual({ list: { 0: 'x' }, nested: { b: { c: 2, d: 3 } }, fresh: { deep: { stays: 1 } } })
  })

  test('REPLACE makes the value given the whole object', async () => {
    const { user } = await byAdmin({ metadataMode: 'REPLACE', userMetadata: { only: null } })

    expect(user?.['userMetadata']).toEqual({ only: null })
  })

  test('null clears a bag, {} changes nothing', async () => {
    expect((await byAdmin({ userMetadata: {} })).user).toMatchObject({ version: 1 })
    expect((await byAdmin({ userMetadata: null })).user).toMatchObject({ version: 2, userMetadata: {} })
  })

  test('a bag that would pass 16 KiB is refused with both figures, and stays as it was', async () => {
    await byAdmin({ metadataMode: 'REPLACE', userMetadata: { first: 'x'.repeat(9000) } })
    const { errors } = await byAdmin({ userMetadata: { second: 'y'.repeat(9000) } })

    expect(errors).toEqual([
      { __typename: 'MetadataTooLarge', code: 'METADATA_TOO_LARGE', path: ['input', 'userMetadata'], limit: 16_384, actual: 18_024 },
    ])
    expect((await byAdmin({ userMetadata: {} })).user?.['userMetadata']).toEqual({ first: 'x'.repeat(9000) })
  })

  test('8 levels are kept, 9 are refused', async () => {
    const nest = (levels: number): unknown => (levels === 1 ? {} : { a: nest(levels - 1) })

    expect((await byAdmin({ userMetadata: nest(8) })).errors).toEqual([])
    expect((await byAdmin({ userMetadata: nest(9) })).errors).toMatchObject([{ code: 'INVALID_INPUT' }])
  })
})

describe('versions', () => {
  test('count up by one with each change', async () => {
    expect((await byAdmin({ username: 'a' })).user).toMatchObject({ version: 2 })
    expect((await byAdmin({ username: 'b' })).user).toMatchObject({ version: 3 })
    expect((await byAdmin({ username: 'b' })).user).toMatchObject({ version: 3 })
  })

  test('make a change conditional', async () => {
    expect((await byAdmin({ expectedVersion: 1, username: 'a' })).errors).toEqual([])
    expect((await byAdmin({ expectedVersion: 1, username: 'b' })).errors).toEqual([
      { __typename: 'VersionConflict', code: 'VERSION_CONFLICT', path: ['input', 'expectedVersion'], currentVersion: 2 },
    ])
  })
})

describe('a password', () => {
  test('is changed by the user who knows the one there is, and ends the other sessions', async () => {
    const elsewhere = await harness.signIn(person.id)
    const { payload } = await byPerson({ password: 'the second pass phrase', currentPassword: 'the first pass phrase' })

    expect(payload?.errors).toEqual([])
    expect((await harness.run('{ me { id } }', { token: elsewhere })).status).toBe(401)
    expect((await harness.run('{ me { id } }', { token: person.token })).data).toEqual({ me: { id: person.id } })
  })

  test('is not changed by whoever only has the session', async () => {
    for (const proof of [{}, { currentPassword: 'a wrong pass phrase' }, { nonce: '123456' }])
      expect((await byPerson({ password: 'the second pass phrase', ...proof })).payload?.errors).toMatchObject([
        { code: 'REAUTHENTICATION_REQUIRED', path: ['input', 'nonce' in proof ? 'nonce' : 'currentPassword'] },
      ])
  })

  test('is taken away by an administrator with null, and by nobody else', async () => {
    const own = await byPerson({ password: null, currentPassword: 'the first pass phrase' })
    expect(own.payload?.errors).toMatchObject([{ code: 'INVALID_INPUT', path: ['input', 'password'] }])
    expect((await byAdmin({ password: null })).user).toMatchObject({ hasPassword: false })
  })
})

test('each change is one event with what changed, and who did it', async () => {
  await byPerson({ userMetadata: { color: 'blue', nested: { a: 1, b: { c: 3 } } } })
  await byAdmin({ appMetadata: { plan: 'pro' } })

  const { data } = await harness.run('{ me { history(first: 2) { nodes { type actor { kind id } changes { path before after } } } } }', {
    token: person.token,
  })

  expect(data?.['me']).toMatchObject({
    history: {
      nodes: [
        { type: 'user.updated', actor: { kind: 'ADMIN' }, changes: [] },
        {
          type: 'user.updated',
          actor: { kind: 'USER', id: person.id },
          changes: [
            { path: '/userMetadata/color', before: 'red', after: 'blue' },
            { path: '/userMetadata/nested/b/c', before: 2, after: 3 },
          ],
        },
      ],
    },
  })
  const full = await harness.admin(`{ user(by: { id: "${person.id}" }) { history(first: 1) { nodes { changes { path before after } } } } }`)
  expect(full).toMatchObject({ user: { history: { nodes: [{ changes: [{ path: '/appMetadata/plan', before: 'free', after: 'pro' }] }] } } })
})

test('what a change of metadata alone answers is what is read afterwards, also where a trigger had the last word', async () => {
  await plant(`
    create function public.decorate() returns trigger language plpgsql as $$ begin
      new.username := 'host'; new.user_metadata := '{"by": "trigger"}'; new.block_reason := 'by trigger';
      new.blocked_at := '2026-01-02T03:04:05.6Z'; new.last_sign_in_at := '0099-12-31T23:59:59.999Z';
      return new;
    end; $$;
    create trigger decorate before update on roster.users for each row execute function public.decorate();`)
  const fields = `id email emailVerified phoneNumber phoneNumberVerified username externalId status block { at until reason } version
    userMetadata appMetadata createdAt updatedAt deletedAt lastSignInAt lastSignInIp signInCount`
  const change = `mutation ($input: UpdateUserInput!) { updateUser(input: $input) { user { ${fields} } errors { message } } }`

  statements.length = 0
  const changed = await harness.admin(change, { input: { id: person.id, appMetadata: { plan: 'pro' } } })
  const written = statements.filter((sql) => sql.includes('roster.users'))
  const read = await harness.admin(`{ user(by: { id: "${person.id}" }) { ${fields} } }`)

  expect(changed).toEqual({ updateUser: { ...(read as object), errors: [] } })
  expect(read).toMatchObject({ user: { username: 'host', userMetadata: { by: 'trigger' }, version: 2 } })
  expect(written).toHaveLength(1)
})

test('a token without a user has to name one', async () => {
  const { errors } = await harness.run(updateUser, { token: await harness.adminToken('admin'), variables: { input: { username: 'x' } } })

  expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field: 'input.id' } }])
})

test('what a trigger changes besides is in the history, whether metadata is changed alone, by one statement, or with more', async () => {
  await plant(`
    create function public.decorate() returns trigger language plpgsql as $$ begin
      if new.username is null then
        new.username := 'host-' || new.version;
        new.blocked_at := '2026-01-02T03:04:05.600Z'; new.blocked_until := '2026-02-03T00:00:00+01:00'; new.block_reason := 'by trigger';
        new.phone_number_verified := true; new.external_id := 'from/host~1';
      end if;
      return new;
    end; $$;
    create trigger decorate before update on roster.users for each row execute function public.decorate();`)
  const history = '{ user(by: { id: "ID" }) { history(first: 1) { nodes { changes { path before after } } } } }'
  const changesOf = async (patch: Record<string, unknown>) => {
    const { id } = await harness.aUser({ userMetadata: { color: 'red' }, appMetadata: { plan: 'free' } })
    await harness.admin(updateUser, { input: { id, userMetadata: { color: 'blue' }, appMetadata: { plan: 'pro' }, ...patch } })
    const { user } = (await harness.admin(history.replace('ID', id))) as { user: { history: { nodes: { changes: { path: string }[] }[] } } }
    await harness.app.database.prisma.user.delete({ where: { id } })
    return user.history.nodes[0]?.changes.toSorted((one, other) => one.path.localeCompare(other.path))
  }

  const alone = await changesOf({})
  const withMore = await changesOf({ profile: { nickname: 'J' } })

  expect(alone).toContainEqual({ path: '/block/at', before: null, after: '2026-01-02T03:04:05.600Z' })
  expect(alone).toContainEqual({ path: '/userMetadata/color', before: 'red', after: 'blue' })
  expect(alone).toEqual(withMore?.filter(({ path }) => !path.startsWith('/profile')))
})
