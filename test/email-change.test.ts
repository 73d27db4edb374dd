import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { boot, type Harness, type Person } from './harness.ts'
import { call, codes } from './links.ts'
import { lastMailTo, mailsTo } from './mails.ts'

const email = 'ada@example.com'
const newEmail = 'Countess@example.com'
const password = 'the first pass phrase'

let harness: Harness
let person: Person

beforeAll(async () => {
  harness = await boot({ RATE_LIMITS: 'mail.network=1000/60, verify.network=1000/60' })
})
beforeEach(async () => {
  await harness.reset()
  person = await harness.aUser({ email, emailVerified: true, password })
})

const update = (input: object) => call(harness, 'updateUser', input, { token: person.token })
const verify = (input: object) => call(harness, 'verifyToken', input)
const address = async () => {
  const { email, emailVerified } = await harness.app.database.prisma.user.findUniqueOrThrow({ where: { id: person.id } })
  return { email, emailVerified }
}
const events = async () => {
  const rows = await harness.app.database.prisma.auditEvent.findMany({ where: { userId: person.id }, orderBy: { id: 'asc' } })
  return rows.map(({ type, success }) => `${type}${success ? '' : ' failed'}`)
}
const nonce = async () => {
  const { data } = await harness.run('mutation { requestReauthentication { errors { code } } }', { token: person.token })
  expect(data).toEqual({ requestReauthentication: { errors: [] } })
  return (await lastMailTo(harness.app, email)).code
}

describe('a change of the address by the user', () => {
  test('needs the password or a fresh code (C5.64)', async () => {
    for (const proof of [{}, { currentPassword: 'wrong' }, { nonce: '123456' }])
      expect(codes(await update({ email: newEmail, ...proof }))).toEqual(['REAUTHENTICATION_REQUIRED'])

    expect(await mailsTo(harness.app)).toEqual([])
    expect(await events()).toContain('user.reauthenticationFailed failed')
  })

  test('stands when both addresses have confirmed it, in either order, and both are told (C2.24)', async () => {
    for (const order of [
      ['EMAIL_CHANGE_CURRENT', 'EMAIL_CHANGE_NEW'],
      ['EMAIL_CHANGE_NEW', 'EMAIL_CHANGE_CURRENT'],
    ]) {
      await harness.reset()
      person = await harness.aUser({ email, emailVerified: true, password })
      const { user, errors } = await update({ email: newEmail, currentPassword: password })
      expect([errors, user?.email]).toEqual([[], email])
      const current = await lastMailTo(harness.app, email)
      const next = await lastMailTo(harness.app, newEmail)
      expect([current.template, next.template]).toEqual(['CONFIRM_EMAIL_CHANGE_CURRENT', 'CONFIRM_EMAIL_CHANGE_NEW'])
      const proofs: Record<string, object> = {
        EMAIL_CHANGE_CURRENT: { tokenHash: current.token },
        EMAIL_CHANGE_NEW: { email: 'countess@EXAMPLE.com', code: next.code },
      }

      expect(codes(await verify({ type: order[0], ...proofs[order[0] ?? ''] }))).toEqual([])
      expect(await address()).toEqual({ email, emailVerified: true })
      const { tokens, errors: none } = await verify({ type: order[1], ...proofs[order[1] ?? ''] })

      expect([none, tokens]).toEqual([[], null])
      expect(await address()).toEqual({ email: newEmail, emailVerified: true })
      for (const to of [email, newEmail]) expect(await lastMailTo(harness.app, to)).toMatchObject({ template: 'EMAIL_CHANGED' })
      expect(await events()).toEqual(['user.created', 'user.emailChangeRequested', 'user.emailChangeConfirmed', 'user.emailChanged'])
    }
  })

  test('to an address that is taken is answered the same, and mails nobody there (C2.20)', async () => {
    await harness.aUser({ email: 'grace@example.com' })

    expect((await update({ email: 'grace@example.com', currentPassword: password })).errors).toEqual([])

    expect((await mailsTo(harness.app)).map(({ to }) => to)).toEqual([email])
  })

  test('to an address that became somebody else’s is refused when it is confirmed, and nothing is used up', async () => {
    await update({ email: newEmail, currentPassword: password })
    const [current, next] = [await lastMailTo(harness.app, email), await lastMailTo(harness.app, newEmail)]
    await verify({ type: 'EMAIL_CHANGE_CURRENT', tokenHash: current.token })
    await harness.aUser({ email: newEmail })

    expect(codes(await verify({ type: 'EMAIL_CHANGE_NEW', tokenHash: next.token }))).toEqual(['EMAIL_TAKEN'])
    expect(await address()).toEqual({ email, emailVerified: true })
  })

  test('is void for a second request with another address: no half of one is a half of the other', async () => {
    await update({ email: newEmail, currentPassword: password })
    const first = await lastMailTo(harness.app, email)
    await verify({ type: 'EMAIL_CHANGE_CURRENT', tokenHash: first.token })
    await update({ email: 'third@example.com', currentPassword: password })

    const third = await lastMailTo(harness.app, 'third@example.com')
    await verify({ type: 'EMAIL_CHANGE_NEW', tokenHash: third.token })

    expect(await address()).toEqual({ email, emailVerified: true })
  })

  test('goes with other changes in one commit, and the same address needs nothing', async () => {
    expect(codes(await update({ email, userMetadata: { a: 1 } }))).toEqual([])
    expect(await mailsTo(harness.app)).toEqual([])

    await update({ email: newEmail, currentPassword: password, userMetadata: { a: 2 } })

    expect(await events()).toEqual(['user.created', 'user.updated', 'user.updated'])
    expect((await mailsTo(harness.app)).map(({ to }) => to).sort()).toEqual([newEmail, email].sort())
  })

  test('cannot take the address away, nor verify it', async () => {
    expect(await update({ email: null, currentPassword: password })).toMatchObject({
      errors: [{ code: 'INVALID_INPUT', path: ['input', 'email'] }],
    })
    const { errors } = await harness.run('mutation { updateUser(input: { emailVerified: true }) { errors { code } } }', {
      token: person.token,
    })
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', field: 'input.emailVerified' })
  })

  test('from one that nobody has verified is confirmed by the new one alone', async () => {
    await harness.reset()
    person = await harness.aUser({ email, password })
    await update({ email: newEmail, currentPassword: password })

    await verify({ type: 'EMAIL_CHANGE_NEW', tokenHash: (await lastMailTo(harness.app, newEmail)).token })

    expect(await address()).toEqual({ email: newEmail, emailVerified: true })
  })

  test('by an administrator stands at once', async () => {
    const { user } = await call(harness, 'updateUser', { id: person.id, email: newEmail }, { token: await harness.adminToken('admin') })

    expect(user).toMatchObject({ email: newEmail, emailVerified: false })
  })
})

