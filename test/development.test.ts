import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createAccessTokens } from '../src/crypto/access-token.ts'
import { revokeAdminToken } from '../src/domain/admin-token.ts'
import { createAuthenticator } from '../src/domain/authenticate.ts'
import { developmentToken } from '../src/domain/development-token.ts'
import { system } from '../src/domain/principal.ts'
import { loadSecret } from '../src/domain/secret.ts'
import { createLogger } from '../src/ports/logger.ts'
import { type Callers, callersOn, settings } from './callers.ts'
import { emptyDatabase, testDatabase } from './database.ts'

const database = await testDatabase()
let dataDir = ''

beforeEach(async () => {
  await emptyDatabase(database)
  dataDir = mkdtempSync(join(tmpdir(), 'roster-'))
})
afterEach(() => rmSync(dataDir, { recursive: true }))

function modeOf(name: string): string {
  return (statSync(join(dataDir, name)).mode & 0o777).toString(8)
}

describe('the secret', () => {
  const development = () => ({ mode: 'development', secret: null, dataDir }) as const

  test('is the one that is set', () => {
    expect(loadSecret({ mode: 'production', secret: 'x'.repeat(32), dataDir })).toBe('x'.repeat(32))
    expect(readdirSync(dataDir)).toEqual([])
  })

  test('is made once in development, of 256 bits, for its owner only, and another one elsewhere (C2 21)', () => {
    const secret = loadSecret(development())

    expect(Buffer.from(secret, 'base64url')).toHaveLength(32)
    expect(loadSecret(development())).toBe(secret)
    expect(loadSecret({ ...development(), dataDir: join(dataDir, 'another', 'one') })).not.toBe(secret)
    expect(modeOf('secret')).toBe('600')
    expect(readdirSync(dataDir).sort()).toEqual(['another', 'secret'])
  })

  test('is never made in production', () => {
    expect(() => loadSecret({ mode: 'production', secret: null, dataDir })).toThrow('ROSTER_SECRET')
    expect(readdirSync(dataDir)).toEqual([])
  })

  test('that is damaged is refused, not replaced: what it sealed would be lost', () => {
    writeFileSync(join(dataDir, 'secret'), '')

    expect(() => loadSecret(development())).toThrow('is damaged')
    expect(readFileSync(join(dataDir, 'secret'), 'utf8')).toBe('')
  })
})

describe('the admin token of development', () => {
  const start = ({ scopeOf, authenticator }: Pick<Callers, 'scopeOf' | 'authenticator'>) =>
    developmentToken(scopeOf(system), { dataDir, authenticator })

  test('is made at the first start, kept for its owner only, and found at the next', async () => {
    const callers = await callersOn(database)
    const first = await start(callers)

    expect(first.isNew).toBe(true)
    expect(await start(callers)).toEqual({ token: first.token, isNew: false })
    expect((await callers.authenticate(first.token)).scopes).toEqual(new Set(['admin']))
    expect(modeOf('admin-token')).toBe('600')
    expect(readdirSync(dataDir)).toEqual(['admin-token'])
    expect(await callers.db.adminToken.count()).toBe(1)
  })

  test('is made anew when it was revoked or has run out', async () => {
    const callers = await callersOn(database)
    const first = await start(callers)
    const [row] = await callers.db.adminToken.findMany()
    await revokeAdminToken(callers.scopeOf(system), row?.id ?? '')

    const second = await start(callers)
    expect(second).toMatchObject({ isNew: true })
    expect(second.token).not.toBe(first.token)

    callers.clock.advance(91 * 86_400)
    expect(await start(callers)).toMatchObject({ isNew: true })
    expect(await start(callers)).toMatchObject({ isNew: false })
  })

  test('is made anew when it is of another issuer, another database, or no token at all', async () => {
    const callers = await callersOn(database)
    await start(callers)
    const { signingKeys, clock } = callers
    const accessTokens = createAccessTokens({ ...settings, issuer: 'http://localhost:5000' }, signingKeys)
    const authenticator = createAuthenticator({ accessTokens, trustedIssuers: [], database, clock, logger: createLogger('silent') })
    const scopeOf: Callers['scopeOf'] = (principal) => ({ ...callers.scopeOf(principal), accessTokens })
    expect(await start({ authenticator, scopeOf })).toMatchObject({ isNew: true })

    await emptyDatabase(database)
    const elsewhere = await callersOn(database)
    expect(await start(elsewhere)).toMatchObject({ isNew: true })

    for (const text of ['', 'nonsense', '\0']) {
      writeFileSync(join(dataDir, 'admin-token'), text)
      expect(await start(elsewhere)).toMatchObject({ isNew: true })
    }
  })

  test('is made anew when it may no longer do everything', async () => {
    const callers = await callersOn(database)
    const { token } = await callers.anAdminToken(['read:users'])
    writeFileSync(join(dataDir, 'admin-token'), token, { mode: 0o644 })

    expect(await start(callers)).toMatchObject({ isNew: true })
    expect(modeOf('admin-token')).toBe('600')
  })
})
