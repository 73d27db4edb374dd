import { expect, test } from 'vitest'
import { boot } from './harness.ts'
import { call } from './links.ts'
import { lastMailTo, mailsTo } from './mails.ts'

test('EMAIL_CHANGE_CONFIRMATION=new asks the new address alone, and tells the old one', async () => {
  const harness = await boot({ EMAIL_CHANGE_CONFIRMATION: 'new' })
  const password = 'the first pass phrase'
  const { id, token } = await harness.aUser({ email: 'ada@example.com', emailVerified: true, password })
  await call(harness, 'updateUser', { email: 'new@example.com', currentPassword: password }, { token })
  expect((await mailsTo(harness.app)).map(({ to }) => to)).toEqual(['new@example.com'])

  await call(harness, 'verifyToken', { type: 'EMAIL_CHANGE_NEW', tokenHash: (await lastMailTo(harness.app, 'new@example.com')).token })

  const user = await harness.app.database.prisma.user.findUniqueOrThrow({ where: { id } })
  expect(user).toMatchObject({ email: 'new@example.com', emailVerified: true })
  expect(await lastMailTo(harness.app, 'ada@example.com')).toMatchObject({ template: 'EMAIL_CHANGED' })
})
