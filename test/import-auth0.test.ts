import { beforeAll, beforeEach, expect, test } from 'vitest'
import { password as commonPassword, foreignHashes } from './foreign-hashes.ts'
import { boot, type Harness } from './harness.ts'
import { importFile } from './imports.ts'

let harness: Harness

beforeAll(async () => {
  harness = await boot({ RATE_LIMITS: 'signIn.network=99999/60' })
})
beforeEach(() => harness.reset())

const db = () => harness.app.database.prisma
const byEmail = (emailNormal: string) =>
  db().user.findUniqueOrThrow({
    where: { emailNormal },
    include: { profile: true, identities: { orderBy: { provider: 'asc' } }, passwordCredential: true },
  })

async function signIn(email: string, password: string): Promise<unknown> {
  const query = 'mutation($input: SignInInput!) { signIn(input: $input) { user { email } errors { code } } }'
  return (await harness.run(query, { variables: { input: { email, password } } })).data?.['signIn']
}

/** As the schema of the bulk import documents it. */
const bulkImport = [
  {
    user_id: '583c3ac3f38e84297c002546',
    email: 'john.doe@contoso.com',
    email_verified: true,
    username: 'john_doe',
    phone_number: '+18765432109',
    phone_verified: true,
    given_name: 'John',
    family_name: 'Doe',
    name: 'John Doe',
    nickname: 'johnny',
    picture:
      'https://secure.gravatar.com/avatar/15626c5e0c749cb912f9d1ad48dba440?s=480&r=pg&d=https%3A%2F%2Fssl.gstatic.com%2Fs2%2Fprofiles%2Fimages%2Fsilhouette80.png',
    blocked: false,
    password_hash: '$2b$10$C9hB01.YxRSTcn/ZOOo4j.TW7xCKKFKBSF.C7E0xiUwumqIDqWUXG',
    app_metadata: { roles: ['admin'], plan: 'premium' },
    user_metadata: { theme: 'light' },
    mfa_factors: [{ phone: { value: '+15551112233' } }],
  },
  { email: 'blocked@contoso.com', blocked: true, user_metadata: {}, app_metadata: {} },
]

/** A line of an export, with every field that is asked for there. */
const exported = {
  user_id: 'auth0|5ff4c1a2b3d4e5f6a7b8c9d0',
  email: 'Jane@Contoso.com',
  email_verified: true,
  name: 'Jane',
  nickname: 'jane',
  picture: 'https://s.gravatar.com/avatar/0.png',
  created_at: '2021-01-05T19:45:06.123Z',
  updated_at: '2022-03-01T10:00:00.000Z',
  last_login: '2022-02-28T10:00:00.000Z',
  last_ip: '192.0.2.1',
  logins_count: 17,
  blocked: false,
  user_metadata: { color: 'red' },
  app_metadata: {},
  identities: [
    { user_id: '5ff4c1a2b3d4e5f6a7b8c9d0', provider: 'auth0', connection: 'Username-Password-Authentication', isSocial: false },
    {
      user_id: '107423948572948573',
      provider: 'google-oauth2',
      connection: 'google-oauth2',
      isSocial: true,
      access_token: 'ya29.secret',
      profileData: { email: 'jane@gmail.com', email_verified: true, name: 'Jane' },
    },
    { user_id: 42, provider: 'oidc', connection: 'acme-okta', isSocial: false, profileData: { sub: '42' } },
  ],
}

test('the JSON array of the bulk import goes in, and the old password signs in and becomes argon2id', async () => {
  const job = await importFile(harness, JSON.stringify(bulkImport, null, 2), { format: 'AUTH0' })

  expect(job).toMatchObject({ status: 'SUCCEEDED', inserted: 2, failed: 0 })
  expect(await byEmail('john.doe@contoso.com')).toMatchObject({
    externalId: '583c3ac3f38e84297c002546',
    emailVerified: true,
    username: 'john_doe',
    phoneNumber: '+18765432109',
    phoneNumberVerified: true,
    profile: { name: 'John Doe', givenName: 'John', familyName: 'Doe', nickname: 'johnny' },
    appMetadata: { roles: ['admin'], plan: 'premium' },
    userMetadata: { theme: 'light' },
    blockedAt: null,
    identities: [{ provider: 'password' }],
  })
  expect((await byEmail('blocked@contoso.com')).blockedAt).not.toBeNull()
  expect(await signIn('john.doe@contoso.com', 'wrong')).toMatchObject({ errors: [{ code: 'INVALID_CREDENTIALS' }] })
  expect(await signIn('john.doe@contoso.com', 'shh')).toEqual({ user: { email: 'john.doe@contoso.com' }, errors: [] })
  expect((await byEmail('john.doe@contoso.com')).passwordCredential?.hash).toMatch(/^\$argon2id\$/)
})

