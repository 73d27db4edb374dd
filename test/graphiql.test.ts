import { existsSync } from 'node:fs'
import { type Browser, chromium, type Locator, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startServer, type TestServer } from './server.ts'

const executablePath = '/usr/bin/chromium'
const args = ['--no-sandbox', '--disable-gpu', '--disable-background-networking']

describe.skipIf(!existsSync(executablePath))('GraphiQL in a browser', () => {
  let browser: Browser
  let server: TestServer
  let page: Page
  const requests: string[] = []
  const complaints: string[] = []

  beforeAll(async () => {
    server = await startServer({ NODE_ENV: 'development' })
    browser = await chromium.launch({ executablePath, args })
    page = await browser.newPage({ viewport: { width: 1400, height: 900 } })
    page.on('request', (request) => requests.push(request.url()))
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(error.message))
    await page.goto(`${server.url}/`)
    await opened()
  }, 60_000)

  afterAll(async () => {
    await browser.close()
    await server.server.drain()
  })

  const opened = () => page.waitForSelector('.graphiql-editor-tool', { timeout: 30_000 })
  /** The editor writes spaces that do not break. */
  const plain = async (locator: Locator) => ((await locator.textContent()) ?? '').replaceAll('\u00a0', ' ')
  const headers = () => plain(page.locator('.graphiql-editor-tool'))
  const tab = (name: string) => page.getByRole('tab', { name })

  test('opens with example operations in tabs, and the token in the headers', async () => {
    for (const name of ['Welcome', 'ListUsers', 'CreateUser', 'UpdateMetadata', 'Block', 'UserWithHistory']) await tab(name).waitFor()
    await expect.poll(headers).toContain(`Bearer ${server.app.developmentToken?.token}`.slice(0, 40))
  })

  test('runs what is typed, as the administrator', async () => {
    await page.getByRole('button', { name: 'New tab' }).click()
    await page.locator('.graphiql-query-editor .monaco-editor').first().click()
    await page.keyboard.insertText('query Typed { caller }')
    // The tab takes the name when the editor's text has arrived where it is run from.
    await tab('Typed').waitFor()
    await page.locator('.graphiql-execute-button').click()
    await expect.poll(() => plain(page.locator('.graphiql-response')), { timeout: 5000 }).toMatch(/"kind": "application"/)
  })

  test('still has the token in every tab after the page is loaded again', async () => {
    await page.reload()
    await opened()
    await tab('ListUsers').click()
    await expect.poll(headers).toContain('Bearer ')
  })

  test('keeps the token out of what the browser stores, asks nobody else, and runs under its policy', async () => {
    expect(await page.evaluate('JSON.stringify({ ...localStorage })')).not.toContain('Bearer')
    expect(requests.filter((url) => !url.startsWith(server.url) && !/^(blob|data):/.test(url))).toEqual([])
    expect(complaints).toEqual([])
  })
})
