import { spawn } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import type { MailMessage } from '../../src/ports/mailer.ts'
import type { Harness } from '../harness.ts'
import { linkIn } from '../mail.ts'
import { type Peer, startPeer } from '../oidc-peer.ts'
import { bootReachable, connect } from '../provider-flow.ts'
import { chromiumOptions, chromiumPath, hasChromium } from '../setup/chromium.ts'

/** How each page looked. */
const screenshots = join(tmpdir(), 'roster-frontend')
const password = 'a long pass phrase'

describe.skipIf(!hasChromium)('the example frontend', { timeout: 120_000 }, () => {
  let harness: Harness
  let browser: Browser

  beforeAll(async () => {
    // Another site than the providers and the application are on.
    harness = await bootReachable({}, {}, 'localhost')
    browser = await chromium.launch({ executablePath: chromiumPath, args: chromiumOptions })
  })
  afterAll(() => browser.close())

  /** Serves the example as its first line says, and answers where. */
  async function serveExample(): Promise<string> {
    const child = spawn(process.execPath, ['examples/frontend/serve.mjs'], { env: { PORT: '0' } })
    onTestFinished(() => void child.kill())
    const [line] = await new Promise<string[]>((resolve) => child.stdout.once('data', (chunk) => resolve([String(chunk).trim()])))
    return (line ?? '').replace('localhost', '127.0.0.1')
  }

  /** Opens it in a device of its own. */
  async function open(url: string, userAgent?: string): Promise<Readonly<{ context: BrowserContext; page: Page; problems: string[] }>> {
    const context = await browser.newContext({ viewport: { width: 1000, height: 760 }, ...(userAgent ? { userAgent } : {}) })
    const page = await context.newPage()
    page.setDefaultTimeout(20_000)
    const problems: string[] = []
    page.on('pageerror', ({ message }) => problems.push(message))
    await page.goto(`${url}/?server=${harness.app.accessTokens.issuer}`)
    return { context, page, problems }
  }

  const picture = (page: Page, name: string) => page.screenshot({ path: join(screenshots, `${name}.png`) })
  const notice = (page: Page) => page.getByRole('status').textContent()

  /** Opens the link of the latest mail, and presses its button. */
  async function followMail(page: Page): Promise<void> {
    const mail = (await harness.mails()).at(-1) as MailMessage
    await page.goto(linkIn(mail))
    await page.getByRole('button').click()
  }

  async function signIn(page: Page, withPassword = password): Promise<void> {
    const form = page.locator('#sign-in')
    await form.getByLabel('E-mail').fill('ada@example.com')
    await form.getByLabel('Password').fill(withPassword)
    await form.getByRole('button').click()
  }

  test('takes a person from signing up to signing out', async () => {
    await harness.reset()
    const { page, context, problems } = await open(await serveExample())
    const form = page.locator('#sign-up')

    await form.getByLabel('Name').fill('Ada Lovelace')
    await form.getByLabel('E-mail').fill('ada@example.com')
    await form.getByLabel('Password').fill('password')
    await form.getByRole('button').click()
    await form.getByRole('alert').waitFor()
    await picture(page, 'a weak password')

    await form.getByLabel('Password').fill(password)
    await form.getByRole('button').click()
    await expect.poll(() => notice(page)).toContain('We have sent a mail to ada@example.com')
    await picture(page, 'signed up')

    await followMail(page)
    await page.locator('#who').waitFor()
    expect(await page.locator('#who').textContent()).toBe('ada@example.com')
    expect(page.url()).not.toContain('access_token')
    await picture(page, 'signed in')

    await page.locator('#account').getByLabel('Theme').selectOption('dark')
    await page.locator('#account').getByRole('button').click()
    await expect.poll(() => notice(page)).toBe('Saved.')
    await page.reload()
    await page.locator('#who').waitFor()
    expect(await page.locator('#account').getByLabel('Theme').inputValue()).toBe('dark')
    expect(await page.locator('#account').getByLabel('Name').inputValue()).toBe('Ada Lovelace')

    await page.getByRole('button', { name: 'Here', exact: true }).click()
    await page.locator('#sign-in').waitFor()
    await page.reload()
    await page.locator('#sign-in').waitFor()
    await signIn(page, 'not the pass phrase')
    await page.locator('#sign-in').getByRole('alert').waitFor()
    await picture(page, 'a wrong password')
    await signIn(page)
    await page.locator('#who').waitFor()
    expect(problems).toEqual([])
    await context.close()
  })

  test('shows where a person is signed in, and ends what is elsewhere', async () => {
    await harness.reset()
    const { id } = await harness.aUser({ email: 'ada@example.com', emailVerified: true, password })
    await harness.app.database.prisma.session.deleteMany({ where: { userId: id } })
    const url = await serveExample()
    const phone =
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1'
    const [here, there] = [await open(url), await open(url, phone)]
    await signIn(there.page)
    await there.page.locator('#who').waitFor()
    await signIn(here.page)

    const sessions = here.page.locator('#sessions li')
    await expect.poll(() => sessions.count()).toBe(2)
    expect(await sessions.allTextContents()).toEqual([expect.stringContaining('this one'), expect.stringContaining('Safari')])
    await picture(here.page, 'two sessions')
    await here.page.getByRole('button', { name: 'End', exact: true }).click()
    await expect.poll(() => sessions.count()).toBe(1)
    await there.page.reload()
    await there.page.locator('#sign-in').waitFor()

    await here.page.locator('#sign-out').getByRole('button', { name: 'Everywhere', exact: true }).click()
    await here.page.locator('#sign-in').waitFor()
    expect([...here.problems, ...there.problems]).toEqual([])
    await Promise.all([here.context.close(), there.context.close()])
  })

  test('signs in by a link, without the password', async () => {
    await harness.reset()
    await harness.aUser({ email: 'ada@example.com', emailVerified: true })
    const { page, context, problems } = await open(await serveExample())
    const form = page.locator('#link')
    await form.getByLabel('E-mail').fill('ada@example.com')
    await form.getByRole('button', { name: 'Mail me a link' }).click()
    await expect.poll(() => notice(page)).toContain('a mail is on its way')

    await followMail(page)
    await page.locator('#who').waitFor()
    expect(problems).toEqual([])
    await context.close()
  })

  describe('with providers', () => {
    let peers: Peer[] = []

    beforeEach(async () => {
      await harness.reset()
      const keys = ['acme', 'globex']
      peers = await Promise.all(
        keys.map((key) => startPeer({ redirectUris: [`${harness.app.accessTokens.issuer}/auth/callback/${key}`], name: key })),
      )
      for (const [index, peer] of peers.entries()) {
        peer.people.set('ada', { email: 'ada@example.com', email_verified: true, name: 'Ada Lovelace' })
        await connect(harness, peer, keys[index] ?? '', { displayName: ['Acme', 'Globex'][index] })
      }
    })
    afterEach(() => Promise.all(peers.map((peer) => peer.stop())))

    /** On the provider's own page. */
    async function logIn(page: Page, login: string): Promise<void> {
      await page.getByPlaceholder('Enter any login').fill(login)
      await page.getByPlaceholder('and password').fill('any')
      await picture(page, 'at the provider')
      await page.getByRole('button', { name: 'Sign-in' }).click()
    }

    test('signs in by one, links another and unlinks it', async () => {
      const { page, context, problems } = await open(await serveExample())
      await page.getByRole('button', { name: 'Sign in with Acme' }).waitFor()
      await picture(page, 'with providers')

      await page.getByRole('button', { name: 'Sign in with Acme' }).click()
      await logIn(page, 'ada')
      await page.locator('#who').waitFor()
      expect(await page.locator('#who').textContent()).toBe('ada@example.com')
      expect(await page.locator('#account').getByLabel('Name').inputValue()).toBe('Ada Lovelace')
      expect(page.url()).not.toMatch(/code|state/)

      await page.getByRole('button', { name: 'Link Globex' }).click()
      await logIn(page, 'countess')
      await expect.poll(() => notice(page)).toBe('Linked.')
      const accounts = page.locator('#identities li')
      expect((await accounts.allTextContents()).sort()).toEqual(['Acmeada@example.comUnlink', 'GlobexUnlink'])
      await picture(page, 'linked accounts')

      await accounts.filter({ hasText: 'Globex' }).getByRole('button').click()
      await expect.poll(() => notice(page)).toBe('Unlinked.')
      await expect.poll(() => accounts.count()).toBe(1)
      await page.reload()
      await page.locator('#who').waitFor()
      expect(problems).toEqual([])
      await context.close()
    })

    test('says so when somebody cancels there', async () => {
      const { page, context, problems } = await open(await serveExample())
      await page.getByRole('button', { name: 'Sign in with Globex' }).click()
      await page.getByRole('link', { name: 'Cancel' }).click()

      await expect.poll(() => notice(page)).toBe('The provider let nobody in.')
      expect(page.url()).not.toContain('error')
      expect(problems).toEqual([])
      await context.close()
    })
  })
})
