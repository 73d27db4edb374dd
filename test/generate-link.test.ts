import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { boot, type Harness } from './harness.ts'
import { call, codes } from './links.ts'
import { lastMailTo, mailsTo } from './mails.ts'

const email = 'ada@example.com'
const redirect = 'https://app.example.com/welcome'

let harness: Harness
let token: string

beforeAll(async () => {
  harness = await boot({ ALLOWED_REDIRECTS: redirect, RATE_LIMITS: 'mail.network=1000/60, verify.network=1000/60' })
})
beforeEach(async () => {
  await harness.reset()
  token = await harness.adminToken('create:user_tickets', 'create:users', 'read:users')
})

const generate = (input: object) => call(harness, 'generateLink', { email, ...input }, { token })
const verify = (input: object) => call(harness, 'verifyToken', input)

describe('a generated link', () => {
  test('of each type that signs in does so by token or by code, and nothing is sent', async () => {
    const { id } = await harness.aUser({ email })
    for (const type of ['SIGNUP', 'INVITE', 'MAGIC_LINK', 'RECOVERY']) {
      const { link, errors } = await generate({ type, redirectTo: redirect })
      expect(errors).toEqual([])
      const url = new URL(link?.['actionLink'] ?? '')
      expect(url.origin + url.pathname).toBe(`${harness.app.authentication.links.publicUrl}/auth/verify`)
      expect(Object.fromEntries(url.searchParams)).toEqual({ token: link?.['hashedToken'], type, redirect_to: redirect })
      expect(link).toMatchObject({ verificationType: type, redirectTo: redirect })
      expect((await verify({ type, tokenHash: link?.['hashedToken'] })).tokens).not.toBeNull()

      const again = await generate({ type })
      expect((await verify({ type, email, code: again.link?.['emailOtp'] })).user).toMatchObject({ id })
    }
    expect(await mailsTo(harness.app)).toEqual([])
  })

  test('of the two types of a change of the address changes it', async () => {
    const { id } = await harness.aUser({ email, emailVerified: true })
    for (const type of ['EMAIL_CHANGE_CURRENT', 'EMAIL_CHANGE_NEW']) {
      const { link } = await generate({ type, newEmail: 'new@example.com' })
      expect(codes(await verify({ type, tokenHash: link?.['hashedToken'] }))).toEqual([])
    }

    expect(await harness.app.database.prisma.user.findUniqueOrThrow({ where: { id } })).toMatchObject({
      email: 'new@example.com',
      emailVerified: true,
    })
  })

  test('of the current address alone never sets one that nobody has shown to be his', async () => {
    for (const emailVerified of [true, false]) {
      await harness.reset()
      token = await harness.adminToken('create:user_tickets')
      const { id } = await harness.aUser({ email, emailVerified })
      const { link } = await generate({ type: 'EMAIL_CHANGE_CURRENT', newEmail: 'new@example.com' })

      await verify({ type: 'EMAIL_CHANGE_CURRENT', tokenHash: link?.['hashedToken'] })

      expect(await harness.app.database.prisma.user.findUniqueOrThrow({ where: { id } })).toMatchObject({ email })
    }
  })

  test('works as long as is said, its code for ten minutes at the most (C3.26)', async () => {
    await harness.aUser({ email })
    const { link } = await generate({ type: 'RECOVERY', expiresIn: 'P2D' })
    expect(Date.parse(link?.['expiresAt'] ?? '') - harness.clock.now().getTime()).toBeCloseTo(172_800_000, -4)
    harness.clock.advance({ minutes: 10, seconds: 1 })

    expect(codes(await verify({ type: 'RECOVERY', email, code: link?.['emailOtp'] }))).toEqual(['TOKEN_EXPIRED'])
    expect(codes(await verify({ type: 'RECOVERY', tokenHash: link?.['hashedToken'], newPassword: 'the second pass phrase' }))).toEqual([])
    for (const expiresIn of ['PT59S', 'P31D'])
      expect((await generate({ type: 'RECOVERY', expiresIn })).errors).toEqual([{ code: 'INVALID_INPUT', path: ['input', 'expiresIn'] }])
  })

  test('for an unknown address is an error, or makes the user', async () => {
    expect((await generate({ type: 'MAGIC_LINK' })).errors).toEqual([{ code: 'USER_NOT_FOUND', path: ['input', 'email'] }])
    const made = await generate({ type: 'SIGNUP', ifMissing: 'CREATE', password: 'a pass phrase of hers', userMetadata: { a: 1 } })
    expect(made.errors).toEqual([])
    expect(
      await harness.app.database.prisma.user.findUniqueOrThrow({
        where: { id: made.user?.id ?? '' },
        include: { passwordCredential: true },
      }),
    ).toMatchObject({ email, userMetadata: { a: 1 }, passwordCredential: {} })

    expect((await generate({ type: 'SIGNUP', ifMissing: 'CREATE', password: 'another pass phrase' })).errors).toEqual([
      { code: 'INVALID_INPUT', path: ['input', 'password'] },
    ])
    const change = { type: 'EMAIL_CHANGE_NEW', email: 'nobody@example.com', newEmail: 'x@example.com', ifMissing: 'CREATE' }
    expect(codes(await generate(change))).toEqual(['USER_NOT_FOUND'])
  })

  test('needs a new address for a change of it and for nothing else, an allowed redirect, and is none for a reauthentication', async () => {
    await harness.aUser({ email })
    const pathOf = async (input: object) => (await generate(input)).errors.map(({ code, path }) => `${code} ${path.at(-1)}`)

    expect(await pathOf({ type: 'EMAIL_CHANGE_NEW' })).toEqual(['INVALID_INPUT newEmail'])
    expect(await pathOf({ type: 'SIGNUP', newEmail: 'new@example.com' })).toEqual(['INVALID_INPUT newEmail'])
    expect(await pathOf({ type: 'REAUTHENTICATION' })).toEqual(['INVALID_INPUT type'])
    expect(await pathOf({ type: 'SIGNUP', redirectTo: 'https://evil.example' })).toEqual(['REDIRECT_NOT_ALLOWED redirectTo'])
  })

  test('lifts no block', async () => {
    const { id } = await harness.aUser({ email })
    await harness.admin('mutation($id: ID!) { blockUser(input: { id: $id }) { errors { code } } }', { id })
    const { link } = await generate({ type: 'RECOVERY' })

    expect(codes(await verify({ type: 'RECOVERY', tokenHash: link?.['hashedToken'], newPassword: 'the second pass phrase' }))).toEqual([
      'TOKEN_NOT_VALID',
    ])
    expect(await harness.app.database.prisma.user.findUniqueOrThrow({ where: { id } })).toMatchObject({ blockedAt: expect.any(Date) })
  })
})

