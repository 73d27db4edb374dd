import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { statementCount, statements } from './database.ts'
import { boot, type Harness } from './harness.ts'
import { call, codes } from './links.ts'
import { lastMailTo, mailsTo } from './mails.ts'

const redirect = 'https://app.example.com/welcome'
const email = 'ada@example.com'

let harness: Harness

beforeAll(async () => {
  harness = await boot({ ALLOWED_REDIRECTS: redirect, RATE_LIMITS: 'mail.network=1000/60, verify.network=1000/60' })
})
beforeEach(() => harness.reset())

const ask = (input: object, asked?: object) => call(harness, 'requestSignIn', input, asked)
const verify = (input: object) => call(harness, 'verifyToken', input)
const eventsOf = async (userId: string) => {
  const where = { userId }
  const events = await harness.app.database.prisma.auditEvent.findMany({ where, orderBy: { id: 'asc' } })
  return events.map(({ type, success }) => `${type}${success ? '' : ' failed'}`)
}

describe('a magic link', () => {
  test('signs in once, verifies the address, and is written down with where it came from', async () => {
    const { id } = await harness.aUser({ email })
    expect(await ask({ email: 'ADA@example.com' }, { headers: { 'user-agent': 'asks' } })).toEqual({ errors: [] })
    const mail = await lastMailTo(harness.app, email)
    expect(mail).toMatchObject({ template: 'SIGN_IN', data: { expiresInMinutes: 10 } })
    expect(mail.link?.pathname).toBe('/auth/verify')

    const { user, tokens, errors } = await verify({ type: 'MAGIC_LINK', tokenHash: mail.token })

    expect(errors).toEqual([])
    expect(user).toEqual({ id, email, emailVerified: true, status: 'ACTIVE' })
    const { data } = await harness.run('{ me { id signInCount } }', { token: tokens?.accessToken ?? null })
    expect(data).toEqual({ me: { id, signInCount: 1 } })
    expect(codes(await verify({ type: 'MAGIC_LINK', tokenHash: mail.token }))).toEqual(['TOKEN_NOT_VALID'])
    expect(await eventsOf(id)).toEqual(['user.created', 'user.signInRequested', 'user.signedIn', 'user.verificationFailed failed'])
    const [asked] = await harness.app.database.prisma.auditEvent.findMany({ where: { userId: id, type: 'user.signInRequested' } })
    expect(asked).toMatchObject({ ip: '127.0.0.1', userAgent: 'asks', actorKind: 'ANONYMOUS' })
  })

  test('is expired after ten minutes, and says so', async () => {
    await harness.aUser({ email })
    await ask({ email })
    const { token, code } = await lastMailTo(harness.app, email)
    harness.clock.advance({ minutes: 10, seconds: 1 })

    expect(codes(await verify({ type: 'MAGIC_LINK', tokenHash: token }))).toEqual(['TOKEN_EXPIRED'])
    expect(codes(await verify({ type: 'MAGIC_LINK', email, code }))).toEqual(['TOKEN_EXPIRED'])
    expect(codes(await verify({ type: 'MAGIC_LINK', email, code: wrong(code) }))).toEqual(['TOKEN_NOT_VALID'])
  })

  test('is good for nothing else, and for nobody else (C3.30)', async () => {
    await harness.aUser({ email })
    await harness.aUser({ email: 'grace@example.com' })
    await ask({ email })
    const { token, code } = await lastMailTo(harness.app, email)

    for (const type of ['SIGNUP', 'INVITE', 'RECOVERY', 'EMAIL_CHANGE_NEW', 'EMAIL_CHANGE_CURRENT']) {
      expect(codes(await verify({ type, tokenHash: token }))).toEqual(['TOKEN_NOT_VALID'])
      expect(codes(await verify({ type, email, code }))).toEqual(['TOKEN_NOT_VALID'])
    }
    expect(codes(await verify({ type: 'MAGIC_LINK', email: 'grace@example.com', code }))).toEqual(['TOKEN_NOT_VALID'])
    expect(codes(await verify({ type: 'MAGIC_LINK', tokenHash: token }))).toEqual([])
  })

  test('of a first request is dead after a second, and so is its code (C3.30)', async () => {
    await harness.aUser({ email })
    await ask({ email })
    const first = await lastMailTo(harness.app, email)
    await ask({ email })
    const second = await lastMailTo(harness.app, email)

    expect(codes(await verify({ type: 'MAGIC_LINK', tokenHash: first.token }))).toEqual(['TOKEN_NOT_VALID'])
    if (first.code !== second.code)
      expect(codes(await verify({ type: 'MAGIC_LINK', email, code: first.code }))).toEqual(['TOKEN_NOT_VALID'])
    expect(codes(await verify({ type: 'MAGIC_LINK', email, code: second.code }))).toEqual([])
  })

  test('is void when the address has changed, or the user is blocked or deleted since', async () => {
    for (const change of [
      'updateUser(input: { id: $id, email: "new@example.com" })',
      'blockUser(input: { id: $id })',
      'deleteUser(input: { id: $id })',
    ]) {
      await harness.reset()
      const { id } = await harness.aUser({ email })
      await ask({ email })
      const { token, code } = await lastMailTo(harness.app, email)
      await harness.admin(`mutation($id: ID!) { ${change} { errors { code } } }`, { id })

      expect(codes(await verify({ type: 'MAGIC_LINK', tokenHash: token }))).toEqual(['TOKEN_NOT_VALID'])
      expect(codes(await verify({ type: 'MAGIC_LINK', email, code }))).toEqual(['TOKEN_NOT_VALID'])
    }
  })

  test('ends a password that was set before anybody showed that the address is his', async () => {
    const { id, token: squatter } = await harness.aUser({ email, password: 'a squatter was here' })
    await ask({ email })

    await verify({ type: 'MAGIC_LINK', tokenHash: (await lastMailTo(harness.app, email)).token })

    expect(await harness.app.database.prisma.passwordCredential.count({ where: { userId: id } })).toBe(0)
    expect((await harness.run('{ me { id } }', { token: squatter })).status).toBe(401)
  })
})

