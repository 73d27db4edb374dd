import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { changesOf, type KeptChanges } from '../src/domain/difference.ts'
import { eachSource } from '../src/domain/profile-source.ts'
import { boot, type Harness } from './harness.ts'
import { importFile, ndjson } from './imports.ts'

let harness: Harness

beforeAll(async () => {
  harness = await boot()
})
beforeEach(() => harness.reset())

const db = () => harness.app.database.prisma
const byEmail = (emailNormal: string) =>
  db().user.findUniqueOrThrow({
    where: { emailNormal },
    include: {
      profile: true,
      profileSources: true,
      identities: { orderBy: { provider: 'asc' } },
      passwordCredential: true,
      auditEvents: true,
    },
  })

/** bcrypt, cost 4, of "correct horse". */
const bcrypt = '$2b$04$0nTPwtCDaMbmKRUKsrNBNe2CuHhsLJmBSPuH.H3hNnHwdzLCQYfE2'

const jane = {
  id: '0190a5b2-0000-7000-8000-000000000001',
  email: 'Jane.Doe@Example.com',
  emailVerified: true,
  phoneNumber: '+491701234567',
  username: 'Jane',
  externalId: 'crm-1',
  profile: { name: 'Jane Doe', locale: 'en-GB', address: { country: 'DE' } },
  profileSources: {
    name: { origin: 'IDENTITY', identity: { provider: 'google', providerUserId: 'g-1' }, setAt: '2024-01-02T03:04:05.678Z' },
  },
  userMetadata: { color: 'red', nested: { a: [1, 2] } },
  appMetadata: { plan: 'pro' },
  identities: [
    {
      provider: 'google',
      providerUserId: 'g-1',
      email: 'jane@gmail.example',
      emailVerified: true,
      claims: { sub: 'g-1' },
      createdAt: '2024-01-01T00:00:00.000Z',
    },
  ],
  createdAt: '2023-01-01T00:00:00.000Z',
  updatedAt: '2024-05-01T00:00:00.000Z',
  lastSignInAt: '2024-04-01T00:00:00.000Z',
  lastSignInIp: '192.0.2.7',
  signInCount: 12,
  version: 9,
}

