import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Browser, chromium } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { boot, type Harness } from './harness.ts'
import { call, codes } from './links.ts'
import { lastMailTo } from './mails.ts'
import { chromiumOptions, chromiumPath, hasChromium } from './setup/chromium.ts'

const email = 'ada@example.com'
const redirect = 'https://app.example.com/welcome?from=mail'

let harness: Harness

beforeAll(async () => {
  const limits = 'mail.network=1000/60, verify.network=1000/60'
  harness = await boot({ ALLOWED_REDIRECTS: `${redirect}, http://127.0.0.1/landed, com.example.app:/done`, RATE_LIMITS: limits })
})
beforeEach(() => harness.reset())

/** The link of a mail, at the port this server listens on. */
const here = (link: URL | null) => `${harness.url}${link?.pathname}${link?.search}`
const press = (fields: Record<string, string>, headers: Record<string, string> = {}) =>
  fetch(`${harness.url}/auth/verify`, { method: 'POST', redirect: 'manual', headers, body: new URLSearchParams(fields) })

async function aLink(type: string, input: object = {}) {
  await harness.aUser({ email, password: 'the first pass phrase' })
  const { link } = await call(
    harness,
    'generateLink',
    { type, email, ...input },
    { token: await harness.adminToken('create:user_tickets') },
  )
  return { token: link?.['hashedToken'] ?? '', link: new URL(link?.['actionLink'] ?? '') }
}

const isUsed = async () => (await harness.app.database.prisma.oneTimeToken.findFirstOrThrow()).usedAt !== null

