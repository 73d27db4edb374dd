import { beforeEach, describe, expect, test } from 'vitest'
import { foreignPasswordHash } from '../src/crypto/auth0-hash.ts'
import { unknownPasswordHash } from '../src/crypto/password-hash.ts'
import { foreignHashes, password } from './foreign-hashes.ts'
import { boot } from './harness.ts'

const harness = await boot()
const document = 'mutation ($input: SignInInput!) { signIn(input: $input) { user { id } errors { code } } }'

beforeEach(() => harness.reset())

async function signIn(username: string, plain: string): Promise<unknown> {
  const answer = await harness.run(document, { variables: { input: { username, password: plain } } })
  return answer.data?.['signIn']
}

function kept(custom: unknown): string {
  const made = foreignPasswordHash(custom)
  return 'hash' in made ? made.hash : ''
}

describe.each(foreignHashes)('the old password of $what', ({ custom, password: plain = password }) => {
  test('signs in at the first time, is kept as argon2id from then on, and signs in again (C1.12)', async () => {
    const { id } = await harness.aUser({ username: 'jane', passwordHash: kept(custom) })
    const hashOf = async () => (await harness.app.database.prisma.passwordCredential.findUniqueOrThrow({ where: { userId: id } })).hash

    expect(await signIn('jane', 'another one')).toEqual({ user: null, errors: [{ code: 'INVALID_CREDENTIALS' }] })
    expect(await hashOf()).toBe(kept(custom))
    expect(await signIn('jane', plain)).toEqual({ user: { id }, errors: [] })

    expect(await hashOf()).toMatch(/^\$argon2id\$/)
    expect(await signIn('jane', plain)).toEqual({ user: { id }, errors: [] })
  })
})

test('a hash in the form that is kept may be brought along by an administrator, and any other text may not', async () => {
  const create = 'mutation ($hash: String!) { createUser(input: { username: "jane", passwordHash: $hash }) { errors { code path } } }'
  const bring = async (hash: string) => (await harness.admin(create, { hash }))['createUser']

  expect(await bring('$digest-md5$$$AAAA')).toEqual({ errors: [{ code: 'INVALID_INPUT', path: ['input', 'passwordHash'] }] })
  expect(await bring(kept(foreignHashes[0]?.custom))).toEqual({ errors: [] })
})

test('a hash that verifies at once takes as long as none at all (A8)', async () => {
  const { passwords } = harness.app.authentication
  const quick = kept(foreignHashes[0]?.custom)
  const nobodys = unknownPasswordHash({ memoryKiB: 19_456, passes: 2, lanes: 1 })
  const least = { quick: Number.POSITIVE_INFINITY, nobodys: Number.POSITIVE_INFINITY }
  // By turns, and the least of each: what else the machine does only makes them longer.
  for (let count = 0; count < 15; count++)
    for (const [name, hash] of Object.entries({ quick, nobodys }) as ['quick' | 'nobodys', string][]) {
      const begun = performance.now()
      await passwords.verify(hash, 'wrong')
      least[name] = Math.min(least[name], performance.now() - begun)
    }

  expect(least.quick).toBeGreaterThan(least.nobodys * 0.7)
})
