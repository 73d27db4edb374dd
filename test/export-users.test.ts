import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemScope } from '../src/app.ts'
import { auth0CustomHash } from '../src/crypto/auth0-custom-hash.ts'
import { foreignPasswordHash } from '../src/crypto/auth0-hash.ts'
import type { Database } from '../src/database/database.ts'
import { withSnapshot } from '../src/database/snapshot.ts'
import { createWriter } from '../src/domain/export/create-writer.ts'
import { createExportHandler } from '../src/domain/export/export-handler.ts'
import { exportUsers } from '../src/domain/export/export-users.ts'
import { parseRecord, type RecordText, readRecords } from '../src/domain/export/read-records.ts'
import { writeFile } from '../src/domain/export/write-file.ts'
import { cancelJob } from '../src/domain/job/cancel-job.ts'
import { createJobRunner } from '../src/domain/job-runner.ts'
import { eachSource } from '../src/domain/profile-source.ts'
import { purge } from '../src/domain/retention.ts'
import { seedUsers } from '../src/domain/seed.ts'
import type { RosterRecord } from '../src/domain/transfer/roster-record.ts'
import { createLogger } from '../src/ports/logger.ts'
import { postgresOnly } from './database.ts'
import { everybody, exportedPeople } from './exported-people.ts'
import { foreignHashes } from './foreign-hashes.ts'
import { boot, type Harness } from './harness.ts'

let harness: Harness
let admin: string

beforeAll(async () => {
  harness = await boot()
})
beforeEach(async () => {
  await harness.reset()
  admin = await harness.adminToken('admin')
})

type Exported = Readonly<{
  job: { id: string; status: string; downloadUrl: string | null; processed: number; total: number } | null
  errors: unknown[]
}>

const query = 'mutation ($input: ExportUsersInput!) { exportUsers(input: $input) { job { id } errors { code path } } }'
const jobOf = async (id: string, token = admin) =>
  (
    await harness.run(`{ job(id: "${id}") { id kind status processed total inserted failed downloadUrl errors { totalCount } } }`, {
      token,
    })
  ).data?.['job'] as Exported['job']

const download = (id: string, token: string | null = admin, method = 'GET') =>
  fetch(`${harness.url}/exports/${id}`, { method, headers: token === null ? {} : { authorization: `Bearer ${token}` } })

/** Asks for an export, and waits until it is done. */
async function exported(input: object, token = admin): Promise<string> {
  const { data, errors } = await harness.run(query, { token, variables: { input } })
  if (errors !== undefined) throw new Error(JSON.stringify(errors))
  const job = (data?.['exportUsers'] as Exported | undefined)?.job
  if (!job) throw new Error(JSON.stringify(data))
  await harness.app.jobRunner.settled()
  return job.id
}

const fileOf = async (input: object, token = admin) => (await download(await exported(input, token), token)).text()
const records = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as RosterRecord)