describe('the page of a link', () => {
  test('uses nothing up, however often a scanner opens it; its button does', async () => {
    await harness.aUser({ email })
    await call(harness, 'requestSignIn', { email, redirectTo: redirect })
    const { link, token } = await lastMailTo(harness.app, email)
    for (const method of ['GET', 'HEAD', 'GET']) expect((await fetch(here(link), { method })).status).toBe(200)
    expect(await isUsed()).toBe(false)

    const pressed = await press({ token, type: 'MAGIC_LINK', redirect_to: redirect })

    expect(pressed.status).toBe(303)
    const location = new URL(pressed.headers.get('location') ?? '')
    expect(location.href.split('#')[0]).toBe(redirect)
    const fragment = Object.fromEntries(new URLSearchParams(location.hash.slice(1)))
    expect(fragment).toMatchObject({ token_type: 'bearer', type: 'MAGIC_LINK', expires_in: '900' })
    expect((await harness.run('{ me { email } }', { token: fragment['access_token'] ?? '' })).data).toEqual({ me: { email } })
    expect((await press({ token, type: 'MAGIC_LINK' })).status).toBe(400)
  })

  test('runs no script, is not stored or framed, tells nobody where it was, and leads only where it was allowed to (C6.73)', async () => {
    const { link } = await aLink('MAGIC_LINK', { redirectTo: redirect })

    const { headers } = await fetch(here(link))

    const policy = headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).not.toContain('script-src')
    expect(policy).not.toContain('unsafe')
    expect(policy).toContain("form-action 'self' https://app.example.com;")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(headers.get('x-frame-options')).toBe('DENY')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('set-cookie')).toBeNull()
  })

  test('says whether a link is too old or not valid, and nothing more', async () => {
    const { link, token } = await aLink('RECOVERY', { expiresIn: 'PT1H' })
    const unknown = await (await fetch(here(link).replace(token, 'A'.repeat(43)))).text()
    expect(unknown).toContain('This link is not valid')
    const otherType = await fetch(here(link).replace('RECOVERY', 'SIGNUP'))
    expect([otherType.status, await otherType.text()]).toEqual([400, unknown])
    harness.clock.advance({ minutes: 61 })

    const old = await fetch(here(link))
    const pressed = await press({ token, type: 'RECOVERY', password: 'the second pass phrase' })

    expect([old.status, pressed.status]).toEqual([410, 410])
    expect(await old.text()).toContain('This link is too old')
  })

  test('redirects to no other place than the allowed ones, compared as a whole (C6.74, C7.84, C7.85)', async () => {
    const { token, link } = await aLink('MAGIC_LINK')
    for (const to of [
      'https://evil.example',
      'https://app.example.com/',
      `${redirect}&a`,
      'https://app.example.com@evil.example/',
      'javascript:alert(1)',
      '//evil.example',
      'http://127.0.0.1:80@evil.example/landed',
      'http://127.0.0.1:99/other',
    ]) {
      const opened = await fetch(`${here(link)}&redirect_to=${encodeURIComponent(to)}`)
      const pressed = await press({ token, type: 'MAGIC_LINK', redirect_to: to })
      expect([to, opened.status, pressed.status, pressed.headers.get('location')]).toEqual([to, 400, 400, null])
    }
    expect(await isUsed()).toBe(false)

    const pressed = await press({ token, type: 'MAGIC_LINK', redirect_to: 'http://127.0.0.1:50123/landed' })

    expect(pressed.headers.get('location')).toMatch(/^http:\/\/127\.0\.0\.1:50123\/landed#access_token=/)
  })

  test('goes on where the link was made for, also to an app; without a place to go it says that it is done, and starts no session', async () => {
    const first = await aLink('SIGNUP', { redirectTo: 'com.example.app:/done' })
    expect((await fetch(here(first.link))).headers.get('content-security-policy')).toContain("form-action 'self' com.example.app:;")
    expect((await press({ token: first.token, type: 'SIGNUP' })).headers.get('location')).toMatch(/^com\.example\.app:\/done#access_token=/)
    await harness.reset()
    const second = await aLink('SIGNUP')
    const sessions = await harness.app.database.prisma.session.count()

    const pressed = await press({ token: second.token, type: 'SIGNUP' })

    expect([pressed.status, await pressed.text()]).toEqual([200, expect.stringContaining('Your address is confirmed')])
    expect(await harness.app.database.prisma.session.count()).toBe(sessions)
    expect(await harness.app.database.prisma.user.findFirstOrThrow()).toMatchObject({ emailVerified: true, signInCount: 0 })
  })

  test('takes a form and nothing else, of 8 kB at most, each field once (L3, L8)', async () => {
    const { token, link } = await aLink('MAGIC_LINK')
    const fields = { token, type: 'MAGIC_LINK' }

    const asJson = await fetch(`${harness.url}/auth/verify`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(fields),
    })
    const twice = await fetch(`${harness.url}/auth/verify`, {
      method: 'POST',
      body: new URLSearchParams([...Object.entries(fields), ['type', 'SIGNUP']]),
    })

    expect(asJson.status).toBe(415)
    expect(twice.status).toBe(400)
    expect((await press({ ...fields, more: 'x'.repeat(9000) })).status).toBe(413)
    expect((await press(fields, { 'content-encoding': 'gzip' })).status).toBe(415)
    expect((await fetch(`${here(link)}&token=again`)).status).toBe(400)
    expect((await fetch(here(link), { method: 'PUT' })).status).toBe(405)
    expect(await isUsed()).toBe(false)
  })

  test.each(['', '\0', '\ud800', '__proto__', 'constructor', '%00%ff', 'REAUTHENTICATION', 'x'.repeat(3000)])(
    'answers %j in any parameter with a page, never a 5xx',
    async (hazard) => {
      for (const name of ['token', 'type', 'redirect_to']) {
        const fields = { token: 'A'.repeat(43), type: 'MAGIC_LINK', [name]: hazard }
        const opened = await fetch(`${harness.url}/auth/verify?${new URLSearchParams(fields)}`)
        const pressed = await press(fields)
        expect([opened.status, pressed.status]).toEqual([400, 400])
        expect(await opened.text()).toContain('This link is not valid')
      }
    },
  )

  test('never repeats what is in a link but for its form, escaped', async () => {
    const answer = await fetch(`${harness.url}/auth/verify?type=MAGIC_LINK&token=${encodeURIComponent('"><script>alert(1)</script>')}`)

    expect(await answer.text()).not.toContain('script')
  })
})