describe('a reset', () => {
  test('sets the password, ends all sessions and other links, and starts a session (C5.61)', async () => {
    const { id, token: before } = await harness.aUser({ email, emailVerified: true, password: 'the first pass phrase' })
    await call(harness, 'requestSignIn', { email })
    const magic = await lastMailTo(harness.app, email)
    await call(harness, 'requestPasswordReset', { email })
    const mail = await lastMailTo(harness.app, email)
    expect(mail.template).toBe('RESET_PASSWORD')
    expect(codes(await verify({ type: 'RECOVERY', tokenHash: mail.token, newPassword: 'short' }))).toEqual(['WEAK_PASSWORD'])

    const { tokens } = await verify({ type: 'RECOVERY', email, code: mail.code, newPassword: 'the second pass phrase' })

    expect((await harness.run('{ me { id } }', { token: before })).status).toBe(401)
    expect((await harness.run('{ me { id } }', { token: tokens?.accessToken ?? null })).data).toEqual({ me: { id } })
    expect(codes(await verify({ type: 'MAGIC_LINK', tokenHash: magic.token }))).toEqual(['TOKEN_NOT_VALID'])
    expect(await lastMailTo(harness.app, email)).toMatchObject({ template: 'PASSWORD_CHANGED' })
  })
})

describe('an invitation', () => {
  test('makes the user, is sent again while it is not accepted, and needs the scopes that its input says', async () => {
    const invite = (input: object, as = token) => call(harness, 'inviteUser', { email, ...input }, { token: as })
    const { user } = await invite({ userMetadata: { a: 1 } })
    const first = await lastMailTo(harness.app, email)
    expect((await invite({})).user).toMatchObject({ id: user?.id, status: 'INVITED' })
    const second = await lastMailTo(harness.app, email)

    expect(codes(await verify({ type: 'INVITE', tokenHash: first.token }))).toEqual(['TOKEN_NOT_VALID'])
    expect((await verify({ type: 'INVITE', tokenHash: second.token, newPassword: 'a pass phrase of hers' })).user).toMatchObject({
      status: 'ACTIVE',
      emailVerified: true,
    })
    expect(codes(await invite({}))).toEqual(['EMAIL_TAKEN'])
    await expect(invite({ appMetadata: {} })).rejects.toThrow('FORBIDDEN')
    await expect(invite({}, await harness.adminToken('read:users'))).rejects.toThrow('FORBIDDEN')
  })
})

describe('the mail that verifies an address', () => {
  test('is sent once more to oneself, and by an administrator to whom he names', async () => {
    const person = await harness.aUser({ email })
    const send = (input: object, as: string | null) => call(harness, 'sendVerification', input, { token: as })
    expect(codes(await send({}, person.token))).toEqual([])
    expect(codes(await send({ email }, token))).toEqual([])
    expect(codes(await send({ id: person.id }, token))).toEqual([])
    expect(await mailsTo(harness.app, email)).toHaveLength(3)
    await expect(send({ email }, person.token)).rejects.toThrow('FORBIDDEN')
    await expect(send({ email }, null)).rejects.toThrow('UNAUTHENTICATED')
    expect(codes(await send({ email: 'nobody@example.com' }, token))).toEqual(['USER_NOT_FOUND'])

    const { user } = await verify({ type: 'SIGNUP', tokenHash: (await lastMailTo(harness.app, email)).token })

    expect(user).toMatchObject({ emailVerified: true })
    expect(codes(await send({}, person.token))).toEqual(['INVALID_INPUT'])
  })
})