describe('a code', () => {
  test('is tried five times, however many links there are for it; the link is not harmed (C3.27)', async () => {
    await harness.aUser({ email })
    await ask({ email })
    const { token, code } = await lastMailTo(harness.app, email)
    for (let count = 0; count < 5; count++) await verify({ type: 'MAGIC_LINK', email, code: wrong(code) })

    expect(codes(await verify({ type: 'MAGIC_LINK', email, code }))).toEqual(['TOKEN_NOT_VALID'])
    expect(codes(await verify({ type: 'MAGIC_LINK', tokenHash: token }))).toEqual([])
  })

  test('has a budget of tries an hour, over all codes of an address (C3.27)', async () => {
    for (let count = 0; count < 20; count++) await verify({ type: 'MAGIC_LINK', email, code: '000000' })

    const { errors } = await harness.run(
      'mutation { verifyToken(input: { type: MAGIC_LINK, email: "ada@example.com", code: "000000" }) { errors { code } } }',
    )

    expect(errors?.[0]?.extensions).toMatchObject({ code: 'RATE_LIMITED' })
  })

  test('and the token are kept as hashes only (C3.29, C5.54)', async () => {
    await harness.aUser({ email })
    await ask({ email })
    const { token, code } = await lastMailTo(harness.app, email)
    const { prisma } = harness.app.database

    const kept = JSON.stringify([
      await prisma.oneTimeToken.findMany(),
      await prisma.outboxMessage.findMany(),
      await prisma.auditEvent.findMany(),
    ])

    expect(Buffer.from(token, 'base64url')).toHaveLength(32)
    expect(code).toMatch(/^\d{6}$/)
    expect(kept).not.toContain(token)
    expect(kept).not.toContain(code)
  })
})

