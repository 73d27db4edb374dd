import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { changesOf, type KeptChanges } from '../src/domain/difference.ts'
import { eachSource } from '../src/domain/profile-source.ts'
import { boot, type Harness } from './harness.ts'
import { importFile, requestImport, upload } from './imports.ts'

let harness: Harness

beforeAll(async () => {
  harness = await boot({ UPLOAD_MAX_BYTES: '3000000' })
})
beforeEach(() => harness.reset())

const ndjson = (...records: object[]) => records.map((record) => `${JSON.stringify(record)}\n`).join('')
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

describe('files that are not as they should be', () => {
  const expectFailure = async (content: string | Buffer, format: string) => {
    const { status, inserted, errors } = await importFile(harness, content, { format })
    return [status, inserted, errors.nodes.map(({ line, code }) => [line, code])]
  }

  test('a byte order mark is dropped, and so are blank lines and carriage returns', async () => {
    expect(await expectFailure(`\ufeff{"email":"a@example.com"}\r\n\r\n  {"email":"b@example.com"}\r\n`, 'ROSTER_NDJSON')).toEqual([
      'SUCCEEDED',
      2,
      [],
    ])
  })

  test('UTF-16 and what is compressed are refused as a whole, and other encodings by the line', async () => {
    expect(await expectFailure(Buffer.from('\ufeff{"email":"a@example.com"}', 'utf16le'), 'ROSTER_NDJSON')).toEqual([
      'FAILED',
      0,
      [[1, 'INVALID_ENCODING']],
    ])
    expect(await expectFailure(Buffer.from('{"email":"a@example.com"}', 'utf16le'), 'ROSTER_NDJSON')).toEqual([
      'FAILED',
      0,
      [[1, 'INVALID_ENCODING']],
    ])
    expect(await expectFailure(Buffer.from([0x1f, 0x8b, 8, 0, 0, 0]), 'AUTH0')).toEqual(['FAILED', 0, [[1, 'INVALID_ENCODING']]])
    const latin1 = Buffer.from('{"email":"a@example.com"}\n{"email":"b@example.com","profile":{"name":"J\u00fcrgen"}}\n', 'latin1')
    expect(await expectFailure(latin1, 'ROSTER_NDJSON')).toEqual(['SUCCEEDED', 1, [[2, 'INVALID_ENCODING']]])
  })

  test('one that the database refuses amidst a megabyte of others is found, and the others go in', async () => {
    await harness.admin('mutation { createUser(input: { email: "user0@example.com" }) { user { id } } }')
    const people = Array.from({ length: 400 }, (_, index) => ({
      email: `user${index}@example.com`,
      userMetadata: { text: `${index} `.repeat(600) },
    }))

    expect(await importFile(harness, ndjson(...people), { format: 'ROSTER_NDJSON' })).toMatchObject({
      ...{ status: 'SUCCEEDED', inserted: 399, failed: 1, errors: { nodes: [{ line: 1, code: 'DUPLICATED_USER', path: 'email' }] } },
    })
    expect(await db().user.count({ where: { userMetadata: { not: {} } } })).toBe(399)
  })

  test('of many, the planner knows of them when it is done', async () => {
    const people = Array.from({ length: 1000 }, (_, index) => ({ email: `user${index}@example.com`, profile: { name: 'Somebody' } }))

    expect(await importFile(harness, ndjson(...people), { format: 'ROSTER_NDJSON' })).toMatchObject({ inserted: 1000 })

    const known = await db().$queryRaw`
      select relname as table, reltuples > 0 as known from pg_class
      where relnamespace = 'roster'::regnamespace and relname in ('users', 'profiles', 'profile_sources') order by relname`
    expect(known).toEqual(['profile_sources', 'profiles', 'users'].map((table) => ({ table, known: true })))
  })

  test('an oversized line is refused, and those after it are read', async () => {
    const file = `{"email":"a@example.com"}\n{"email":"b@example.com","x":"${'x'.repeat(1_100_000)}"}\n{"email":"c@example.com"}\n`

    expect(await expectFailure(file, 'ROSTER_NDJSON')).toEqual(['SUCCEEDED', 2, [[2, 'MAX_LENGTH']]])
    expect(
      await expectFailure(`[{"email":"d@example.com"},\n{"email":"${'x'.repeat(1_100_000)}"},{"email":"e@example.com"}]`, 'AUTH0'),
    ).toEqual(['SUCCEEDED', 2, [[2, 'MAX_LENGTH']]])
  })

  test.each([
    ['ROSTER_NDJSON', '{"email":"a@example.com"}\n{"email":"b@exam'],
    ['AUTH0', '[{"email":"a@example.com"},\n{"email":"b@exam'],
    ['AUTH0', '[{"email":"a@example.com"},\n'],
    ['CSV', 'email,username\na@example.com,a\nb@exam'],
    ['CSV', 'email,username\na@example.com,a\nb@example.com,"b'],
  ])('a file of %s that is cut off says where, and what came before is kept', async (format, content) => {
    expect(await expectFailure(content, format)).toEqual(['FAILED', 1, [[expect.any(Number), 'TRUNCATED_FILE']]])
  })

  test('an empty file is an import of nobody', async () => {
    for (const format of ['ROSTER_NDJSON', 'CSV', 'AUTH0', 'SUPABASE'])
      expect(await expectFailure(format === 'AUTH0' ? '[]' : '', format)).toEqual(['SUCCEEDED', 0, []])
  })
})

