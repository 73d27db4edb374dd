import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { openDatabase } from '../src/database/open.ts'
import { createLogger } from '../src/ports/logger.ts'
import { testFolder } from './setup/build.ts'
import { dataDirectory, preparedDirectory, roster } from './setup/command-line.ts'

const timeout = 60_000
const running = { stop: new Promise<never>(() => {}) }

let folder: string
let environment: Record<string, string>

beforeAll(() => preparedDirectory(), timeout)
beforeEach(async () => {
  folder = testFolder()
  environment = { ROSTER_DATA_DIR: await dataDirectory() }
})

const write = (name: string, content: string): string => {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}
const run = (...args: string[]) => roster(['import', ...args], environment, running)

async function read<Result>(work: (db: Awaited<ReturnType<typeof openDatabase>>['prisma']) => Promise<Result>): Promise<Result> {
  const dataDir = environment['ROSTER_DATA_DIR'] ?? ''
  const database = await openDatabase({ databaseUrl: null, dataDir, poolSize: 1, statementTimeoutMs: 3000, logger: createLogger('silent') })
  try {
    return await work(database.prisma)
  } finally {
    await database.close()
  }
}

test('a file goes in, and what is refused is told, kept, mended and imported again', { timeout }, async () => {
  const path = write('users.csv', 'email,username\nA@example.com,ann\nnobody,bob\na@EXAMPLE.com,eve\nc@example.com,cid\n')
  const refused = join(folder, 'refused.csv')

  const first = await run(path, '--errors', refused)

  expect(first.exitCode).toBe(1)
  expect(first.output).toBe(
    '3\tINVALID_FORMAT\temail\tThis is not an e-mail address.\n4\tDUPLICATED_USER\temail\tA record before this one has the same here; upper and lower case are the same.\n',
  )
  expect(first.errors).toMatch(/4 records in [\d.]+ s, 2 inserted, 0 updated, 0 as they were, 2 refused: \d+ a second\n/)
  expect(first.errors).toContain(refused)
  expect(readFileSync(refused, 'utf8')).toBe('email,username\nnobody,bob\na@EXAMPLE.com,eve\n')

  writeFileSync(refused, readFileSync(refused, 'utf8').replace('nobody', 'b@example.com').replace('a@EXAMPLE.com', 'e@example.com'))
  const second = await run(refused)

  expect([second.exitCode, second.output]).toEqual([0, ''])
  expect(await read((db) => db.user.count())).toBe(4)
})

test('what is refused of a JSON array is kept a line each, to be imported again', { timeout }, async () => {
  const path = write(
    'users.json',
    JSON.stringify([{ email: 'a@example.com' }, { email: 'nobody', user_metadata: { text: 'a\nb' } }], null, 2),
  )
  const refused = join(folder, 'refused.ndjson')

  expect((await run(path, '--format', 'auth0', '--errors', refused)).exitCode).toBe(1)
  const kept = readFileSync(refused, 'utf8')
  expect(JSON.parse(kept)).toEqual({ email: 'nobody', user_metadata: { text: 'a\nb' } })
  expect(kept.trimEnd().split('\n')).toHaveLength(1)
  writeFileSync(refused, kept.replace('nobody', 'b@example.com'))

  expect((await run(refused, '--format', 'auth0')).exitCode).toBe(0)
})

test('a dry run writes nothing at all', { timeout }, async () => {
  const path = write('users.ndjson', '{"email":"a@example.com"}\n{"email":"a"}\n')

  const { exitCode, errors, output } = await run(path, '--dry-run')

  expect([exitCode, output]).toEqual([1, '2\tINVALID_FORMAT\temail\tThis is not an e-mail address.\n'])
  expect(errors).toContain('1 would be inserted')
  expect(await read(async (db) => [await db.user.count(), await db.job.count(), await db.auditEvent.count()])).toEqual([0, 0, 0])
})