describe('an export', () => {
  test('is a job, and its file is there for a day', async () => {
    await exportedPeople(harness)
    const id = await exported({ format: 'ROSTER_NDJSON', where: everybody })
    const users = await harness.app.database.prisma.user.count()

    expect(await jobOf(id)).toEqual({
      ...{ id, kind: 'EXPORT', status: 'SUCCEEDED', processed: users, total: users, inserted: 0, failed: 0, errors: { totalCount: 0 } },
      downloadUrl: `${harness.app.accessTokens.issuer}/exports/${id}`,
    })
    const response = await download(id)
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/x-ndjson',
      'content-disposition': `attachment; filename="users-${id}.ndjson"`,
      'cache-control': 'no-store',
    })
    const text = await response.text()
    expect(response.headers.get('content-length')).toBe(String(Buffer.byteLength(text)))
    expect(records(text)).toHaveLength(users)
    const head = await download(id, admin, 'HEAD')
    expect([head.status, head.headers.get('content-length')]).toEqual([200, String(Buffer.byteLength(text))])

    harness.clock.advance({ minutes: 24 * 60 })
    admin = await harness.adminToken('admin')
    expect((await download(id)).status).toBe(404)
    expect(await jobOf(id)).toMatchObject({ downloadUrl: null })
    const { prisma: db } = harness.app.database
    expect(await purge({ db, clock: harness.clock }, { historyDays: 0 })).toMatchObject({ exportChunks: 1 })
    expect(await db.exportChunk.count()).toBe(0)
  })

  test('has all that is kept of a user, in the form that an import reads', async () => {
    const { jane } = await exportedPeople(harness)
    const all = records(await fileOf({ format: 'ROSTER_NDJSON', where: everybody, includePasswordHashes: true }))
    const user = await harness.app.database.prisma.user.findUniqueOrThrow({
      where: { id: jane ?? '' },
      include: { passwordCredential: true, profile: true, profileSources: true, identities: true },
    })
    const source = (attribute: string) =>
      eachSource(user.profileSources)
        .find((it) => it.attribute === attribute)
        ?.setAt.toISOString()

    expect(all.map(({ id }) => id)).toEqual([...all.map(({ id }) => id)].sort())
    const record = all.find(({ id }) => id === jane)
    expect(record).toEqual({
      id: jane,
      email: 'Jane@Example.com',
      emailVerified: true,
      phoneNumber: '+491511234567',
      phoneNumberVerified: true,
      username: 'Jane.Doe',
      externalId: 'auth0|1',
      profile: {
        ...{ name: '=HYPERLINK("http://evil.example")', givenName: "'=1+1", familyName: 'Doe, "the" second\nline', middleName: '-x' },
        ...{ nickname: "'s-Hertogenbosch", preferredUsername: '@jane', picture: 'https://example.com/jane.png', gender: '+' },
        ...{ birthdate: '0000-02-29', zoneinfo: 'Europe/Paris', locale: 'fr-FR' },
        address: { formatted: '1 Rue\nde la Paix', country: null, '10': 'x', '9': 'y' },
      },
      profileSources: {
        ...Object.fromEntries(
          Object.keys(user.profile ?? {}).flatMap((name) => (source(name) ? [[name, { origin: 'ADMIN', setAt: source(name) }]] : [])),
        ),
        locale: { origin: 'IDENTITY', identity: { provider: 'Acme', providerUserId: 'é' }, setAt: source('locale') },
      },
      profileUpdatedAt: user.profile?.updatedAt.toISOString(),
      userMetadata: { theme: 'dark', list: [1, 2.5, null, { deep: true }], 'a.b': '=x', aa: {}, b: '1', '10': 1, '9': 2 },
      appMetadata: { plan: 'pro', is_anonymous: false },
      identities: [
        {
          provider: 'Acme',
          providerUserId: 'é',
          email: null,
          emailVerified: false,
          claims: {},
          createdAt: expect.any(String),
          lastSignInAt: expect.any(String),
        },
        {
          ...{ provider: 'google', providerUserId: '1', email: 'jane@gmail.com', emailVerified: true, claims: { sub: '1', n: 1 } },
          ...{ createdAt: '2021-01-01T00:00:00.120Z', lastSignInAt: null },
        },
        expect.objectContaining({ provider: 'password', providerUserId: jane }),
      ],
      passwordHash: user.passwordCredential?.hash,
      passwordChangedAt: user.passwordCredential?.updatedAt.toISOString(),
      ...{ block: null, invitedAt: null, createdAt: '2020-02-03T04:05:06.007Z', updatedAt: user.updatedAt.toISOString() },
      ...{ deletedAt: null, anonymizedAt: null, lastSignInAt: user.lastSignInAt?.toISOString() ?? null, lastSignInIp: user.lastSignInIp },
      ...{ signInCount: user.signInCount, version: user.version },
    })
    expect(Object.keys(record ?? {})).toEqual([
      ...['id', 'email', 'emailVerified', 'phoneNumber', 'phoneNumberVerified', 'username', 'externalId', 'profile', 'profileSources'],
      ...['profileUpdatedAt', 'userMetadata', 'appMetadata', 'identities', 'passwordHash', 'passwordChangedAt', 'block', 'invitedAt'],
      ...['createdAt', 'updatedAt', 'deletedAt', 'anonymizedAt', 'lastSignInAt', 'lastSignInIp', 'signInCount', 'version'],
    ])
  })

  test('has those whom the filter names, and nobody who is deleted unless it does', async () => {
    const ids = await exportedPeople(harness)
    const idsOf = async (where?: object) => records(await fileOf({ format: 'ROSTER_NDJSON', where })).map(({ id }) => id)

    expect(await idsOf()).not.toContain(ids['deleted'])
    expect(await idsOf({ status: ['DELETED'] })).toEqual([ids['deleted'], ids['anonymous']])
    expect(await idsOf({ and: [{ createdAt: { lt: '2020-02-03T04:05:06.008Z' } }, { not: { username: { exists: false } } }] })).toEqual([
      ids['jane'],
    ])
    expect(await idsOf({ userMetadata: [{ path: '/theme', eq: 'dark' }] })).toEqual([ids['jane']])
  })

  test('of nobody is a file without users', async () => {
    const where = { id: { in: [] } }

    expect(await fileOf({ format: 'ROSTER_NDJSON', where })).toBe('')
    expect(JSON.parse(await fileOf({ format: 'AUTH0', where }))).toEqual([])
    expect(await fileOf({ format: 'CSV', where, fields: ['email'] })).toBe('email\r\n')
  })

  test('of more users than fit in memory at a time has each of them once', async () => {
    const { prisma: db } = harness.app.database
    await seedUsers(db, { count: 1200, clock: harness.clock })
    const lines = (await fileOf({ format: 'CSV', where: everybody, fields: ['id', 'externalId'] })).trimEnd().split('\r\n').slice(1)

    expect(lines).toHaveLength(await db.user.count())
    expect(new Set(lines).size).toBe(lines.length)
    expect(records(await fileOf({ format: 'ROSTER_NDJSON', where: everybody }))).toHaveLength(lines.length)
    // One of the first file, and several of the second.
    expect(await db.exportChunk.count()).toBeGreaterThan(2)
  })

  test('that is taken up again begins from the beginning', async () => {
    await exportedPeople(harness)
    const id = await exported({ format: 'ROSTER_NDJSON' })
    const whole = await (await download(id)).text()
    const { prisma: db } = harness.app.database
    await db.job.update({ where: { id }, data: { status: 'RUNNING', finishedAt: null, leasedUntil: null, processed: 7 } })
    await db.exportChunk.createMany({
      data: Array.from({ length: 99 }, (_, index) => ({ jobId: id, position: index + 1, content: 'half' })),
    })
    await harness.app.jobRunner.settled()

    expect(await (await download(id)).text()).toBe(whole)
  })

  postgresOnly('is what the database held at one moment, whatever is changed meanwhile', async () => {
    const { app } = harness
    await seedUsers(app.database.prisma, { count: 1200, clock: harness.clock })
    const wanted = { filter: {}, now: new Date(), withPasswordHashes: false, withAppMetadata: false }
    const seen: RosterRecord[] = []
    await withSnapshot(app.database, async (snapshot) => {
      for await (const page of readRecords(snapshot, wanted)) {
        if (seen.length === 0) {
          await app.database.prisma.user.updateMany({
            data: { username: null, blockReason: 'meanwhile', userMetadata: { meanwhile: true } },
          })
          await app.database.prisma.user.deleteMany({ where: { id: { gt: '01900000-0000-7000-8000-000000000000' } } })
        }
        seen.push(...page.map(parseRecord))
      }
    })

    expect(seen.length).toBeGreaterThan(1100)
    expect(seen.filter(({ userMetadata }) => 'meanwhile' in userMetadata)).toEqual([])
  })
})