describe('CSV', () => {
  test('has the fields in its headers, with a dot for what is inside', async () => {
    const file = [
      'email,emailVerified,profile.name,profile.address.country,userMetadata.plan,userMetadata.age,userMetadata.zip,userMetadata.tags,appMetadata,externalId',
      'jane@example.com,TRUE,"Doe, ""Jane""",DE,pro,42,01234,"[""a"",1]","{""vip"": true}",7',
      'john@example.com,,,,,,,,,',
    ].join('\r\n')

    const job = await importFile(harness, file, { format: 'CSV' })

    expect(job).toMatchObject({ status: 'SUCCEEDED', inserted: 2, failed: 0 })
    expect(await byEmail('jane@example.com')).toMatchObject({
      emailVerified: true,
      externalId: '7',
      profile: { name: 'Doe, "Jane"', address: { country: 'DE' } },
      userMetadata: { plan: 'pro', age: 42, zip: '01234', tags: ['a', 1] },
      appMetadata: { vip: true },
    })
    expect(await byEmail('john@example.com')).toMatchObject({ emailVerified: false, userMetadata: {}, profile: { name: null } })
  })

  test('a cell that a spreadsheet would execute is text, with or without the apostrophe that made it safe', async () => {
    const file =
      'email,profile.name,profile.nickname,phoneNumber,userMetadata.formula\na@example.com,=1+1,\'=1+1,\'+491701234567,"=HYPERLINK(""https://evil.example"")"\nb@example.com,\'\'-1,\'plain,,-5\n'

    expect(await importFile(harness, file, { format: 'CSV' })).toMatchObject({ inserted: 2 })

    expect(await byEmail('a@example.com')).toMatchObject({
      phoneNumber: '+491701234567',
      profile: { name: '=1+1', nickname: '=1+1' },
      userMetadata: { formula: '=HYPERLINK("https://evil.example")' },
    })
    expect(await byEmail('b@example.com')).toMatchObject({ profile: { name: "'-1", nickname: "'plain" }, userMetadata: { formula: -5 } })
  })

  test('a name that the file chose is reported, whatever it is', async () => {
    const names = ['\0', `${'x'.repeat(99)}\u{1f600}`]
    for (const name of names)
      expect(await importFile(harness, `email,${name}\na@example.com,1\n`, { format: 'CSV' })).toMatchObject({
        status: 'FAILED',
        errors: { nodes: [{ code: 'INVALID_HEADER' }] },
      })
    expect(await importFile(harness, ndjson({ [names[1] ?? '']: 1 }), { format: 'ROSTER_NDJSON' })).toMatchObject({
      status: 'SUCCEEDED',
      failed: 1,
    })
  })

  test('a header that is no field fails the import, and a row that is not right is refused', async () => {
    for (const header of ['email,shoeSize', 'email,profile.shoeSize', 'email,userMetadata.__proto__', 'email,email', 'email,'])
      expect(await importFile(harness, `${header}\na@example.com,1\n`, { format: 'CSV' })).toMatchObject({
        status: 'FAILED',
        errors: { nodes: [{ line: 1, code: 'INVALID_HEADER' }] },
      })
    const { inserted, errors } = await importFile(
      harness,
      'email,emailVerified\na@example.com\nb@example.com,maybe\nc"@example.com,true\nd@example.com,true\n',
      { format: 'CSV' },
    )
    expect(inserted).toBe(1)
    expect(errors.nodes.map(({ line, code, path }) => [line, code, path])).toEqual([
      [2, 'INVALID_FORMAT', null],
      [3, 'INVALID_TYPE', 'emailVerified'],
      [4, 'INVALID_FORMAT', null],
    ])
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })
})

describe('uploads', () => {
  test('are for import:users, of a size that is allowed, and whole', async () => {
    const token = await harness.adminToken('import:users')
    const status = async (token: string, content: BodyInit) => (await upload(harness, token, content)).status

    expect(await status('', 'x')).toBe(401)
    expect(await status(await harness.adminToken('read:users'), 'x')).toBe(403)
    expect(await status(token, 'x'.repeat(3_000_001))).toBe(413)
    const stream = new ReadableStream({
      pull: (controller) => controller.enqueue(new TextEncoder().encode('x'.repeat(1_000_000))),
    })
    expect(await status(token, stream).catch(() => 413)).toBe(413)
    expect(await db().upload.count({ where: { completedAt: { not: null } } })).toBe(0)
    await expect(requestImport(harness, token, { format: 'CSV', upload: (await db().upload.findFirstOrThrow()).id })).rejects.toThrow(
      'UPLOAD_NOT_FOUND',
    )
    await expect(requestImport(harness, token, { format: 'CSV', upload: 'x' })).rejects.toThrow('UPLOAD_NOT_FOUND')
  })
})