test('with --upsert, what is named finds the user, and metadata is merged as told', { timeout }, async () => {
  await run(write('one.ndjson', '{"email":"a@example.com","externalId":"1","userMetadata":{"a":1}}\n'))

  const flags = ['--upsert', '--match-on', 'external-id', '--metadata-mode', 'merge']
  const { exitCode } = await run(write('two.ndjson', '{"email":"new@example.com","externalId":"1","userMetadata":{"b":2}}\n'), ...flags)

  expect(exitCode).toBe(0)
  expect(await read((db) => db.user.findMany({ select: { email: true, userMetadata: true } }))).toEqual([
    { email: 'new@example.com', userMetadata: { a: 1, b: 2 } },
  ])
})

test.each([
  ['accept', 0, 1],
  ['refuse', 1, 0],
  ['reset', 0, 0],
])('weak hashes: %s', { timeout }, async (what, exitCode, credentials) => {
  const custom = { algorithm: 'md5', hash: { value: 'd41d8cd98f00b204e9800998ecf8427e', encoding: 'hex' } }
  const path = write('users.json', JSON.stringify([{ email: 'a@example.com', custom_password_hash: custom }]))

  const ran = await run(path, '--format', 'auth0', '--weak-hashes', what)

  expect(ran.exitCode).toBe(exitCode)
  expect(ran.output).toContain(what === 'refuse' ? '1\tWEAK_PASSWORD_HASH\tpassword_hash' : '')
  expect(await read((db) => db.passwordCredential.count())).toBe(credentials)
})

test('a file that is cut off keeps what was whole, and says so', { timeout }, async () => {
  const { exitCode, errors } = await run(write('users.ndjson', '{"email":"a@example.com"}\n{"email":"b'))

  expect(exitCode).toBe(1)
  expect(errors).toContain('The file ends in the middle of the record that begins in line 2.')
  expect(await read((db) => db.user.count())).toBe(1)
})

test('stopped half-way and run again it goes on where it was, and refused records are kept once', { timeout: 120_000 }, async () => {
  const lines = Array.from({ length: 600 }, (_, index) =>
    JSON.stringify({ email: index % 50 === 7 ? 'nobody' : `user${index}@example.com` }),
  )
  const path = write('users.ndjson', `${lines.join('\n')}\n`)
  const refused = join(folder, 'refused.ndjson')
  let stop = (_: { signal: string }): void => {}
  const stopped = new Promise<{ signal: string }>((resolve) => {
    stop = resolve
  })
  const seen: string[] = []
  const { runCommandLine } = await import('../src/cli.ts')
  const exitCode = await runCommandLine(['import', path, '--errors', refused], {
    environment: { LOG_LEVEL: 'silent', ...environment },
    command: 'npx roster',
    print: () => {},
    printError: (text) => {
      seen.push(text)
      stop({ signal: 'SIGINT' })
    },
    isInteractive: true,
    stopRequested: () => stopped,
  })

  expect(exitCode).toBe(1)
  expect(seen.join('')).toContain('Run the same command again to go on.')
  const before = await read((db) => db.user.count())
  expect(before).toBeGreaterThan(0)
  expect(before).toBeLessThan(588)
  // What a run that was killed had written beyond what was committed.
  if (existsSync(refused)) writeFileSync(refused, `${readFileSync(refused, 'utf8')}{"email":"not comm`)
  const again = await run(path, '--errors', refused)

  expect(again.errors).toMatch(/^Going on after \d+ records\.\n/)
  expect(again.errors).toContain('600 records')
  expect(again.errors).toContain('588 inserted')
  expect(readFileSync(refused, 'utf8')).toBe('{"email":"nobody"}\n'.repeat(12))
  expect(await read(async (db) => [await db.user.count(), await db.auditEvent.count({ where: { type: 'user.imported' } })])).toEqual([
    588, 588,
  ])
})

test('it is used as its help says', { timeout }, async () => {
  const path = write('users.ndjson', '')
  for (const args of [
    ['nowhere.ndjson'],
    [path, '--format', 'xml'],
    [path, '--match-on', 'name'],
    [path, '--weak-hashes', 'maybe'],
    [folder],
  ])
    expect((await run(...args)).exitCode, args.join(' ')).toBe(2)
})