test('others have a turn while a page of users is written', async () => {
  const { prisma } = harness.app.database
  await seedUsers(prisma, { count: 400, clock: harness.clock })
  const options = { now: new Date(), withPasswordHashes: true, withAppMetadata: true, fields: null, filter: {} }
  const { value: page } = await readRecords({ query: (sql) => prisma.$queryRaw(sql) }, options).next()
  const records: readonly RecordText[] = page ?? []
  const onePage = async function* () {
    yield records
  }
  let turns = 0
  const takeTurn = () => {
    turns++
    next = setImmediate(takeTurn)
  }
  let next = setImmediate(takeTurn)
  for await (const { users } of writeFile(createWriter({ ...options, format: 'CSV' }), onePage())) expect(users).toBeLessThanOrEqual(50)
  clearImmediate(next)

  expect(records.length).toBeGreaterThan(300)
  expect(turns).toBeGreaterThanOrEqual(records.length / 50)
})

test('an export that was cancelled writes no file', async () => {
  const { data } = await harness.run(query, { token: admin, variables: { input: { format: 'CSV' } } })
  const id = (data?.['exportUsers'] as Exported | undefined)?.job?.id ?? ''
  await harness.admin(`mutation { cancelJob(input: { id: "${id}" }) { errors { code } } }`)
  await harness.app.jobRunner.settled()

  expect([(await download(id)).status, await harness.app.database.prisma.exportChunk.count()]).toEqual([404, 0])
})

