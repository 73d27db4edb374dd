import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Codes, codesOn } from './codes.ts'
import { boot, type Harness } from './harness.ts'
import { exchange, newPkce, setConnection } from './provider-flow.ts'
import { historyOf } from './session-client.ts'

let harness: Harness
let codes: Codes

beforeAll(async () => {
  harness = await boot({ RATE_LIMITS: 'verify.network=1000/60' })
})
beforeEach(async () => {
  await harness.reset()
  codes = await codesOn(harness)
})

const notValid = [{ code: 'TOKEN_NOT_VALID', path: ['input', 'code'] }]
const sessions = (userId: string) => harness.app.database.prisma.session.count({ where: { userId, connection: 'acme' } })

test('C3.25: a code is traded for a session once', async () => {
  const { code, pkce, userId } = await codes.toSignIn()

  expect(await exchange(harness, code, pkce.verifier)).toMatchObject({ user: { id: userId }, tokens: {}, errors: [] })
  expect(await exchange(harness, code, pkce.verifier)).toEqual({ user: null, tokens: null, errors: notValid })
  expect(await sessions(userId)).toBe(1)
  expect(await harness.app.database.prisma.user.findUnique({ where: { id: userId } })).toMatchObject({ signInCount: 1 })
  const events = await harness.app.database.prisma.auditEvent.findMany({ where: { type: 'user.signedIn' } })
  expect(events).toMatchObject([{ userId, actorKind: 'USER', actorId: userId, connection: 'acme', success: true }])
})

test('C7.78: who has another verifier is refused, and the code is void then', async () => {
  const { code, pkce, userId } = await codes.toSignIn()

  expect((await exchange(harness, code, newPkce().verifier)).errors).toEqual(notValid)
  expect((await exchange(harness, code, pkce.verifier)).errors).toEqual(notValid)
  expect(await sessions(userId)).toBe(0)
  expect((await historyOf(harness, userId))[0]).toBe('user.signInFailed failed')
})

test.each(['', 'a'.repeat(42), 'a'.repeat(129), `${'a'.repeat(42)} `])('RFC 7636 §4.1: %j is no verifier', async (verifier) => {
  const { code } = await codes.toSignIn()

  expect((await exchange(harness, code, verifier)).errors).toEqual(notValid)
})

test.each(['', 'a', 'é'.repeat(43), 'a'.repeat(5000)])('%j is no code', async (code) => {
  expect((await exchange(harness, code, newPkce().verifier)).errors).toEqual(notValid)
})

test('a code is good for 60 seconds', async () => {
  const [in59, in61] = [await codes.toSignIn(), await codes.toSignIn()]
  harness.clock.advance({ seconds: 59 })
  expect((await exchange(harness, in59.code, in59.pkce.verifier)).errors).toEqual([])
  harness.clock.advance({ seconds: 2 })

  expect((await exchange(harness, in61.code, in61.pkce.verifier)).errors).toEqual([{ code: 'TOKEN_EXPIRED', path: ['input', 'code'] }])
})

describe('what happened meanwhile counts:', () => {
  const refused = async (meanwhile: (code: Awaited<ReturnType<Codes['toSignIn']>>) => Promise<unknown>): Promise<unknown> => {
    const code = await codes.toSignIn()
    await meanwhile(code)
    const { tokens, errors } = await exchange(harness, code.code, code.pkce.verifier)
    expect([tokens, await sessions(code.userId)]).toEqual([null, 0])
    return errors.map((error) => error.code)
  }
  const done = (mutation: string) => harness.admin(`mutation { ${mutation} { errors { message } } }`)

  test('C5.60: the user was blocked', async () => {
    expect(await refused(({ userId }) => done(`blockUser(input: { id: "${userId}" })`))).toEqual(['INVALID_CREDENTIALS'])
  })

  test.each(['SOFT', 'ANONYMIZE', 'HARD'])('C5.60: the user was deleted: %s', async (mode) => {
    const answer = await refused(({ userId }) => done(`deleteUser(input: { id: "${userId}", mode: ${mode} })`))
    expect(['INVALID_CREDENTIALS', 'TOKEN_NOT_VALID']).toContain(String(answer))
  })

  test('the connection was disabled', async () => {
    expect(await refused(() => setConnection(harness, codes.connectionId, { enabled: false }))).toEqual(['CONNECTION_NOT_FOUND'])
  })

  test('the account was unlinked', async () => {
    expect(await refused(({ identityId }) => done(`unlinkIdentity(input: { id: "${identityId}", force: true })`))).toEqual([
      'TOKEN_NOT_VALID',
    ])
  })
})

test('C3.30: a code that links is no code that signs in', async () => {
  const { code, pkce } = await codes.toLink()

  expect((await exchange(harness, code, pkce.verifier)).errors).toEqual(notValid)
})

test('C5.54: of a code only its hash is kept, and the account that it links is sealed', async () => {
  const [one, two] = [await codes.toSignIn(), await codes.toLink()]
  const rows = await harness.app.database.prisma.authorizationCode.findMany()

  const kept = JSON.stringify(rows.map((row) => ({ ...row, codeHash: Buffer.from(row.codeHash).toString('latin1') })))
  for (const secret of [one.code, two.code, 'ada@example.com', two.subject]) expect(kept).not.toContain(secret)
  expect(rows).toHaveLength(2)
})

test('C8.92, L9: one operation tries one code', async () => {
  const tries =
    'a: exchangeCode(input: { code: "a", codeVerifier: "b" }) { errors { code } } b: exchangeCode(input: { code: "a", codeVerifier: "b" }) { errors { code } }'

  expect((await harness.run(`mutation { ${tries} }`)).errors).toHaveLength(1)
})
