import { createLocalJWKSet, jwtVerify } from 'jose'
import { beforeEach, expect, test } from 'vitest'
import { createSecrets } from '../src/crypto/secrets.ts'
import { generateSigningKey, type SigningKeys, signingAlgorithm } from '../src/crypto/signing-keys.ts'
import { loadSigningKeys } from '../src/domain/signing-key.ts'
import { jwksResponse } from '../src/http/jwks.ts'
import { callersOn, movableClock, secret, secrets, settings } from './callers.ts'
import { emptyDatabase, openTestDatabase, postgresOnly, statements, testDatabase } from './database.ts'

const database = await testDatabase()
const db = database.prisma
const clock = movableClock()

beforeEach(() => emptyDatabase(database))

const currentId = async ({ current }: SigningKeys) => (await current(clock.now())).id

test('an empty database gets one key, and a restart finds it', async () => {
  const first = await loadSigningKeys({ database, clock, secrets })
  const second = await loadSigningKeys({ database, clock, secrets })

  expect(await currentId(second)).toBe(await currentId(first))
  expect(await db.signingKey.count()).toBe(1)
})

test('several that start at once on an empty database make one key', async () => {
  const loaded = await Promise.all(Array.from({ length: 8 }, () => loadSigningKeys({ database, clock, secrets })))

  expect(new Set(await Promise.all(loaded.map(currentId))).size).toBe(1)
  expect(await db.signingKey.count()).toBe(1)
})

postgresOnly('two processes that start at once make one key, in each of twenty rounds', async () => {
  const other = await openTestDatabase()
  for (let round = 0; round < 20; round++) {
    await db.signingKey.deleteMany()
    const loaded = await Promise.all([database, other, database, other].map((each) => loadSigningKeys({ database: each, clock, secrets })))
    expect(new Set(await Promise.all(loaded.map(currentId))).size).toBe(1)
  }
  await other.close()
})

test('another ROSTER_SECRET is refused in one line, and changes nothing', async () => {
  await loadSigningKeys({ database, clock, secrets })
  const before = await db.signingKey.findMany()

  await expect(loadSigningKeys({ database, clock, secrets: createSecrets(`${secret}!`) })).rejects.toThrow(
    'The signing key in this database was sealed with another secret: put back the ROSTER_SECRET, or the file `secret` in the data directory, that it was made with.',
  )
  expect(await db.signingKey.findMany()).toEqual(before)
})

test('the private key is in the database only sealed, and cannot be taken out of the process', async () => {
  const keys = await loadSigningKeys({ database, clock, secrets })
  const [row] = await db.signingKey.findMany()

  expect(row?.sealedPrivateJwk).toMatch(/^v1\./)
  expect(row?.publicJwk).not.toHaveProperty('d')
  expect((await keys.current(clock.now())).privateKey.extractable).toBe(false)
})

test('a key that another process has made since is found by its kid', async () => {
  const keys = await loadSigningKeys({ database, clock, secrets })
  const { id, publicJwk } = await generateSigningKey()
  await db.signingKey.create({
    data: { id, algorithm: signingAlgorithm, publicJwk, sealedPrivateJwk: 'v1.', createdAt: clock.now(), activatesAt: clock.now() },
  })

  expect((await keys.find(id))?.id).toBe(id)
  expect(keys.publicJwks().map(({ kid }) => kid)).toContain(id)
})

test('a flood of unknown kids reads the table once in ten seconds', async () => {
  const keys = await loadSigningKeys({ database, clock, secrets })
  const flood = () => Promise.all(Array.from({ length: 50 }, (_, index) => keys.find(`unknown-${index}`)))
  statements.length = 0

  expect(await flood()).toEqual(Array.from({ length: 50 }, () => null))
  await flood()
  expect(statements).toHaveLength(1)

  clock.advance(11)
  await flood()
  expect(statements).toHaveLength(2)
})

test('a third party verifies a token by the published keys, which hold nothing private', async () => {
  const { accessTokens, signingKeys, aUser, signIn } = await callersOn(database, [], clock)
  const userId = await aUser()
  const { accessToken } = await signIn(userId)
  const { body, headers } = jwksResponse(signingKeys)

  const { payload } = await jwtVerify(accessToken, createLocalJWKSet(JSON.parse(body)), {
    issuer: accessTokens.issuer,
    audience: settings.audience,
    typ: 'at+jwt',
    algorithms: ['ES256'],
    currentDate: clock.now(),
  })

  expect(payload.sub).toBe(userId)
  expect(headers['cache-control']).toBe('public, max-age=300')
  expect(JSON.parse(body).keys.map(Object.keys)).toEqual([['kty', 'crv', 'x', 'y', 'kid', 'alg', 'use']])
})