postgresOnly('an export that is cancelled while it is at work writes nothing more', async () => {
  const { app } = harness
  const { prisma: db } = app.database
  await seedUsers(db, { count: 1200, clock: harness.clock })
  const scope = { ...systemScope(app), clock: harness.clock }
  const { jobId } = await exportUsers(scope, { format: 'ROSTER_NDJSON', where: { status: ['ACTIVE', 'DELETED'] } })
  const written: number[] = []
  const execute: Database['execute'] = async (sql) => {
    const rows = await app.database.execute<never>(sql)
    written.push(rows.length)
    if ((await db.exportChunk.count()) === 1) await cancelJob(scope, { id: jobId })
    return rows
  }
  const handlers = { EXPORT: createExportHandler({ database: { ...app.database, execute }, clock: harness.clock }) }
  await createJobRunner({ db, clock: harness.clock, logger: createLogger('silent'), handlers }).settled()

  // How many there are, the first chunk, and the one that comes too late.
  expect(written).toEqual([1, 1, 0])
  expect(await db.exportChunk.count()).toBe(1)
  expect(await db.job.findUnique({ where: { id: jobId } })).toMatchObject({ status: 'CANCELLED' })
})

describe('who may not read what is in it does not get it:', () => {
  const ask = async (input: object, ...scopes: Parameters<Harness['adminToken']>) =>
    (await harness.run(query, { token: await harness.adminToken(...scopes), variables: { input: { format: 'ROSTER_NDJSON', ...input } } }))
      .errors?.[0]?.extensions

  test('password hashes are for `admin` only, and are not there unless they are asked for (C1.15)', async () => {
    await exportedPeople(harness)

    expect(await ask({ includePasswordHashes: true }, 'export:users', 'read:users')).toMatchObject({
      ...{ code: 'FORBIDDEN', requiredScopes: ['admin'], field: 'input.includePasswordHashes' },
    })
    expect(await ask({ includePasswordHashes: false }, 'export:users')).toBeUndefined()
    for (const format of ['ROSTER_NDJSON', 'CSV', 'AUTH0', 'SUPABASE'])
      expect(await fileOf({ format, where: everybody })).not.toMatch(/passwordHash|password_hash|encrypted_password|\$argon2|\$2b/)
    const secret = await exported({ format: 'ROSTER_NDJSON', includePasswordHashes: true })
    expect((await download(secret, await harness.adminToken('export:users', 'read:users_app_metadata'))).status).toBe(403)
  })

  test('appMetadata needs its scope: in the file, in a filter, among the fields, and to download it', async () => {
    await exportedPeople(harness)
    const exporter = await harness.adminToken('export:users')

    const text = await fileOf({ format: 'ROSTER_NDJSON', where: undefined }, exporter)
    expect(text).not.toContain('appMetadata')
    expect(text).toContain('userMetadata')
    for (const [format, field] of [
      ['CSV', 'appMetadata.plan'],
      ['AUTH0', 'app_metadata'],
      ['SUPABASE', 'raw_app_meta_data'],
    ])
      expect(await ask({ format, fields: [field] }, 'export:users')).toMatchObject({
        code: 'FORBIDDEN',
        requiredScopes: ['read:users_app_metadata'],
        field: 'input.fields',
      })
    expect(await ask({ where: { appMetadata: [{ path: '/plan', eq: 'pro' }] } }, 'export:users', 'read:users')).toMatchObject({
      ...{ code: 'FORBIDDEN', requiredScopes: ['read:users_app_metadata'], field: 'input.where.appMetadata' },
    })
    expect((await download(await exported({ format: 'CSV' }), exporter)).status).toBe(403)
  })

  test('an export needs `export:users`, and so does its file', async () => {
    const id = await exported({ format: 'ROSTER_NDJSON' }, await harness.adminToken('export:users'))
    const person = await harness.aUser({ email: 'a@example.com' })

    expect(await ask({}, 'read:users')).toMatchObject({ code: 'FORBIDDEN', requiredScopes: ['export:users'] })
    const statuses = [null, 'no token', person.token, await harness.adminToken('read:users'), await harness.adminToken('export:users')]
    expect(await Promise.all(statuses.map(async (token) => (await download(id, token)).status))).toEqual([401, 401, 403, 403, 200])
    for (const other of ['0190a5b2-0000-7000-8000-000000000000', 'x', ':id', `${id}/`]) expect((await download(other)).status).toBe(404)
    expect((await download(id, admin, 'POST')).status).toBe(405)
  })

  test('a file that is not written yet is not there', async () => {
    const { data } = await harness.run(query, { token: admin, variables: { input: { format: 'CSV' } } })
    const job = (data?.['exportUsers'] as Exported | undefined)?.job

    expect([(await download(job?.id ?? '')).status, (await jobOf(job?.id ?? ''))?.downloadUrl]).toEqual([404, null])
  })
})

