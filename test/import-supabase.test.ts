import { beforeAll, beforeEach, expect, test } from 'vitest'
import { boot, type Harness } from './harness.ts'
import { importFile } from './imports.ts'

let harness: Harness

beforeAll(async () => {
  harness = await boot()
})
beforeEach(() => harness.reset())

const db = () => harness.app.database.prisma
const byId = (id: string) =>
  db().user.findUniqueOrThrow({
    where: { id },
    include: { profile: true, identities: { orderBy: { provider: 'asc' } }, passwordCredential: true },
  })

/** bcrypt of "shh", as Supabase keeps passwords. */
const bcrypt = '$2b$10$C9hB01.YxRSTcn/ZOOo4j.TW7xCKKFKBSF.C7E0xiUwumqIDqWUXG'
const ids = {
  jane: '5f3f1c1e-0e0d-4c7a-9d0a-1a2b3c4d5e6f',
  phone: '6f3f1c1e-0e0d-4c7a-9d0a-1a2b3c4d5e6f',
  banned: '7f3f1c1e-0e0d-4c7a-9d0a-1a2b3c4d5e6f',
  anonymous: '8f3f1c1e-0e0d-4c7a-9d0a-1a2b3c4d5e6f',
  deleted: '9f3f1c1e-0e0d-4c7a-9d0a-1a2b3c4d5e6f',
}

/** `select * from auth.users`, as the SQL editor's CSV has it. */
const columns =
  'instance_id,id,aud,role,email,encrypted_password,email_confirmed_at,invited_at,confirmation_token,last_sign_in_at,raw_app_meta_data,raw_user_meta_data,is_super_admin,created_at,updated_at,phone,phone_confirmed_at,banned_until,is_sso_user,deleted_at,is_anonymous'
const instance = '00000000-0000-0000-0000-000000000000'
const users = [
  columns,
  `${instance},${ids.jane},authenticated,authenticated,jane@example.com,${bcrypt},2023-06-01 10:00:00.123456+00,,,2024-01-01 08:00:00+00,"{""provider"": ""email"", ""providers"": [""email"", ""google""]}","{""full_name"": ""Jane Doe"", ""avatar_url"": ""https://example.com/jane.png"", ""age"": 27}",,2023-06-01 09:00:00.5+00,2024-01-01 08:00:00+00,,,,false,,false`,
  `${instance},${ids.phone},authenticated,authenticated,,,,,,,"{""provider"": ""phone""}",{},,2023-06-01 09:00:00+00,2023-06-01 09:00:00+00,491701234567,2023-06-02 09:00:00+00,,f,,f`,
  `${instance},${ids.banned},authenticated,authenticated,banned@example.com,,,,,,{},{},,2023-06-01 09:00:00+00,2023-06-01 09:00:00+00,,,2123-06-01 09:00:00+00,t,,f`,
  `${instance},${ids.anonymous},authenticated,authenticated,,,,,,,{},{},,2023-06-01 09:00:00+00,2023-06-01 09:00:00+00,,,,f,,t`,
  `${instance},${ids.deleted},authenticated,service,deleted@example.com,,,,,,{},{},,2023-06-01 09:00:00+00,2023-06-01 09:00:00+00,,,,f,2024-06-01 09:00:00+00,f`,
].join('\n')

/** `select * from auth.identities`. */
const identities = [
  'provider_id,user_id,identity_data,provider,last_sign_in_at,created_at,updated_at,email,id',
  `${ids.jane},${ids.jane},"{""sub"": ""${ids.jane}"", ""email"": ""jane@example.com""}",email,,2023-06-01 09:00:00+00,2023-06-01 09:00:00+00,jane@example.com,01f3f1c1-0e0d-4c7a-9d0a-1a2b3c4d5e6f`,
  `107423948572948573,${ids.jane},"{""sub"": ""107423948572948573"", ""email"": ""jane@gmail.com"", ""email_verified"": true}",google,2024-01-01 08:00:00+00,2023-06-01 09:00:00+00,2023-06-01 09:00:00+00,jane@gmail.com,02f3f1c1-0e0d-4c7a-9d0a-1a2b3c4d5e6f`,
  `1,aaaaaaaa-0e0d-4c7a-9d0a-1a2b3c4d5e6f,"{""sub"": ""1""}",google,,2023-06-01 09:00:00+00,2023-06-01 09:00:00+00,,03f3f1c1-0e0d-4c7a-9d0a-1a2b3c4d5e6f`,
].join('\n')