describe('the page that resets a password', () => {
  test('asks for one, says what is wrong with it, and ends all other sessions', async () => {
    const { id, token: before } = await harness.aUser({ email, password: 'the first pass phrase', emailVerified: true })
    await call(harness, 'requestPasswordReset', { email })
    const { token, link } = await lastMailTo(harness.app, email)
    expect(await (await fetch(here(link))).text()).toContain('autocomplete="new-password"')
    for (const [password, text] of [
      ['', 'Choose a password.'],
      ['short', 'A password has at least'],
    ]) {
      const refused = await press({ token, type: 'RECOVERY', password: password ?? '' })
      expect([refused.status, await refused.text()]).toEqual([422, expect.stringContaining(text ?? '')])
    }

    const pressed = await press({ token, type: 'RECOVERY', password: 'the second pass phrase' })

    expect([pressed.status, await pressed.text()]).toEqual([200, expect.stringContaining('Your password is set')])
    expect((await harness.run('{ me { id } }', { token: before })).status).toBe(401)
    expect(await lastMailTo(harness.app, email)).toMatchObject({ template: 'PASSWORD_CHANGED' })
    expect(await harness.app.database.prisma.auditEvent.count({ where: { userId: id, type: 'user.passwordReset' } })).toBe(1)
  })
})

describe.skipIf(!hasChromium)('in a browser', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: chromiumPath,
      args: chromiumOptions,
    })
  })
  afterAll(() => browser.close())

  test('the button works without JavaScript, and the page that it leads to has the tokens', async () => {
    const landing = createServer((_request, response) => response.end('landed')).listen(0, '127.0.0.1')
    await once(landing, 'listening')
    const { port } = landing.address() as AddressInfo
    const { link } = await aLink('RECOVERY', { redirectTo: `http://127.0.0.1:${port}/landed` })
    const page = await browser.newPage({ javaScriptEnabled: false })
    const complaints: string[] = []
    page.on('console', (message) => complaints.push(message.text()))
    await page.goto(here(link))
    await page.getByLabel('New password').fill('short')
    await page.getByRole('button', { name: 'Set the password' }).click()
    await page.getByRole('alert').waitFor()

    await page.getByLabel('New password').fill('the second pass phrase')
    await page.getByRole('button', { name: 'Set the password' }).click()
    await page.waitForURL(/landed#access_token=/)

    expect(complaints.filter((text) => /policy/i.test(text))).toEqual([])
    await page.close()
    landing.close()
  })
})

test('an invitation is accepted once, with a password, and ends (C1.13)', async () => {
  const token = await harness.adminToken('create:users', 'update:users_app_metadata', 'read:users')
  const invited = await call(harness, 'inviteUser', { email, appMetadata: { plan: 'pro' }, userMetadata: { a: 1 } }, { token })
  expect(invited.user).toMatchObject({ email, emailVerified: false, status: 'INVITED' })
  const mail = await lastMailTo(harness.app, email)
  expect(mail).toMatchObject({ template: 'INVITE', data: { expiresInMinutes: 7 * 24 * 60 } })
  harness.clock.advance({ minutes: 11 })
  expect(codes(await call(harness, 'verifyToken', { type: 'INVITE', email, code: mail.code }))).toEqual(['TOKEN_EXPIRED'])

  const pressed = await press({ token: mail.token, type: 'INVITE', password: 'a pass phrase of mine' })

  expect([pressed.status, await pressed.text()]).toEqual([200, expect.stringContaining('Your account is ready')])
  expect(await harness.app.database.prisma.user.findFirstOrThrow()).toMatchObject({
    emailVerified: true,
    invitedAt: null,
    appMetadata: { plan: 'pro' },
  })
  expect(codes(await call(harness, 'inviteUser', { email }, { token }))).toEqual(['EMAIL_TAKEN'])
})
