import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { temporaryFolder, testFolder } from './setup/build.ts'
import { roster } from './setup/command-line.ts'

let environment: Record<string, string>

beforeAll(async () => {
  environment = { ROSTER_DATA_DIR: join(temporaryFolder(), 'data') }
  await roster(['seed', '--users', '30'], environment)
})

const run = (folder: string, ...options: string[]) => roster(['export', '--out', join(folder, 'users'), ...options], environment)

test('users are written to a file that only its owner may read', async () => {
  const folder = testFolder()
  const { exitCode, errors } = await run(folder, '--include-password-hashes')

  expect([exitCode, errors]).toEqual([0, expect.stringMatching(/\d+ users in [\d.]+ s/)])
  const lines = readFileSync(join(folder, 'users'), 'utf8').trimEnd().split('\n')
  expect(lines.length).toBeGreaterThan(20)
  expect(Object.keys(JSON.parse(lines[0] ?? ''))).toContain('passwordHash')
  expect(statSync(join(folder, 'users')).mode & 0o777).toBe(0o600)
  expect(existsSync(join(folder, 'users.part'))).toBe(false)
})

test.each([
  ['csv', 'email,profile.name', /^email,profile\.name\r\n/],
  ['auth0', 'email,user_metadata', /^\[\n\{"email":/],
  ['supabase', 'id,raw_user_meta_data', /^\[\n\{"id":/],
])('as %s, with some fields, of some users', async (format, fields, start) => {
  const folder = testFolder()
  const where = JSON.stringify({ and: [{ createdAt: { gt: '2000-01-01T00:00:00Z' } }, { email: { exists: true } }] })
  expect(await run(folder, '--format', format, '--fields', fields, '--where', where)).toMatchObject({ exitCode: 0 })

  expect(readFileSync(join(folder, 'users'), 'utf8')).toMatch(start)
})

describe('it says what is wrong, and writes nothing:', () => {
  test.each([
    ['a format that is none', ['--format', 'xml'], /--format is one of ndjson, roster, csv, auth0, supabase/],
    ['a filter that is no JSON', ['--where', 'status:ACTIVE'], /--where is JSON/],
    ['a filter that is none', ['--where', '{"mail": {"eq": "a"}}'], /--where: Field "mail" is not defined/],
    [
      'a filter of too much',
      ['--where', `{"id": {"in": ${JSON.stringify(Array(1001).fill('0190a5b2-0000-7000-8000-000000000000'))}}}`],
      /--where: /,
    ],
    ['fields that are none', ['--fields', 'mail'], /--fields: The format has no such field/],
  ])('%s', async (_what, options, message) => {
    const folder = testFolder()
    const { exitCode, errors } = await run(folder, ...options)

    expect([exitCode, errors]).toEqual([2, expect.stringMatching(message)])
    expect(existsSync(join(folder, 'users'))).toBe(false)
  })

  test('a file that is there already', async () => {
    const folder = testFolder()
    await run(folder)
    const before = readFileSync(join(folder, 'users'), 'utf8')

    expect(await run(folder, '--format', 'csv')).toMatchObject({ exitCode: 2, errors: expect.stringContaining('is there already') })
    expect(readFileSync(join(folder, 'users'), 'utf8')).toBe(before)
  })

  test('a folder that is not there', async () => {
    expect(await run(join(testFolder(), 'none'))).toMatchObject({ exitCode: 1, errors: expect.stringContaining('ENOENT') })
  })
})
