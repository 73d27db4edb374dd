import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { MailTemplate } from '../src/domain/mail.ts'
import { boot, type Harness } from './harness.ts'
import { noticeMail, queueMails, signInMail } from './mail.ts'
import { chromiumOptions, chromiumPath, hasChromium } from './setup/chromium.ts'

let harness: Harness

beforeAll(async () => {
  harness = await boot()
})
beforeEach(() => harness.reset())

async function get(path: string, url = harness.url) {
  const response = await fetch(url + path)
  return { status: response.status, headers: response.headers, text: await response.text() }
}

describe('GET /mailbox', () => {
  test('shows what was sent, the newest first', async () => {
    expect((await get('/mailbox')).text).toContain('Nothing was sent yet.')
    await queueMails(harness, noticeMail('ada@example.com'), signInMail('grace@example.com'))
    await harness.mails()

    const { status, text } = await get('/mailbox')

    expect(status).toBe(200)
    expect([...text.matchAll(/<b>(.*?)<\/b><span>(.*?)<\/span>/g)].map(([, ...found]) => found)).toEqual([
      ['Sign in to Roster', 'grace@example.com'],
      ['Your password for Roster was changed', 'ada@example.com'],
    ])
  })

  test('with an id shows the mail, as HTML in a frame of its own and as text', async () => {
    await queueMails(harness, signInMail('ada@example.com'))
    const [mail] = await harness.mails()

    const { status, text } = await get(`/mailbox?id=${mail?.id}`)

    expect(status).toBe(200)
    expect(text).toContain(
      '<iframe title="The mail as HTML" sandbox="allow-popups allow-popups-to-escape-sandbox" srcdoc="&lt;!doctype html',
    )
    expect(text).toContain('<a href="https://users.example.com/auth/verify?token=t1" target="_blank" rel="noopener">')
  })

  test('may run no script, load nothing of ours, and be framed by nobody', async () => {
    const { headers } = await get('/mailbox')

    expect(headers.get('content-security-policy')).toBe(
      "default-src 'none'; style-src 'unsafe-inline'; img-src data: https:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    )
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
  })

  test.each(['?id=', '?id=../secret', '?id=0193a0c0-0000-7000-8000-000000000001'])('%s is 404', async (query) => {
    expect((await get(`/mailbox${query}`)).status).toBe(404)
  })

  test('is 404 in production, where mail is sent, and where only the public is served', async () => {
    const production = await boot({ NODE_ENV: 'production', PUBLIC_URL: 'https://users.example.com' })
    const sending = await boot({ SMTP_URL: 'smtp://127.0.0.1:1' })
    const open = await boot({}, { graph: 'public' })

    for (const { url } of [production, sending, open]) expect((await get('/mailbox', url)).status).toBe(404)
  })
})

describe.skipIf(!hasChromium)('the mailbox in a browser', { timeout: 60_000 }, () => {
  const screenshots = join(tmpdir(), 'roster-mailbox')
  let browser: Browser
  let page: Page
  let complaints: string[]

  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: chromiumPath,
      args: chromiumOptions,
    })
  })
  afterAll(() => browser.close())
  beforeEach(async () => {
    complaints = []
    const context = await browser.newContext({ javaScriptEnabled: false, viewport: { width: 900, height: 1200 } })
    page = await context.newPage()
    page.on('console', (message) => complaints.push(message.text()))
    return () => context.close()
  })

  test('opens without JavaScript, and the button in a mail leads where it should', async () => {
    const link = `${harness.url}/health/live?token=t1`
    await queueMails(harness, noticeMail('ada@example.com'), {
      template: 'CONFIRM_SIGN_UP',
      to: 'ada@example.com',
      data: { link, code: '482913', expiresInMinutes: 60 },
    })
    await harness.mails()

    await page.goto(`${harness.url}/mailbox`)
    await page.screenshot({ path: join(screenshots, 'list.png') })
    await page.getByRole('link', { name: 'Confirm your e-mail address for Roster' }).click()
    const frame = page.frameLocator('iframe')
    await frame.getByText('482913').waitFor()
    await page.screenshot({ path: join(screenshots, 'mail.png'), fullPage: true })
    const opened = page.context().waitForEvent('page')
    await frame.getByRole('link', { name: 'Confirm e-mail address' }).click()
    const target = await opened
    await target.waitForLoadState()

    expect(target.url()).toBe(link)
    expect(await target.textContent('body')).toContain('ok')
    expect(complaints).toEqual([])
  })

  test('runs nothing that a mail brings', async () => {
    const scripting = await browser.newPage()
    const template: MailTemplate = 'PASSWORD_CHANGED'
    const evil = { template, to: 'ada@example.com', data: {} } as const
    await queueMails(harness, evil)
    const [mail] = await harness.mails()
    const html = '<head></head><script>parent.document.title = "run"</script><img src=x onerror="top.location = \'/graphql\'"><p>Here</p>'
    if (mail !== undefined) await harness.app.mailer?.send({ ...mail, html, subject: '<script>document.title = "run"</script>' })

    await scripting.goto(`${harness.url}/mailbox?id=${mail?.id}`)
    await scripting.frameLocator('iframe').getByText('Here').waitFor()

    expect(await scripting.title()).toBe('Mailbox - Roster')
    expect(scripting.url()).toContain('/mailbox?id=')
    await scripting.close()
  })
})