test('the lines of an export go in, with the accounts at other providers and no token of theirs', async () => {
  const secretExport = {
    _id: { $oid: '60425da93519d90068f82966' },
    email: 'old@contoso.com',
    email_verified: true,
    passwordHash: '$2b$10$C9hB01.YxRSTcn/ZOOo4j.TW7xCKKFKBSF.C7E0xiUwumqIDqWUXG',
    password_set_date: { $date: '2021-03-05T16:34:49.502Z' },
    tenant: 'contoso',
    connection: 'Username-Password-Authentication',
    _tmp_is_unique: true,
  }
  const social = { user_id: 'google-oauth2|999', email: 'social@contoso.com', name: '' }

  const job = await importFile(harness, [exported, secretExport, social].map((it) => JSON.stringify(it)).join('\n'), { format: 'AUTH0' })

  expect(job).toMatchObject({ status: 'SUCCEEDED', inserted: 3, failed: 0 })
  const jane = await byEmail('jane@contoso.com')
  expect(jane).toMatchObject({
    externalId: 'auth0|5ff4c1a2b3d4e5f6a7b8c9d0',
    createdAt: new Date('2021-01-05T19:45:06.123Z'),
    lastSignInAt: new Date('2022-02-28T10:00:00.000Z'),
    lastSignInIp: '192.0.2.1',
    signInCount: 17,
    identities: [
      { provider: 'acme-okta', providerUserId: '42', email: null, claims: { sub: '42' } },
      { provider: 'google-oauth2', providerUserId: '107423948572948573', email: 'jane@gmail.com', emailVerified: true },
    ],
    passwordCredential: null,
  })
  expect(JSON.stringify(jane)).not.toContain('ya29.secret')
  expect((await byEmail('old@contoso.com')).passwordCredential?.updatedAt).toEqual(new Date('2021-03-05T16:34:49.502Z'))
  expect(await signIn('old@contoso.com', 'shh')).toMatchObject({ errors: [] })
  expect((await byEmail('social@contoso.com')).identities).toMatchObject([{ provider: 'google-oauth2', providerUserId: '999' }])
})

test('with every algorithm of custom_password_hash the old password signs in', async () => {
  const people = foreignHashes.map(({ custom, password = commonPassword }, index) => ({
    record: { email: `user${index}@contoso.com`, email_verified: true, custom_password_hash: custom },
    password,
  }))

  const job = await importFile(harness, JSON.stringify(people.map(({ record }) => record)), { format: 'AUTH0' })

  expect(job).toMatchObject({ inserted: people.length, failed: 0 })
  for (const { record, password } of people) expect(await signIn(record.email, password), record.email).toMatchObject({ errors: [] })
}, 120_000)

test('what Auth0 would refuse is refused with its codes, at its paths', async () => {
  const file = [
    { email: 'some@@email' },
    { name: 'Nobody' },
    { email: 'a@contoso.com', custom_password_hash: { algorithm: 'md5', hash: { value: 'xyz', encoding: 'hex' } } },
    { email: 'b@contoso.com', blocked: 'yes', email_verified: 1 },
    { email: 'c@contoso.com', given_name: 5, app_metadata: [] },
    { email: 'd@contoso.com', identities: [{ provider: 'github', connection: 'github' }] },
    { email: 'e@contoso.com' },
    { email: 'E@Contoso.com' },
  ]

  const { inserted, errors } = await importFile(harness, JSON.stringify(file, null, 1), { format: 'AUTH0' })

  expect(inserted).toBe(1)
  expect(errors.nodes.map(({ code, path }) => [code, path])).toEqual([
    ['INVALID_FORMAT', 'email'],
    ['ANY_OF_MISSING', null],
    ['INVALID_FORMAT', 'custom_password_hash.hash.value'],
    ['INVALID_TYPE', 'blocked'],
    ['INVALID_TYPE', 'email_verified'],
    ['INVALID_TYPE', 'given_name'],
    ['INVALID_TYPE', 'app_metadata'],
    ['OBJECT_REQUIRED', 'identities.0.providerUserId'],
    ['DUPLICATED_USER', 'email'],
  ])
  const lines = JSON.stringify(file, null, 1).split('\n')
  expect(lines[errors.nodes.at(-1)?.line ?? 0]).toContain('E@Contoso.com')
})

test('the file of password hashes that Auth0 hands out gives their passwords to those who came by an export', async () => {
  const hash = '$2b$10$C9hB01.YxRSTcn/ZOOo4j.TW7xCKKFKBSF.C7E0xiUwumqIDqWUXG'
  const passwords = { _id: { $oid: '5ff4c1a2b3d4e5f6a7b8c9d0' }, email: 'jane@contoso.com', email_verified: true, passwordHash: hash }
  await importFile(harness, JSON.stringify(exported), { format: 'AUTH0' })

  const job = await importFile(harness, JSON.stringify(passwords), { format: 'AUTH0', upsert: true, matchOn: ['EMAIL'] })

  expect(job).toMatchObject({ updated: 1, failed: 0 })
  expect(await byEmail('jane@contoso.com')).toMatchObject({ externalId: 'auth0|5ff4c1a2b3d4e5f6a7b8c9d0', profile: { name: 'Jane' } })
  expect(await signIn('jane@contoso.com', 'shh')).toMatchObject({ errors: [] })
  // Again it would take back a password that was changed since: it does not.
  expect(await importFile(harness, JSON.stringify(passwords), { format: 'AUTH0', upsert: true, matchOn: ['EMAIL'] })).toMatchObject({
    skipped: 1,
  })
  expect((await byEmail('jane@contoso.com')).passwordCredential?.hash).toMatch(/^\$argon2id/)
})