describe('Roster’s own format', () => {
  test('brings all of a user, with one event in history', async () => {
    const job = await importFile(harness, ndjson(jane), { format: 'ROSTER_NDJSON' })

    expect(job).toMatchObject({ status: 'SUCCEEDED', processed: 1, total: 1, inserted: 1, updated: 0, skipped: 0, failed: 0 })
    const user = await byEmail('jane.doe@example.com')
    expect(user).toMatchObject({
      id: jane.id,
      email: 'Jane.Doe@example.com'.replace('example', 'Example'),
      emailVerified: true,
      phoneNumber: '+491701234567',
      username: 'Jane',
      externalId: 'crm-1',
      nameNormal: 'jane doe',
      userMetadata: jane.userMetadata,
      appMetadata: jane.appMetadata,
      createdAt: new Date(jane.createdAt),
      updatedAt: new Date(jane.updatedAt),
      lastSignInAt: new Date(jane.lastSignInAt),
      signInCount: 12,
      version: 9,
      profile: { name: 'Jane Doe', locale: 'en-GB', address: { country: 'DE' } },
      identities: [{ provider: 'google', providerUserId: 'g-1', email: 'jane@gmail.example', emailVerified: true, claims: { sub: 'g-1' } }],
      passwordCredential: null,
    })
    expect(eachSource(user.profileSources).find(({ attribute }) => attribute === 'name')).toMatchObject({
      origin: 'IDENTITY',
      identityId: user.identities[0]?.id,
    })
    expect(eachSource(user.profileSources).find(({ attribute }) => attribute === 'locale')).toMatchObject({
      origin: 'IMPORT',
      identityId: null,
    })
    expect(user.auditEvents.map(({ type, actorKind }) => [type, actorKind])).toEqual([['user.imported', 'ADMIN']])
    expect(changesOf(user.auditEvents[0]?.changes as KeptChanges)).toContainEqual({
      path: '/userMetadata/color',
      before: null,
      after: 'red',
    })
  })

  test('the same file again changes nothing: refused line by line, or as it was with upsert', async () => {
    const file = ndjson(jane, { email: 'john@example.com', userMetadata: { list: [{ bb: 1, a: 2 }] } })
    await importFile(harness, file, { format: 'ROSTER_NDJSON' })

    const again = await importFile(harness, file, { format: 'ROSTER_NDJSON' })
    const upserted = await importFile(harness, file, { format: 'ROSTER_NDJSON', upsert: true })

    expect(again).toMatchObject({
      inserted: 0,
      failed: 2,
      errors: {
        nodes: [
          { line: 1, code: 'DUPLICATED_USER', path: 'id' },
          { line: 2, code: 'DUPLICATED_USER', path: 'email' },
        ],
      },
    })
    expect(upserted).toMatchObject({ inserted: 0, updated: 0, skipped: 2, failed: 0 })
    expect(await db().user.count()).toBe(2)
    expect(await db().auditEvent.count({ where: { type: 'user.imported' } })).toBe(2)
  })

  test('what the database would take for the end of a value, of a row or of the file is text like any other', async () => {
    const odd = ['\\N', '\\.', 'tab\there', 'line\r\nline', 'back\\\\slash\\', '{"a":"b"}', "it's; drop table", 'ü😀 \u2028']
    const records = odd.map((text, index) => ({
      email: `odd${index}@example.com`,
      externalId: text,
      profile: { name: text, nickname: text },
      userMetadata: { [text]: [text, { text }] },
      identities: [{ provider: 'google', providerUserId: text, claims: { [text]: text } }],
    }))

    const job = await importFile(harness, ndjson(...records), { format: 'ROSTER_NDJSON' })

    expect([job.inserted, job.errors.nodes]).toEqual([odd.length, []])
    for (const [index, text] of odd.entries()) {
      const user = await byEmail(`odd${index}@example.com`)
      expect(user).toMatchObject({ externalId: text, profile: { name: text, nickname: text }, userMetadata: { [text]: [text, { text }] } })
      expect(user.identities).toMatchObject([{ providerUserId: text, claims: { [text]: text } }])
      const changes = user.auditEvents.flatMap((event) => changesOf(event.changes as KeptChanges))
      expect(changes).toContainEqual({ path: '/externalId', before: null, after: text })
      const key = text.replaceAll('~', '~0').replaceAll('/', '~1')
      expect(changes).toContainEqual({ path: `/userMetadata/${key}`, before: null, after: [text, { text }] })
    }
  })

  test('a record that is not right is refused by its line, with all that is wrong, and the rest goes in', async () => {
    const file = ndjson(
      { email: 'a@example.com' },
      { email: 'not an address', profile: { picture: 'javascript:alert(1)', shoeSize: 4 }, signInCount: 'many' },
      { email: 'b@example.com', colour: 'red' },
      { email: 'c@example.com', passwordHash: 'plain', createdAt: '2023-02-30T00:00:00Z' },
      { email: 'd@example.com', userMetadata: { text: 'x'.repeat(17_000) } },
    ).replace('"many"', '"many"')
    const broken = `${file}{"email": "e@example.com"\n["array"]\n{"email":"f@example.com","userMetadata":{"n":12345678901234567890}}\n{"email":"g@example.com"}`

    const { inserted, failed, errors, status } = await importFile(harness, broken, { format: 'ROSTER_NDJSON' })

    expect({ inserted, failed, status }).toEqual({ inserted: 2, failed: 7, status: 'SUCCEEDED' })
    expect(errors.nodes.map(({ line, code, path }) => [line, code, path])).toEqual([
      [2, 'INVALID_FORMAT', 'email'],
      [2, 'INVALID_FORMAT', 'profile.shoeSize'],
      [2, 'INVALID_FORMAT', 'profile.picture'],
      [2, 'INVALID_TYPE', 'signInCount'],
      [3, 'INVALID_FORMAT', 'colour'],
      [4, 'INVALID_FORMAT', 'passwordHash'],
      [4, 'INVALID_FORMAT', 'createdAt'],
      [5, 'MAX_LENGTH', 'userMetadata'],
      [6, 'INVALID_FORMAT', null],
      [7, 'OBJECT_REQUIRED', null],
      [8, 'INVALID_FORMAT', null],
    ])
    expect(JSON.stringify(errors)).not.toContain('alert(1)')
  })

  test('users who come twice in a file are reported, also where only the case of the address differs', async () => {
    const file = ndjson(
      { email: 'Jane@Example.com', username: 'jane' },
      { email: 'jane@example.COM' },
      { email: 'other@example.com', username: 'JANE' },
      { email: 'third@example.com', identities: [{ provider: 'google', providerUserId: '1' }] },
      { email: 'fourth@example.com', identities: [{ provider: 'google', providerUserId: '1' }] },
    )

    for (const options of [{ dryRun: true }, { upsert: true }]) {
      const { inserted, errors } = await importFile(harness, file, { format: 'ROSTER_NDJSON', ...options })
      expect(errors.nodes.map(({ line, code, path }) => [line, code, path])).toEqual([
        [2, 'DUPLICATED_USER', 'email'],
        [3, 'DUPLICATED_USER', 'username'],
        [5, 'DUPLICATED_USER', 'identities.0'],
      ])
      expect(inserted).toBe(2)
    }
  })

  test('a dry run says what would happen, and writes nothing', async () => {
    await harness.aUser({ email: 'john@example.com' })
    const before = await db().auditEvent.count({ where: { type: { startsWith: 'user.' } } })
    const file = ndjson(jane, { email: 'john@example.com', userMetadata: { a: 1 } }, { email: 'nobody' })

    const job = await importFile(harness, file, { format: 'ROSTER_NDJSON', upsert: true, dryRun: true })

    expect(job).toMatchObject({ status: 'SUCCEEDED', processed: 3, inserted: 1, updated: 1, failed: 1, errors: { nodes: [{ line: 3 }] } })
    expect(await db().user.count()).toBe(1)
    expect(await db().auditEvent.count({ where: { type: { startsWith: 'user.' } } })).toBe(before)
  })

  test('appMetadata needs its scope, line by line', async () => {
    const file = ndjson({ email: 'a@example.com', appMetadata: {} }, { email: 'b@example.com', appMetadata: { plan: 'pro' } })

    const { inserted, errors } = await importFile(harness, file, { format: 'ROSTER_NDJSON', scopes: [] })

    expect(inserted).toBe(1)
    expect(errors.nodes).toMatchObject([{ line: 2, code: 'FORBIDDEN', path: 'appMetadata' }])
  })

  test('of many, the planner knows of them when it is done', async () => {
    const people = Array.from({ length: 1000 }, (_, index) => ({ email: `user${index}@example.com`, profile: { name: 'Somebody' } }))

    expect(await importFile(harness, ndjson(...people), { format: 'ROSTER_NDJSON' })).toMatchObject({ inserted: 1000 })

    const known = await db().$queryRaw`
      select relname as table, reltuples > 0 as known from pg_class
      where relnamespace = 'roster'::regnamespace and relname in ('users', 'profiles', 'profile_sources') order by relname`
    expect(known).toEqual(['profile_sources', 'profiles', 'users'].map((table) => ({ table, known: true })))
  })
})