describe('the fields that are asked for', () => {
  test.each([
    [
      'ROSTER_NDJSON',
      ['username', 'profile.name', 'userMetadata.theme', 'block.reason'],
      '{"username":"Jane.Doe","profile":{"name":"=HYPERLINK(\\"http://evil.example\\")"},"userMetadata":{"theme":"dark"}}\n',
    ],
    [
      'CSV',
      ['userMetadata.list', 'email', 'userMetadata.none'],
      'userMetadata.list,email,userMetadata.none\r\n"[1,2.5,null,{""deep"":true}]",Jane@Example.com,\r\n',
    ],
    ['AUTH0', ['user_id', 'user_metadata.aa'], '[\n{"user_id":"auth0|1","user_metadata":{"aa":{}}}\n]\n'],
    ['SUPABASE', ['phone', 'role'], '[\n{"phone":"491511234567","role":"authenticated"}\n]\n'],
  ])('are written in their order, of %s', async (format, fields, text) => {
    await exportedPeople(harness)

    expect(await fileOf({ format, fields, where: { username: { eq: 'jane.doe' } } })).toBe(text)
  })

  test.each([
    ['none', [], ['input', 'fields']],
    ['one that is none', ['email', 'mail'], ['input', 'fields', '1']],
    ['one of another format', ['user_id'], ['input', 'fields', '0']],
    ['one that is a prototype', ['__proto__.x'], ['input', 'fields', '0']],
    ['one twice', ['email', 'email'], ['input', 'fields', '1']],
    ['one with nothing inside', ['profile.'], ['input', 'fields', '0']],
    ['a hash without saying so', ['passwordHash'], ['input', 'fields', '0']],
    ['too many', Array.from({ length: 201 }, (_, index) => `userMetadata.${index}`), ['input', 'fields']],
  ])('are refused: %s', async (_what, fields, path) => {
    const { data } = await harness.run(query, { token: admin, variables: { input: { format: 'ROSTER_NDJSON', fields } } })

    expect(data?.['exportUsers']).toEqual({ job: null, errors: [{ code: 'INVALID_INPUT', path }] })
  })
})

