import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { createApp } from '../src/app.ts'
import { parseConfig } from '../src/config.ts'
import { variables } from '../src/config-variables.ts'
import { openDatabase } from '../src/database/open.ts'
import { createLogger } from '../src/ports/logger.ts'
import { dataDirectory, roster } from './setup/command-line.ts'

const folder = mkdtempSync(join(tmpdir(), 'roster-test-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** A directory with an embedded database, the same for all commands that do not say otherwise. */
const environment = { ROSTER_DATA_DIR: join(folder, 'data') }
const done = { exitCode: 0, errors: '' }

const openData = (dataDir = environment.ROSTER_DATA_DIR) =>
  openDatabase({
    databaseUrl: null,
    dataDir,
    poolSize: 1,
    statementTimeoutMs: 3000,
    logger: createLogger('silent'),
  })

describe('help', () => {
  const commands = [
    ['serve'],
    ['token', 'create'],
    ['token', 'list'],
    ['token', 'revoke'],
    ['keys', 'list'],
    ['keys', 'rotate'],
    ['keys', 'drop'],
    ['migrate'],
    ['doctor'],
    ['export'],
    ['seed'],
    ['schema'],
    ['config'],
  ]

  test.each(commands.map((words) => words.join(' ')))('of `%s` has an example', async (words) => {
    const { exitCode, output, errors } = await roster([...words.split(' '), '--help'])

    expect({ exitCode, errors }).toEqual(done)
    expect(output).toMatch(new RegExp(`Usage: roster ${words}[^]*Examples?:\\n {2}.*roster ${words}`))
  })

  test('of `roster` names every command', async () => {
    const { output } = await roster(['--help'])

    for (const [command = ''] of commands) expect(output).toMatch(new RegExp(`^ {2}${command} `, 'm'))
  })
})

test('--version is the version of the package', async () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'))

  expect(await roster(['--version'])).toEqual({ ...done, output: `${version}\n` })
})

describe('a wrong use ends with exit code 2', () => {
  test.each([
    [''],
    ['serv'],
    ['serve --port 80'],
    ['token'],
    ['token create --name ci'],
    ['token revoke'],
    ['keys'],
    ['keys rotate now'],
    ['keys drop'],
    ['seed'],
    ['seed --users 0'],
    ['seed --users 1e3'],
    ['seed --users -5'],
    ['migrate now'],
    ['doctor now'],
  ])('`roster %s`', async (words) => {
    const { exitCode, output, errors } = await roster(words.split(' ').filter(Boolean), environment)

    expect({ exitCode, output }).toEqual({ exitCode: 2, output: '' })
    expect(errors).not.toBe('')
    expect(errors).not.toContain('    at ')
  })

  test.each(['serve', 'migrate', 'token list', 'seed --users 1'])(
    '`roster %s` with a wrong configuration, every problem a line',
    async (words) => {
      const wrong = { ...environment, PORT: 'x', GRAPHIQL: 'maybe', ROSTER_DATADIR: '/data' }

      const { exitCode, errors } = await roster(words.split(' '), wrong)

      expect(exitCode).toBe(2)
      expect(errors.split('\n').map((line) => line.split(':')[0])).toEqual(['PORT', 'GRAPHIQL', 'ROSTER_DATADIR', ''])
    },
  )
})

test('a database that does not answer is one line and exit code 1', async () => {
  const { exitCode, output, errors } = await roster(['token', 'list'], { DATABASE_URL: 'postgresql://ada:secret@127.0.0.1:1/app' })

  expect({ exitCode, output }).toEqual({ exitCode: 1, output: '' })
  expect(errors).toMatch(/^PostgreSQL at 127\.0\.0\.1:1 does not answer .*\n$/)
})

test('a data directory that cannot be written is one line and exit code 1', async () => {
  const file = join(folder, 'file')
  writeFileSync(file, '')
  const { exitCode, errors } = await roster(['token', 'list'], { ROSTER_DATA_DIR: join(file, 'data') })

  expect(exitCode).toBe(1)
  expect(errors).toBe(`The data directory ${join(file, 'data')} cannot be written (ENOTDIR). Set ROSTER_DATA_DIR to one that can.\n`)
})

test('schema prints schema.graphql', async () => {
  expect(await roster(['schema'])).toEqual({ ...done, output: readFileSync('schema.graphql', 'utf8') })
})

test('config lists every variable', async () => {
  const { output } = await roster(['config'])

  for (const name of Object.keys(variables)) expect(output).toContain(`| \`${name}\` |`)
})

describe('migrate', () => {
  test('applies what is pending, once, and says what is', async () => {
    const own = { ROSTER_DATA_DIR: join(folder, 'migrate') }
    const before = await roster(['migrate', '--status'], own)
    const applied = await roster(['migrate'], own)

    expect(before.output).toMatch(/^(pending {2}\d{14}_\w+\n)+$/)
    expect(applied).toEqual({ ...done, output: before.output.replaceAll('pending', 'applied') })
    expect(await roster(['migrate'], own)).toEqual({ ...done, output: 'The database has all migrations.\n' })
    expect((await roster(['migrate', '--status'], own)).output).toBe(applied.output)
  })
})

describe('doctor', () => {
  test('says that nothing was found, with exit code 0', async () => {
    const own = { ROSTER_DATA_DIR: await dataDirectory() }

    expect(await roster(['doctor'], own)).toEqual({ ...done, output: 'Nothing was found that can make changes of users fail.\n' })
    expect(JSON.parse((await roster(['doctor', '--json'], own)).output)).toEqual({ ok: true, findings: [] })
  })

  test('prints what it found with what mends it, and ends with exit code 1 when that makes changes fail', async () => {
    const own = { ROSTER_DATA_DIR: await dataDirectory() }
    const at = async (sql: string) => {
      const database = await openData(own.ROSTER_DATA_DIR)
      await database.session(({ run }) => run(sql)).finally(database.close)
    }
    await at(`create table public.orders (user_id uuid references roster.users);
      alter table roster.users add constraint "by \u001b[31mhand" check (username is null);`)

    const { exitCode, output, errors } = await roster(['doctor'], own)
    const { findings } = JSON.parse((await roster(['doctor', '--json'], own)).output)

    expect({ exitCode, errors }).toEqual({ exitCode: 1, errors: '' })
    expect(output).toMatch(
      /^ERROR {2}check constraint by �\[31mhand on roster\.users\n {2}Tried with a made-up user, creating a user fails\. /,
    )
    expect(output).toMatch(/\nWARNING {2}foreign key orders_user_id_fkey on public\.orders\n {2}.*\n\n-- .*\nALTER TABLE public\.orders /)
    expect(findings).toMatchObject([{ severity: 'ERROR' }, { severity: 'WARNING' }])

    await at(findings[0].fix)
    expect((await roster(['doctor'], own)).exitCode).toBe(0)
  })

  test('says which migrations are pending, and applies none', async () => {
    const own = { ROSTER_DATA_DIR: join(folder, 'doctor') }

    const { exitCode, output } = await roster(['doctor'], own)

    expect(exitCode).toBe(1)
    expect(output).toMatch(/^ERROR {2}migration \d{14}_create_user_graph\n/)
    expect(output).toContain('-- Run `roster migrate`.')
    expect((await roster(['migrate', '--status'], own)).output).toMatch(/^(pending {2}\d{14}_\w+\n)+$/)
  })

  test('beside a process that has the directory says what to do instead', async () => {
    const { close } = await openData()

    const { exitCode, output, errors } = await roster(['doctor'], environment).finally(close)

    expect({ exitCode, output }).toEqual({ exitCode: 1, output: '' })
    expect(errors).toMatch(/^The data directory .* is in use by process \d+ .* Stop it first, .*Or ask for diagnostics in GraphiQL\.\n$/)
  })
})

describe('token', () => {
  const create = (...words: string[]) => roster(['token', 'create', ...words], environment)

  test('create prints the token and nothing else on standard output, and it holds what was asked for', async () => {
    const { exitCode, output, errors } = await create('--name', 'ci', '--scope', 'read:users update:users', '--expires', '30d')
    const app = await createApp(parseConfig(environment), { logger: createLogger('silent') })
    const principal = await app.authenticate(output.trim()).finally(app.close)

    expect(exitCode).toBe(0)
    expect(output).toMatch(/^eyJ[\w-]+\.[\w-]+\.[\w-]+\n$/)
    expect(errors).toMatch(/^Made [0-9a-f-]{36}, "ci", until .*\n$/)
    expect([...principal.scopes]).toEqual(['read:users', 'update:users'])
  })

  test.each([
    ['90d', 90 * 86_400],
    ['12h', 12 * 3600],
    ['30m', 30 * 60],
    ['120s', 120],
    ['P1W', 7 * 86_400],
    ['PT1H30M', 5400],
  ])('create takes %s as a lifetime', async (expires, seconds) => {
    const { output } = await create('--name', 'lifetime', '--scope', 'read:logs', '--expires', expires)
    const { iat, exp } = JSON.parse(Buffer.from(output.split('.')[1] ?? '', 'base64url').toString())

    expect(exp - iat).toBe(seconds)
  })

  test('create tells everything that is wrong at once, with exit code 2', async () => {
    const { exitCode, output, errors } = await create('--name', ' ', '--scope', 'read:user read:users', '--expires', 'tomorrow')

    expect({ exitCode, output }).toEqual({ exitCode: 2, output: '' })
    expect(errors.split('\n').map((line) => line.split(': ')[0])).toEqual(['--name', '--scope "read:user"', '--expires', ''])
  })

  test('list shows each token without the token, and revoke ends it', async () => {
    const { errors: made } = await create('--name', 'to be \u001b[31mrevoked', '--scope', 'admin')
    const id = /[0-9a-f-]{36}/.exec(made)?.[0] ?? ''
    const active = await roster(['token', 'list'], environment)
    const revoked = await roster(['token', 'revoke', id], environment)

    expect(active.output).toMatch(
      new RegExp(`^${id} {2}to be �\\[31mrevoked {2}active {2,}\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d UTC {2}never {2,}admin$`, 'm'),
    )
    expect(active.output).not.toContain('eyJ')
    expect(revoked.exitCode).toBe(0)
    expect((await roster(['token', 'list'], environment)).output).toMatch(new RegExp(`^${id} .* revoked `, 'm'))
    expect(JSON.parse((await roster(['token', 'list', '--json'], environment)).output)).toContainEqual(
      expect.objectContaining({ id, scopes: ['admin'], revokedAt: expect.any(String) }),
    )
  })

  test.each(['01890000-0000-7000-8000-000000000000', 'ci'])('revoke of %s, which there is not, ends with exit code 1', async (id) => {
    expect(await roster(['token', 'revoke', id], environment)).toEqual({
      exitCode: 1,
      output: '',
      errors: '<id>: There is no such admin token.\n',
    })
  })

  test.each([
    ['create', 'createAdminToken', ['--name', 'a', '--scope', 'admin']],
    ['list', 'adminTokens', []],
    ['revoke', 'revokeAdminToken', ['a']],
  ])('%s beside a process that has the directory says what to do instead', async (command, instead, words) => {
    const { close } = await openData()

    const { exitCode, output, errors } = await roster(['token', command, ...words], environment).finally(close)

    expect({ exitCode, output }).toEqual({ exitCode: 1, output: '' })
    expect(errors).toMatch(
      new RegExp(`^The data directory .* is in use by process \\d+ .* Stop it first, .*GraphiQL, with ${instead}\\.\\n$`),
    )
  })
})

describe('seed', () => {
  const count = async () => {
    const { prisma, close } = await openData()
    return prisma.user.count().finally(close)
  }

  test('makes as many users as asked for, and others when it is run again', async () => {
    const before = await count()
    const { exitCode, output, errors } = await roster(['seed', '--users', '200'], environment)

    expect({ exitCode, output }).toEqual({ exitCode: 0, output: '' })
    expect(errors).toMatch(/^200 of 200 users, [\d,]+ a second\n200 users in \d+\.\d s: [\d,]+ a second\n$/)
    expect((await roster(['seed', '--users', '3'], environment)).exitCode).toBe(0)
    expect(await count()).toBe(before + 203)
  })

  test('draws a bar over itself where a person looks on', async () => {
    const { errors } = await roster(['seed', '--users', '1'], environment, { isInteractive: true })

    expect(errors).toMatch(/^\r█{30} {2}1 of 1 users, [\d,]+ a second.*\n1 users in /)
  })

  test('is refused in production', async () => {
    const production = { ...environment, NODE_ENV: 'production', ROSTER_SECRET: 'x'.repeat(32), PUBLIC_URL: 'https://users.example.com' }
    const before = await count()

    expect(await roster(['seed', '--users', '1'], production)).toEqual({
      exitCode: 2,
      output: '',
      errors: 'Made-up people are for development: NODE_ENV is production.\n',
    })
    expect(await count()).toBe(before)
  })
})
