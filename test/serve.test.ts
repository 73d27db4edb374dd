import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { builtSources, testFolder } from './setup/build.ts'
import { dataDirectory, preparedDirectory, roster } from './setup/command-line.ts'

const production = { NODE_ENV: 'production', HOST: '127.0.0.1', ROSTER_SECRET: 'x'.repeat(32), PUBLIC_URL: 'https://users.example.com' }

beforeAll(async () => {
  builtSources()
  await preparedDirectory()
})

/** A server as it is built, in a process of its own, and what it has written. */
type Serving = Readonly<{ child: ChildProcess; output: () => string; errors: () => string; exited: Promise<number | null> }>

/** Runs `node dist/main.js serve` with these variables and nothing of this process's own. */
function serve(environment: Record<string, string>, nodeOptions: readonly string[] = []): Serving {
  const main = join(builtSources(), 'dist/main.js')
  const child = spawn(process.execPath, [...nodeOptions, main, 'serve'], {
    env: { PATH: process.env['PATH'] ?? '', PORT: '0', ...environment },
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [output, errors]: string[][] = [[], []]
  child.stdout.on('data', (chunk) => output?.push(String(chunk)))
  child.stderr.on('data', (chunk) => errors?.push(String(chunk)))
  const exited = once(child, 'close').then(([code]) => code as number | null)
  return { child, exited, output: () => output?.join('') ?? '', errors: () => errors?.join('') ?? '' }
}

/** Waits until the server has written this, and answers what the pattern's group holds. */
async function written({ child, output, errors }: Serving, pattern: RegExp): Promise<string> {
  for (let attempt = 0; attempt < 600; attempt++) {
    const [, group] = pattern.exec(output()) ?? []
    if (group !== undefined) return group
    if (child.exitCode !== null) break
    await delay(50)
  }
  throw new Error(`not written: ${pattern} in ${output()}${errors()}`)
}

const graphiqlUrl = /GraphiQL {6}(http:\/\/localhost:\d+\/graphql),/
const tokenOnScreen = /(eyJ[\w-]+\.[\w-]+\.[\w-]+)/
const jsonReady = /("msg":"ready")/

async function countUsers(url: string, token: string): Promise<unknown> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }
  const response = await fetch(url, { method: 'POST', headers, body: '{"query":"{ users(first: 1) { totalCount } }"}' })
  return response.json()
}

async function end({ child, exited }: Serving): Promise<number | null> {
  child.kill('SIGTERM')
  return exited
}

describe('in development', () => {
  test('the first start shows a token that works, later ones where it is kept, and SIGTERM ends them with exit code 0', async () => {
    const environment = { ROSTER_DATA_DIR: await dataDirectory() }
    const first = serve(environment)
    const url = await written(first, graphiqlUrl)
    const token = await written(first, tokenOnScreen)

    expect(await countUsers(url, token)).toEqual({ data: { users: { totalCount: 0 } } })
    expect(first.output()).toContain(`Mailbox       ${url.replace(/graphql$/, 'mailbox')}\n`)
    expect(first.output()).toContain(`Database      PGlite in ${environment.ROSTER_DATA_DIR}`)
    expect(await end(first)).toBe(0)

    const second = serve(environment)
    await written(second, graphiqlUrl)
    expect(second.output()).toContain(`Admin token   in ${join(environment.ROSTER_DATA_DIR, 'admin-token')}`)
    expect(second.output()).not.toMatch(tokenOnScreen)
    expect(await end(second)).toBe(0)
    expect(first.errors() + second.errors()).toBe('')
  })

  test('a second server on the directory is refused with one line, and the first goes on', async () => {
    const environment = { ROSTER_DATA_DIR: await dataDirectory() }
    const first = serve(environment)
    const url = await written(first, graphiqlUrl)
    const token = await written(first, tokenOnScreen)
    const second = serve(environment)

    expect(await second.exited).toBe(1)
    expect(second.output()).toBe('')
    expect(second.errors()).toMatch(/^The data directory .* is in use by process \d+ .*\n$/)
    expect(await countUsers(url, token)).toEqual({ data: { users: { totalCount: 0 } } })
  })

  test('with ADMIN_PORT both addresses are shown', async () => {
    const both = serve({ ROSTER_DATA_DIR: await dataDirectory(), ADMIN_PORT: '0' })
    const whole = await written(both, graphiqlUrl)
    const restricted = await written(both, /Public graph {2}(http:\S+)/)
    const token = await written(both, tokenOnScreen)

    expect(await countUsers(whole, token)).toEqual({ data: { users: { totalCount: 0 } } })
    expect(await countUsers(restricted, token)).toMatchObject({ errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] })
    expect(await end(both)).toBe(0)
  })
})

test.each(['PORT', 'ADMIN_PORT'])('a %s that is in use is one line that names the variable, and exit code 1', async (variable) => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  onTestFinished(() => void other.close())
  const { port } = other.address() as { port: number }

  const { exitCode, output, errors } = await roster(['serve'], {
    ROSTER_DATA_DIR: await dataDirectory(),
    PORT: '0',
    [variable]: String(port),
  })

  expect({ exitCode, output, errors }).toEqual({
    exitCode: 1,
    output: '',
    errors: `Port ${port} on 127.0.0.1 is in use. Set ${variable} to another one.\n`,
  })
})

test('an error that nobody caught ends the server with exit code 1', async () => {
  const stop = Promise.resolve({ error: new Error('nobody caught this') })

  expect((await roster(['serve'], { ROSTER_DATA_DIR: await dataDirectory(), PORT: '0' }, { stop })).exitCode).toBe(1)
})

describe('in production', () => {
  test('a start without settings is refused with one line and exit code 2, and no directory is made', async () => {
    const dataDir = join(testFolder(), 'data')

    expect(await roster(['serve'], { NODE_ENV: 'production', ROSTER_DATA_DIR: dataDir })).toEqual({
      exitCode: 2,
      output: '',
      errors: 'In production, set ROSTER_SECRET (32 random characters or more) and PUBLIC_URL (https://users.example.com).\n',
    })
    expect(existsSync(dataDir)).toBe(false)
  })

  test('it writes JSON lines and no token, drains on the first signal and ends at once on the second', async () => {
    const dataDir = await dataDirectory()
    const serving = serve({ ...production, ROSTER_DATA_DIR: dataDir })
    await written(serving, jsonReady)
    serving.child.kill('SIGTERM')
    await written(serving, /("signal":"SIGTERM")/)
    serving.child.kill('SIGTERM')

    expect(await serving.exited).toBe(1)
    for (const line of serving.output().trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('time')
    expect(serving.output()).not.toMatch(tokenOnScreen)
    expect((await roster(['token', 'list'], { ...production, ROSTER_DATA_DIR: dataDir })).output).toBe('There are no admin tokens.\n')
  })
})

test('an old Node is told what is needed, in one line', async () => {
  const versions = "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.20.0' } })"
  const old = serve({}, ['--import', `data:text/javascript,${encodeURIComponent(versions)}`])

  expect(await old.exited).toBe(2)
  expect(old.errors()).toBe('Roster needs Node 20.19 or later; this is 18.20.0.\n')
})