test('no cell of a CSV file is a formula, and what was escaped can be told from what was not (C9.106)', async () => {
  await exportedPeople(harness)
  const fields = [
    'phoneNumber',
    'profile.name',
    'profile.givenName',
    'profile.middleName',
    'profile.nickname',
    'profile.preferredUsername',
    'profile.gender',
  ]
  const [, row] = (await fileOf({ format: 'CSV', fields, where: { username: { eq: 'jane.doe' } } })).split('\r\n')

  expect(row).toBe(`'+491511234567,"'=HYPERLINK(""http://evil.example"")",''=1+1,'-x,'s-Hertogenbosch,'@jane,'+`)
  const whole = await fileOf({ format: 'CSV', where: everybody, includePasswordHashes: true })
  expect(whole.match(/(?:^|,|\r\n)"?[=+\-@\t]/g)).toBeNull()
})

test('a cell of JSON has each of its quotes twice, whatever is around them and however many there are', async () => {
  const metadata = [{ empty: Array(3000).fill('') }, { text: 'Käse "€5" 😀 \\" \n'.repeat(500) }, {}]
  for (const [index, userMetadata] of metadata.entries()) {
    await harness.run(`mutation ($input: CreateUserInput!) { createUser(input: $input) { user { id } } }`, {
      token: admin,
      variables: { input: { username: `user-${index}`, userMetadata } },
    })
  }

  const [, ...rows] = (await fileOf({ format: 'CSV', fields: ['userMetadata', 'username'], where: everybody })).split('\r\n')

  const jsonOf = (row: string) => row.replace(/^"|",user-\d$/g, '').replaceAll('""', '"')
  expect(rows.map((row) => row && JSON.parse(jsonOf(row)))).toEqual([...metadata, ''])
  expect(rows.join('').replaceAll('""', '').match(/"/g)).toHaveLength(2 * metadata.length)
})

describe('as Auth0 takes it', () => {
  test('it has nothing that the schema of its bulk import does not know', async () => {
    const { jane, plain } = await exportedPeople(harness)
    const all = JSON.parse(await fileOf({ format: 'AUTH0', where: everybody, includePasswordHashes: true })) as Record<string, unknown>[]
    const known = new Set(
      'email email_verified user_id username given_name family_name name nickname picture blocked password_hash custom_password_hash app_metadata user_metadata'.split(
        ' ',
      ),
    )

    expect(all.flatMap((user) => Object.keys(user).filter((name) => !known.has(name)))).toEqual([])
    expect(all.find(({ user_id: id }) => id === 'auth0|1')).toMatchObject({
      email: 'Jane@Example.com',
      email_verified: true,
      app_metadata: { plan: 'pro', is_anonymous: false },
    })
    expect(all.some(({ user_id: id }) => id === jane)).toBe(false)
    expect(all.find(({ user_id: id }) => id === plain)).toEqual({ user_id: plain, user_metadata: {}, app_metadata: {} })
    expect(all.filter(({ blocked }) => blocked === true).map(({ email }) => email)).toEqual(['blocked@example.com', 'while@example.com'])
  })

  test.each(foreignHashes)('the hash $what is one that it reads, and the same as before when it comes back', ({ custom }) => {
    const made = foreignPasswordHash(custom)
    if ('problems' in made) throw new Error('this is a hash')

    expect(foreignPasswordHash(auth0CustomHash(made.hash))).toEqual(made)
  })
})

test('as Supabase has it, its rows carry what it would have', async () => {
  const { jane } = await exportedPeople(harness)
  const all = JSON.parse(await fileOf({ format: 'SUPABASE', where: everybody, includePasswordHashes: true })) as Record<string, unknown>[]

  expect(all.find(({ id }) => id === jane)).toMatchObject({
    ...{ aud: 'authenticated', role: 'authenticated', email: 'Jane@Example.com', email_confirmed_at: '2020-02-03T04:05:06.007Z' },
    ...{ phone: '491511234567', banned_until: null, deleted_at: null, is_sso_user: false, is_anonymous: false },
    encrypted_password: expect.stringMatching(/^\$argon2id/),
    raw_user_meta_data: { theme: 'dark', full_name: '=HYPERLINK("http://evil.example")', avatar_url: 'https://example.com/jane.png' },
    identities: [
      { provider: 'email', provider_id: jane, identity_data: { sub: jane, email: 'Jane@Example.com', email_verified: true } },
      { provider: 'Acme', provider_id: 'é' },
      { provider: 'google', provider_id: '1', identity_data: { sub: '1', n: 1 }, email: 'jane@gmail.com' },
    ],
  })
  expect(all.find(({ email }) => email === 'blocked@example.com')).toMatchObject({ banned_until: '9999-12-31T23:59:59.999Z' })
})
