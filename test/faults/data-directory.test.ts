import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { pg_trgm } from '@electric-sql/pglite/contrib/pg_trgm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newFolder, removeFolder, run, type Serving, serveEmbedded } from './serving.ts'

const room = newFolder()
const first = join(room, 'first')
let roster: Serving
beforeAll(async () => {
  roster = await serveEmbedded(first)
})
afterAll(async () => {
  await roster.remove()
  removeFolder(room)
})

const createUser = 'mutation($input: CreateUserInput!) { createUser(input: $input) { user { id } errors { code } } }'

/** Starts a server on a directory that it must refuse: soon, and with one line. */
async function refused(dataDir: string, options: { uid?: number } = {}): Promise<string> {
  const { code, stdout, stderr, ms } = await run(['serve'], { ROSTER_DATA_DIR: dataDir, PORT: '0', LOG_LEVEL: 'warn' }, options).ended
  expect({ code, stdout, lines: stderr.trim().split('\n').length }, stderr).toEqual({ code: 1, stdout: '', lines: 1 })
  expect(ms).toBeLessThan(5000)
  return stderr.trim()
}

/** The same, before anything in the directory is touched. */
async function refusedUntouched(dataDir: string): Promise<string> {
  const before = listing(dataDir)
  const reason = await refused(dataDir)
  expect(listing(dataDir)).toEqual(before)
  return reason
}

/** Every file with its size and the time it was written. */
function listing(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()
  return names.flatMap((name) => {
    const status = statSync(join(folder, name))
    return status.isFile() ? [`${name} ${status.size} ${status.mtimeMs}`] : []
  })
}

test('R34: a second process on the same directory is refused, and the first goes on', async () => {
  const { codes } = await roster.ask(createUser, { input: { username: 'kept' } })
  expect(codes).toEqual([])
  const owner = `process ${roster.process.child.pid} `
  expect(await refused(first)).toMatch(new RegExp(`^The data directory ${first} is in use by ${owner}`))
  expect((await roster.ask('{ user(by: { username: "kept" }) { username } }')).data.user).toEqual({ username: 'kept' })
})

test('R15: at SIGTERM it exits with 0, and gives the directory back', async () => {
  expect(await roster.process.stop()).toBe(0)
  expect(readdirSync(first).sort()).toEqual(['admin-token', 'pgdata', 'secret'])
})

test("R33: the directory of a PostgreSQL server is not Roster's", async () => {
  const folder = join(room, 'server')
  cpSync(join(first, 'pgdata'), folder, { recursive: true })
  expect(await refusedUntouched(folder)).toMatch(/is the directory of a PostgreSQL server/)
})

test('R33: a database of another version is not touched', async () => {
  const folder = join(room, 'version')
  cpSync(first, folder, { recursive: true })
  writeFileSync(join(folder, 'pgdata', 'PG_VERSION'), '19\n')
  expect(await refusedUntouched(folder)).toMatch(/is a database of PostgreSQL 19/)
})

test('R33: a database that a newer Roster has migrated is refused', async () => {
  const folder = join(room, 'newer')
  cpSync(first, folder, { recursive: true })
  const pglite = await PGlite.create(join(folder, 'pgdata'), { extensions: { pg_trgm } })
  await pglite.exec(`INSERT INTO roster._prisma_migrations (id, checksum, migration_name, finished_at)
    VALUES (gen_random_uuid(), 'x', '99991231235959_of_tomorrow', now())`)
  await pglite.close()
  expect(await refused(folder)).toMatch(/newer Roster \(it has 99991231235959_of_tomorrow\)/)
})

test("R33: somebody else's files where the database would be are left alone", async () => {
  const folder = join(room, 'foreign')
  mkdirSync(join(folder, 'pgdata'), { recursive: true })
  writeFileSync(join(folder, 'pgdata', 'letters.txt'), 'Dear Jane')
  expect(await refusedUntouched(folder)).toMatch(/holds something that is no database of Roster's/)
})

test('R33: a damaged database is refused, and not made anew: it works when it is mended', async () => {
  const folder = join(room, 'damaged')
  cpSync(first, folder, { recursive: true })
  const control = join(folder, 'pgdata', 'global', 'pg_control')
  const whole = readFileSync(control)
  writeFileSync(control, 'torn')
  expect(await refused(folder)).toMatch(/cannot be opened/)
  writeFileSync(control, whole)
  const { code, stdout } = await run(['token', 'list'], { ROSTER_DATA_DIR: folder }).ended
  expect([code, stdout]).toEqual([0, expect.stringContaining('development')])
})

test('R33: what is no directory is refused', async () => {
  const file = join(room, 'file')
  writeFileSync(file, '')
  expect(await refused(file)).toMatch(/ROSTER_DATA_DIR/)
})

test('R33: a directory that cannot be written is refused', async () => {
  const folder = join(room, 'read-only')
  mkdirSync(folder)
  chmodSync(folder, 0o555)
  const isRoot = process.getuid?.() === 0
  if (isRoot) chmodSync(room, 0o755)
  expect(await refused(folder, isRoot ? { uid: 65534 } : {})).toMatch(/cannot be written \(EACCES\)/)
})
