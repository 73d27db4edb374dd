import { beforeAll, beforeEach, expect, test } from 'vitest'
import { boot, type Harness } from './harness.ts'
import { importFile, ndjson } from './imports.ts'

let harness: Harness

beforeAll(async () => {
  harness = await boot()
})
beforeEach(() => harness.reset())

const byEmail = (emailNormal: string) =>
  harness.app.database.prisma.user.findUniqueOrThrow({ where: { emailNormal }, include: { profile: true } })

test('CSV has the fields in its headers, with a dot for what is inside', async () => {
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