describe('asking for a link', () => {
  test('is answered the same for who is not known, blocked or deleted, and mails nobody (C2.20)', async () => {
    const blocked = await harness.aUser({ email: 'blocked@example.com' })
    const deleted = await harness.aUser({ email: 'deleted@example.com' })
    await harness.admin('mutation($id: ID!) { blockUser(input: { id: $id }) { errors { code } } }', { id: blocked.id })
    await harness.admin('mutation($id: ID!) { deleteUser(input: { id: $id }) { errors { code } } }', { id: deleted.id })

    for (const name of ['requestSignIn', 'requestPasswordReset'])
      for (const address of ['nobody@example.com', 'blocked@example.com', 'deleted@example.com'])
        expect(await call(harness, name, { email: address })).toEqual({ errors: [] })

    expect(await mailsTo(harness.app)).toEqual([])
    expect(await harness.app.database.prisma.oneTimeToken.count()).toBe(0)
    expect(await eventsOf(blocked.id)).toContain('user.signInRequested')
  })

  test('asks as much of the database for who is not known as for who is, so that its time tells nothing (C2.20)', async () => {
    await harness.aUser({ email })
    const blocked = await harness.aUser({ email: 'blocked@example.com' })
    await harness.admin('mutation($id: ID!) { blockUser(input: { id: $id }) { errors { code } } }', { id: blocked.id })
    for (const name of ['requestSignIn', 'requestPasswordReset']) {
      const counts: number[] = []
      for (const address of [email, 'nobody@example.com', 'blocked@example.com']) {
        statements.length = 0
        await call(harness, name, { email: address })
        counts.push(statementCount())
      }
      expect(counts[0]).toBeGreaterThan(7)
      expect(counts).toEqual(counts.map(() => counts[0]))
    }
  })

  test('costs the same budget for known and unknown: five mails an hour to an address (C2.23)', async () => {
    await harness.aUser({ email })
    for (const address of [email, 'nobody@example.com']) {
      const query = `mutation { requestSignIn(input: { email: "${address}" }) { errors { code } } }`
      for (let count = 0; count < 5; count++) expect((await harness.run(query)).errors).toBeUndefined()

      expect((await harness.run(query)).errors?.[0]?.extensions).toMatchObject({ code: 'RATE_LIMITED' })
      expect((await harness.run(query.replace('requestSignIn', 'requestPasswordReset'))).errors?.[0]?.extensions?.['code']).toBe(
        'RATE_LIMITED',
      )
    }
    expect(await mailsTo(harness.app)).toHaveLength(5)
  })

  test('makes the user when that is asked for, once', async () => {
    await Promise.all([1, 2, 3].map(() => ask({ email, createUser: true })))

    const users = await harness.app.database.prisma.user.findMany()
    expect(users).toMatchObject([{ email, emailVerified: false }])
    expect(await eventsOf(users[0]?.id ?? '')).toEqual(['user.signedUp', 'user.signInRequested', 'user.signInRequested'])
    const verified = []
    for (const { token } of await mailsTo(harness.app, email)) verified.push((await verify({ type: 'MAGIC_LINK', tokenHash: token })).user)
    expect(verified.filter((user) => user !== null)).toMatchObject([{ email, emailVerified: true }])
  })

  test('refuses what is no address, and a redirect that is not allowed, each with its path', async () => {
    expect((await ask({ email: 'nobody' })).errors).toEqual([{ code: 'INVALID_INPUT', path: ['input', 'email'] }])
    for (const redirectTo of [
      'https://evil.example',
      `${redirect}/`,
      `${redirect}?a=b`,
      `${redirect}#a`,
      'javascript:alert(1)',
      '//app.example.com/welcome',
    ])
      expect((await ask({ email, redirectTo })).errors).toEqual([{ code: 'REDIRECT_NOT_ALLOWED', path: ['input', 'redirectTo'] }])
    expect((await ask({ email, redirectTo: redirect })).errors).toEqual([])
  })
})

test('what was issued for a user who is made anonymous is erased: it holds addresses', async () => {
  const { id } = await harness.aUser({ email })
  await ask({ email })

  await harness.admin('mutation($id: ID!) { deleteUser(input: { id: $id, mode: ANONYMIZE }) { errors { code } } }', { id })

  expect(await harness.app.database.prisma.oneTimeToken.count()).toBe(0)
})

test('a proof is a token, or an address and a code', async () => {
  for (const input of [{}, { email }, { code: '123456' }, { tokenHash: 'x', email, code: '123456' }])
    expect(codes(await verify({ type: 'MAGIC_LINK', ...input }))).toEqual(['INVALID_INPUT'])
  expect(codes(await verify({ type: 'REAUTHENTICATION', email, code: '123456' }))).toEqual(['INVALID_INPUT'])
  expect(codes(await verify({ type: 'MAGIC_LINK', tokenHash: 'x', newPassword: 'a long password' }))).toEqual(['INVALID_INPUT'])
})

function wrong(code: string): string {
  return code === '000000' ? '111111' : '000000'
}