async function expectJane() {
  const jane = await byId(ids.jane)
  expect(jane).toMatchObject({
    email: 'jane@example.com',
    emailVerified: true,
    userMetadata: { full_name: 'Jane Doe', age: 27 },
    appMetadata: { provider: 'email', providers: ['email', 'google'] },
    profile: { name: 'Jane Doe', picture: 'https://example.com/jane.png' },
    createdAt: new Date('2023-06-01T09:00:00.500Z'),
    lastSignInAt: new Date('2024-01-01T08:00:00Z'),
    identities: [
      {
        provider: 'google',
        providerUserId: '107423948572948573',
        email: 'jane@gmail.com',
        emailVerified: true,
        lastSignInAt: new Date('2024-01-01T08:00:00Z'),
      },
      { provider: 'password', providerUserId: ids.jane },
    ],
  })
  const query = 'mutation { signIn(input: { email: "jane@example.com", password: "shh" }) { user { id } errors { code } } }'
  expect((await harness.run(query)).data).toEqual({ signIn: { user: { id: ids.jane }, errors: [] } })
}

test('auth.users and then auth.identities go in as CSV, and the old password signs in', async () => {
  expect(await importFile(harness, users, { format: 'SUPABASE' })).toMatchObject({ status: 'SUCCEEDED', inserted: 5, failed: 0 })
  const second = await importFile(harness, identities, { format: 'SUPABASE' })

  expect(second).toMatchObject({ status: 'SUCCEEDED', inserted: 0, updated: 1, skipped: 1, failed: 1 })
  expect(second.errors.nodes).toMatchObject([{ line: 4, code: 'USER_NOT_FOUND', path: 'user_id' }])
  await expectJane()
  expect(await byId(ids.phone)).toMatchObject({
    email: null,
    phoneNumber: '+491701234567',
    phoneNumberVerified: true,
    passwordCredential: null,
  })
  expect(await byId(ids.banned)).toMatchObject({
    blockedUntil: new Date('2123-06-01T09:00:00Z'),
    appMetadata: { is_sso_user: true },
    emailVerified: false,
  })
  expect(await byId(ids.anonymous)).toMatchObject({ email: null, appMetadata: { is_anonymous: true } })
  expect(await byId(ids.deleted)).toMatchObject({ deletedAt: new Date('2024-06-01T09:00:00Z'), appMetadata: { role: 'service' } })
})

test('the same files again are as they were', async () => {
  await importFile(harness, users, { format: 'SUPABASE' })
  await importFile(harness, identities, { format: 'SUPABASE' })

  expect(await importFile(harness, users, { format: 'SUPABASE', upsert: true })).toMatchObject({
    inserted: 0,
    updated: 0,
    skipped: 5,
    failed: 0,
  })
  expect(await importFile(harness, identities, { format: 'SUPABASE' })).toMatchObject({ updated: 0, skipped: 2, failed: 1 })
})

test.each([
  ['an array of rows', (rows: object[]) => JSON.stringify(rows)],
  ['a row a line', (rows: object[]) => rows.map((row) => JSON.stringify(row)).join('\n')],
  ['a page of the admin API', (rows: object[]) => JSON.stringify({ users: rows, aud: 'authenticated', nextPage: null })],
])('JSON goes in as %s', async (_, write) => {
  const row = {
    id: ids.jane,
    aud: 'authenticated',
    role: 'authenticated',
    email: 'jane@example.com',
    email_confirmed_at: '2023-06-01T10:00:00.123456Z',
    phone: '',
    encrypted_password: bcrypt,
    last_sign_in_at: '2024-01-01T08:00:00Z',
    app_metadata: { provider: 'email', providers: ['email', 'google'] },
    user_metadata: { full_name: 'Jane Doe', avatar_url: 'https://example.com/jane.png', age: 27 },
    identities: [
      { identity_id: 'x', id: ids.jane, user_id: ids.jane, identity_data: {}, provider: 'email' },
      {
        id: '107423948572948573',
        user_id: ids.jane,
        identity_data: { sub: '107423948572948573', email: 'jane@gmail.com', email_verified: true },
        provider: 'google',
        last_sign_in_at: '2024-01-01T08:00:00Z',
        created_at: '2023-06-01T09:00:00Z',
      },
    ],
    created_at: '2023-06-01T09:00:00.5Z',
    updated_at: '2024-01-01T08:00:00Z',
    is_anonymous: false,
  }

  expect(await importFile(harness, write([row]), { format: 'SUPABASE' })).toMatchObject({ status: 'SUCCEEDED', inserted: 1, failed: 0 })

  await expectJane()
})
