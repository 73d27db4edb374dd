import { describe, expect, test } from 'vitest'
import { defaultBudgets, parseBudgets } from '../src/domain/budget.ts'
import { networkOf } from '../src/domain/network.ts'
import { restore, spend } from '../src/domain/rate-limit.ts'
import { movableClock } from './callers.ts'
import { emptyDatabase, testDatabase } from './database.ts'

const budgets = { ...defaultBudgets, 'signIn.account': { attempts: 5, seconds: 60 } }

async function aLimiter() {
  const database = await testDatabase()
  await emptyDatabase(database)
  const clock = movableClock()
  const scope = { db: database.prisma, execute: database.execute, clock }
  return { scope, clock, trySignIn: (of: string) => spend(scope, budgets, [{ budget: 'signIn.account', of }]) }
}

describe('a budget of five', () => {
  test('lets exactly five of 200 parallel tries through (L15, T-RACE-2)', async () => {
    const { trySignIn } = await aLimiter()

    const tries = await Promise.allSettled(Array.from({ length: 200 }, () => trySignIn('ada')))

    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(5)
    for (const outcome of tries) if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'RATE_LIMITED' })
  })

  test('is whole again when its time is over, which the refusal names', async () => {
    const { clock, trySignIn } = await aLimiter()
    for (let count = 0; count < 5; count++) await trySignIn('ada')
    clock.advance(20)

    await expect(trySignIn('ada')).rejects.toMatchObject({ extensions: { retryAfterSeconds: 40 } })
    clock.advance(40)
    await expect(trySignIn('ada')).resolves.toBeUndefined()
  })

  test('is given back by success, and is nobody else’s', async () => {
    const { scope, trySignIn } = await aLimiter()
    for (let count = 0; count < 5; count++) await trySignIn('ada')

    await trySignIn('grace')
    await restore(scope, [{ budget: 'signIn.account', of: 'ada' }])

    await expect(trySignIn('ada')).resolves.toBeUndefined()
  })

  test('does not keep whose it is in the clear', async () => {
    const { scope, trySignIn } = await aLimiter()
    await trySignIn('ada@example.com')

    expect(JSON.stringify(await scope.db.rateLimit.findMany())).not.toContain('ada')
  })
})

test('several budgets are spent in one statement, and parallel callers never wait for each other in a circle', async () => {
  const { scope } = await aLimiter()
  const both = [
    { budget: 'signIn.network', of: '192.0.2.1' },
    { budget: 'mail.network', of: '192.0.2.1' },
  ] as const

  const spent = Array.from({ length: 40 }, (_, index) => spend(scope, budgets, index % 2 === 0 ? both : both.toReversed()))

  expect((await Promise.allSettled(spent)).filter(({ status }) => status === 'rejected')).toHaveLength(10)
})

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
  ['2001:0DB8:0001:0002::1', '2001:db8:1:2::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  [null, 'unknown'],
])('the network of %s is %s', (ip, network) => {
  expect(networkOf(ip)).toBe(network)
})

test('budgets are read from the configuration, and what is not understood is named', () => {
  expect(parseBudgets(['signIn.network=1000/600'])).toEqual({ 'signIn.network': { attempts: 1000, seconds: 600 } })
  for (const entry of ['signIn.networks=1/1', 'signIn.network=0/1', 'signIn.network=5', 'toString=1/1'])
    expect(() => parseBudgets([entry])).toThrow(entry)
})