describe('with upsert', () => {
  const known = {
    email: 'jane@example.com',
    externalId: 'crm-1',
    profile: { name: 'Jane', nickname: 'JD' },
    userMetadata: { a: { x: 1 }, b: 2 },
  }

  test('what a record says takes the place of what is there, null clears, and what it says nothing of stays', async () => {
    const { id, token } = await harness.aUser({ ...known, password: 'a long password', phoneNumber: '+491701234567' })
    const record = {
      email: 'JANE@example.com',
      username: 'jane',
      phoneNumber: null,
      profile: { name: 'Jane Doe' },
      identities: [{ provider: 'google', providerUserId: '1' }],
      passwordHash: bcrypt,
    }

    const job = await importFile(harness, ndjson(record), { format: 'ROSTER_NDJSON', upsert: true })

    expect(job).toMatchObject({ inserted: 0, updated: 1, failed: 0 })
    const user = await byEmail('jane@example.com')
    expect(user).toMatchObject({
      id,
      email: 'JANE@example.com',
      username: 'jane',
      phoneNumber: null,
      externalId: 'crm-1',
      version: 2,
      profile: { name: 'Jane Doe', nickname: 'JD' },
      nameNormal: 'jane doe',
    })
    expect(user.identities.map(({ provider }) => provider)).toEqual(['google', 'password'])
    expect(user.passwordCredential?.hash).toMatch(/^\$argon2id/)
    expect(eachSource(user.profileSources).map(({ attribute, origin }) => [attribute, origin])).toEqual([
      ['name', 'IMPORT'],
      ['nickname', 'ADMIN'],
    ])
    const changes = user.auditEvents.find(({ type }) => type === 'user.imported')?.changes as { path: string }[]
    expect(changes.map(({ path }) => path)).toContain('/profile/name')
    expect((await harness.run('{ me { id } }', { token })).data).toEqual({ me: { id } })
  })

  test.each([
    ['REPLACE', { a: { y: 2 }, c: 3 }],
    ['MERGE', { a: { y: 2 }, c: 3 }],
    ['MERGE_DEEP', { a: { x: 1, y: 2 }, c: 3 }],
  ])('metadata meets what is there by %s', async (metadataMode, expected) => {
    await harness.aUser(known)
    const patch = metadataMode === 'REPLACE' ? { a: { y: 2 }, c: 3 } : { a: { y: 2 }, b: null, c: 3 }

    await importFile(harness, ndjson({ email: known.email, userMetadata: patch }), { format: 'ROSTER_NDJSON', upsert: true, metadataMode })

    expect((await byEmail(known.email)).userMetadata).toEqual(expected)
  })

  test('users are found by what is named, the first one first, and a record of two of them is refused', async () => {
    const { id } = await harness.aUser(known)
    await harness.aUser({ email: 'john@example.com', username: 'john' })
    const run = (record: object, matchOn: string[]) =>
      importFile(harness, ndjson(record), { format: 'ROSTER_NDJSON', upsert: true, matchOn })

    expect(await run({ externalId: 'crm-1', email: 'new@example.com' }, ['EXTERNAL_ID'])).toMatchObject({ updated: 1 })
    expect((await byEmail('new@example.com')).id).toBe(id)
    expect((await run({ externalId: 'crm-1', email: 'john@example.com' }, ['EXTERNAL_ID'])).errors.nodes).toMatchObject([
      { code: 'CONFLICT_EMAIL', path: 'email' },
    ])
    expect((await run({ externalId: 'crm-1', username: 'JOHN' }, ['EXTERNAL_ID'])).errors.nodes).toMatchObject([
      { code: 'CONFLICT_USERNAME' },
    ])
    expect((await run({ externalId: 'crm-1', email: 'else@example.com' }, ['EMAIL'])).errors.nodes).toMatchObject([
      { code: 'CONFLICT', path: 'externalId' },
    ])
  })

  test('whoever is blocked by it is signed out, and whoever is deleted does not come back by it', async () => {
    const person = await harness.aUser(known)
    const gone = await harness.aUser({ email: 'gone@example.com' })
    await harness.admin(`mutation { deleteUser(input: { id: "${gone.id}" }) { errors { code } } }`)
    const file = ndjson(
      { email: known.email, block: { until: '2099-01-01T00:00:00Z', reason: 'fraud' } },
      { email: 'gone@example.com', username: 'gone' },
    )

    const { updated, errors } = await importFile(harness, file, { format: 'ROSTER_NDJSON', upsert: true })

    expect(updated).toBe(1)
    expect(errors.nodes).toMatchObject([{ line: 2, code: 'CONFLICT' }])
    expect((await harness.run('{ me { id } }', { token: person.token })).status).toBe(401)
  })
})
