import { beforeAll, expect, test } from 'vitest'
import { createApp } from '../src/app.ts'
import { parseConfig } from '../src/config.ts'
import { createLogger } from '../src/ports/logger.ts'
import { dataDirectory, preparedDirectory, roster } from './setup/command-line.ts'

const done = { exitCode: 0, errors: '' }
const kid = /^[\w-]{43}/m

beforeAll(() => void preparedDirectory())

/** Starts and stops a server's app there. */
async function serveOnce(environment: Record<string, string>): Promise<void> {
  const app = await createApp(parseConfig({ ...environment, LOG_LEVEL: 'silent' }), { logger: createLogger('silent') })
  await app.close()
}

test('list shows no keys, one key, and the next one; rotate makes one and says when it signs, and no second one', async () => {
  const environment = { ROSTER_DATA_DIR: await dataDirectory() }
  const list = async () => (await roster(['keys', 'list'], environment)).output

  expect(await list()).toBe('There are no keys. The server makes the first one when it starts.\n')
  await serveOnce(environment)
  expect((await list()).replace(kid, 'KEY').replaceAll(/\d/g, '0')).toMatch(/^KID +STATE .*\nKEY +current +0000-00-00 00:00 UTC\n$/)
  const { exitCode, errors } = await roster(['keys', 'rotate'], environment)
  expect([exitCode, errors]).toEqual([0, expect.stringMatching(/^Made [\w-]{43}\. It is published now, and signs from 20\d\d-.* UTC\.\n$/)])
  const [, made] = /Made (\S+)\./.exec(errors) ?? []
  expect(await list()).toMatch(new RegExp(`^${made} +next .*\\n.* current `, 'm'))
  const again = await roster(['keys', 'rotate'], environment)
  expect([again.exitCode, again.errors]).toEqual([1, expect.stringContaining(`There is a next key already: ${made} signs from`)])
})

test('drop says what signs from now on, and that there is no such key', async () => {
  const environment = { ROSTER_DATA_DIR: await dataDirectory() }
  await serveOnce(environment)
  const keys = async () => JSON.parse((await roster(['keys', 'list', '--json'], environment)).output)
  const [{ id }] = await keys()
  const dropped = await roster(['keys', 'drop', id], environment)
  const [{ id: successor, ...rest }] = await keys()

  expect(dropped).toEqual({
    ...done,
    output: '',
    errors: `Dropped ${id}, the current key. ${successor} signs from now on. Its tokens are void on all servers within half a minute.\n`,
  })
  expect(successor).not.toBe(id)
  expect(Object.keys(rest)).toEqual(['state', 'algorithm', 'createdAt', 'signsFrom', 'signsUntil', 'verifiesUntil'])
  for (const unknown of [id, '-hV0123456789', '--x'])
    expect(await roster(['keys', 'drop', unknown], environment)).toEqual({
      exitCode: 1,
      output: '',
      errors: 'There is no such key. See: roster keys list\n',
    })
})

test('after a drop a restart makes another token for development, since the old one is void', async () => {
  const environment = { ROSTER_DATA_DIR: await dataDirectory() }
  const config = parseConfig(environment)
  const start = () => createApp(config, { logger: createLogger('silent') })
  const first = await start()
  const { id } = await first.signingKeys.current(first.clock.now())
  await first.close()
  await roster(['keys', 'drop', id], environment)
  const second = await start()

  expect(first.developmentToken?.token).not.toBe(second.developmentToken?.token)
  expect(second.developmentToken?.isNew).toBe(true)
  await second.close()
})
