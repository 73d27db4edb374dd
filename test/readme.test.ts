import { existsSync, readFileSync } from 'node:fs'
import { parse, validate } from 'graphql'
import { describe, expect, test } from 'vitest'
import { configurationTable } from '../src/commands/config.ts'
import { defaultBudgets } from '../src/domain/budget.ts'
import { buildSchema } from '../src/graphql/schema.ts'
import type { MailMessage } from '../src/ports/mailer.ts'
import { parseTrustedIssuers } from '../src/trusted-issuers.ts'
import { boot, expectData } from './harness.ts'
import { codeIn } from './mail.ts'
import { plant } from './setup/host.ts'

const readme = readFileSync('README.md', 'utf8')
const blocks = (language: string) =>
  [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, text = '']) => text)
const operations = blocks('graphql')
const [tablesAndTriggers = ''] = blocks('sql')

test('the README names the two commands to begin with, and is short enough to be read, its generated tables apart', () => {
  expect(readme).toMatch(/^ {4}npm ci && npm start$/m)
  expect(readme).toContain('`npm ci && npm test`')
  const written = readme.replace(/^<!-- (\w+) -->\n.*?^<!-- \/\1 -->\n/gms, '')
  expect(written.split('\n').length).toBeLessThanOrEqual(280)
})

test('its configuration table is the one that the variables make: npm run readme', () => {
  expect(readme).toContain(`<!-- config -->\n${configurationTable()}<!-- /config -->`)
})

test.each(operations.map((text) => [text.split('\n')[0], text]))('its operation %s fits the schema', (_, text) => {
  expect(validate(buildSchema(), parse(text))).toEqual([])
})

test('its operations do what it says, one after another', async () => {
  const { admin, reset } = await boot()
  await reset()
  const [me = '', create = '', list = '', update = '', block = '', history = ''] = operations
  const run = async (text: string, variables = {}) =>
    (await admin(text, variables)) as { users: { nodes: { id: string }[] } } & Record<string, unknown>

  expect(await run(me)).toEqual({ me: null })
  expect(await run(create)).toMatchObject({ createUser: { user: { version: 1 }, errors: [] } })
  const { users } = await run(list)
  expect(users).toMatchObject({ totalCount: 1, nodes: [{ email: 'ada@example.com' }] })
  const id = users.nodes[0]?.id
  expect(await run(update, { id })).toMatchObject({ updateUser: { user: { userMetadata: { theme: 'dark' }, version: 2 }, errors: [] } })
  expect(await run(update, { id })).toMatchObject({ updateUser: { errors: [{ currentVersion: 2 }] } })
  expect(await run(block, { id })).toMatchObject({ blockUser: { user: { status: 'BLOCKED' }, errors: [] } })
  expect(await run(history, { email: 'ada@example.com' })).toMatchObject({
    user: { history: { nodes: [{ type: 'user.blocked' }, { type: 'user.updated' }, { type: 'user.created' }] } },
  })
})

test('its operations of signing in do what it says, one after another', async () => {
  const harness = await boot()
  await harness.reset()
  const named = (name: string) => operations.find((text) => text.includes(`mutation ${name}(`)) ?? ''
  const run = async (name: string, variables: object) =>
    Object.values(expectData(await harness.run(named(name), { variables: { ...variables } })))[0] as object
  const person = { email: 'ada@example.com', password: 'a long pass phrase' }

  expect(await run('SignUp', person)).toEqual({ tokens: null, errors: [] })
  const [mail] = await harness.mails()
  const code = codeIn(mail as MailMessage)
  expect(await run('Confirm', { email: person.email, code })).toMatchObject({ user: { emailVerified: true }, errors: [] })
  const { tokens } = (await run('SignIn', person)) as { tokens: { refreshToken: string } }
  expect(await run('Refresh', { token: tokens.refreshToken })).toMatchObject({ tokens: { expiresIn: 900 }, errors: [] })
})

test('its table of limits has each of them as it is (C2.16)', () => {
  const rows = [...readme.matchAll(/^\| `([\w.]+)` \| (\d+) \| (\d+) \| /gm)]
  const told = rows.map(([, name, attempts, seconds]) => [name, { attempts: Number(attempts), seconds: Number(seconds) }])

  expect(Object.fromEntries(told)).toEqual(defaultBudgets)
})

test('its table and trigger work as they stand there', async () => {
  const { admin, app, reset } = await boot()
  await reset()
  await plant(tablesAndTriggers)

  await admin(
    'mutation { createUser(input: { userMetadata: { first_name: "Ada", last_name: "Lovelace" } }) { user { id } errors { code } } }',
  )

  expect(await app.database.prisma.$queryRaw`select first_name, last_name from public.profiles`).toEqual([
    { first_name: 'Ada', last_name: 'Lovelace' },
  ])
})

describe('its trusted issuers', () => {
  test('are a configuration that is understood', () => {
    const issuers = parseTrustedIssuers(blocks('json')[0] ?? '')

    expect(issuers.map(({ provider }) => provider)).toEqual(['auth0', 'supabase', 'keycloak'])
  })
})

test('every file and folder that it names is there', () => {
  const names = [
    ...readme.matchAll(/(?:`|\()((?:src|test|prisma|bench|docs|examples|\.ci)\/[\w./-]+|[\w-]+\.(?:graphql|json)|LICENSE)(?:`|\))/g),
  ].map(([, name = '']) => name)

  expect(names.length).toBeGreaterThan(8)
  for (const name of names) expect(existsSync(name), name).toBe(true)
})

test('every command of npm that it names is a script', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> }

  for (const [, name = ''] of readme.matchAll(/npm run ([\w:]+)/g)) expect(Object.keys(scripts)).toContain(name)
})