describe('a nonce', () => {
  test('takes the place of the password once, for five minutes (C3.25, C5.64)', async () => {
    const code = await nonce()
    expect(codes(await update({ password: 'the second pass phrase', nonce: code }))).toEqual([])
    expect(await lastMailTo(harness.app, email)).toMatchObject({ template: 'PASSWORD_CHANGED' })
    expect(codes(await update({ password: 'the third pass phrase', nonce: code }))).toEqual(['REAUTHENTICATION_REQUIRED'])

    const second = await nonce()
    harness.clock.advance({ minutes: 5, seconds: 1 })
    expect(codes(await update({ password: 'the third pass phrase', nonce: second }))).toEqual(['REAUTHENTICATION_REQUIRED'])
  })

  test('is not used up by a change that fails, and is nobody else’s', async () => {
    const code = await nonce()
    const other = await harness.aUser({ email: 'grace@example.com', emailVerified: true, password })
    expect(codes(await call(harness, 'updateUser', { password: 'the second pass phrase', nonce: code }, { token: other.token }))).toEqual([
      'REAUTHENTICATION_REQUIRED',
    ])
    expect(codes(await update({ password: 'the second pass phrase', nonce: code, expectedVersion: 99 }))).toEqual(['VERSION_CONFLICT'])

    expect(codes(await update({ password: 'the second pass phrase', nonce: code }))).toEqual([])
  })

  test('is mailed to a verified address only, and to a user only', async () => {
    await harness.admin('mutation($id: ID!) { updateUser(input: { id: $id, emailVerified: false }) { errors { code } } }', {
      id: person.id,
    })
    const ask = 'mutation { requestReauthentication { errors { code } } }'
    expect((await harness.run(ask, { token: person.token })).data).toEqual({
      requestReauthentication: { errors: [{ code: 'EMAIL_NOT_VERIFIED' }] },
    })
    expect((await harness.run(ask, { token: await harness.adminToken('admin') })).errors?.[0]?.extensions?.['code']).toBe('FORBIDDEN')
    expect((await harness.run(ask)).errors?.[0]?.extensions?.['code']).toBe('UNAUTHENTICATED')
  })
})
