import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, chromium, type Locator, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { emptyDatabase, testDatabase } from '../database.ts'
import { boot, type Harness } from '../harness.ts'
import { chromiumOptions, chromiumPath, hasChromium } from '../setup/chromium.ts'

/** How GraphiQL looked at the end of each test. */
const screenshots = join(tmpdir(), 'roster-graphiql')

const patience = { timeout: 20_000 }

describe.skipIf(!hasChromium)('GraphiQL, in development mode', { timeout: 60_000 }, () => {
  let harness: Harness
  let browser: Browser
  let page: Page
  /** What the page asked of others than this server, and what it complained about. */
  let surprises: string[]

  beforeAll(async () => {
    await emptyDatabase(await testDatabase())
    harness = await boot()
    await harness.aUser({ email: 'ada@example.com', profile: { name: 'Ada Lovelace' }, userMetadata: { theme: 'dark' } })
    await harness.aUser({ email: 'grace@example.com', profile: { name: 'Grace Hopper' } })
    browser = await chromium.launch({ executablePath: chromiumPath, args: chromiumOptions })
  })
  afterAll(() => browser.close())

  beforeEach(async () => {
    surprises = []
    page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
    page.setDefaultTimeout(patience.timeout)
    page.on('request', (request) => {
      if (!isOwn(request.url())) surprises.push(request.url())
    })
    page.on('pageerror', (error) => surprises.push(error.message))
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) surprises.push(message.text())
    })
    await page.goto(harness.url)
    await page.locator('.graphiql-query-editor .view-line').first().waitFor()
  })
  afterEach(async ({ task }) => {
    await page.screenshot({ path: join(screenshots, `${task.name}.png`) })
    await page.close()
    expect(surprises).toEqual([])
  })

  function isOwn(url: string): boolean {
    return url.startsWith('data:') || new URL(url.replace(/^blob:/, '')).origin === harness.url
  }

  const operation = () => page.locator('.graphiql-query-editor')
  const tools = () => page.locator('.graphiql-editor-tool')
  const response = () => page.locator('.graphiql-response')
  /** Waits until the editor shows the text; what it shows has line breaks and spaces of its own. */
  async function shows(editor: Locator, text: string): Promise<void> {
    await expect.poll(async () => plain(await editor.textContent()), patience).toContain(plain(text))
  }

  async function openTab(name: string): Promise<void> {
    await page.getByRole('tab').getByText(name, { exact: true }).click()
    await shows(operation(), name)
  }

  /** Presses the button until the answer is there: for a moment after a change of tabs GraphiQL looks for the operation before. */
  async function run(answer: string): Promise<void> {
    const press = async () => {
      await page.getByRole('button', { name: /^Execute query/ }).click()
      return plain(await response().textContent())
    }
    await expect.poll(press, { ...patience, interval: 1000 }).toContain(plain(answer))
  }

  test('it opens at the address of the server, with the admin token in its headers', async () => {
    expect(page.url()).toBe(`${harness.url}/graphql`)
    expect(await page.title()).toBe('Roster')
    await shows(tools(), JSON.stringify({ Authorization: `Bearer ${harness.app.developmentToken?.token}` }))
  })

  test('it has examples in tabs, and they run as they stand', async () => {
    expect(await page.getByRole('tab').allInnerTexts()).toEqual([
      'Welcome',
      'ListUsers',
      'CreateUser',
      'UpdateMetadata',
      'Block',
      'UserWithHistory',
    ])
    await run(`"version": "${harness.app.version}"`)

    await openTab('ListUsers')
    await run('"email": "grace@example.com", "status": "ACTIVE", "profile": { "name": "Grace Hopper" }')
    await shows(response(), '"totalCount": 2')
    await shows(response(), '"email": "ada@example.com"')

    await openTab('UserWithHistory')
    await run('"type": "user.created"')
  })

  test('a query that is typed is completed from the schema, run, and answered', async () => {
    await page.getByRole('button', { name: 'New tab' }).click()
    await page.getByRole('tab', { selected: true }).getByText('<untitled>').waitFor()
    await operation().locator('.monaco-editor').click()
    await page.keyboard.type('{ users(where: { name: { startsWith: "ada" } }) { nodes { userM')
    // Which one the Enter key takes changes while the list is being made.
    await page.getByRole('option', { name: 'userMetadata' }).click()
    await shows(operation(), '{ users(where: { name: { startsWith: "ada" } }) { nodes { userMetadata } } }')
    await page.keyboard.press('Control+Enter')

    await shows(response(), '{ "data": { "users": { "nodes": [{ "userMetadata": { "theme": "dark" } }] } } }')
  })

  test('its documentation is that of the graph', async () => {
    await page.getByRole('button', { name: 'Show Documentation Explorer' }).click()
    await page.getByRole('link', { name: 'Mutation', exact: true }).click()

    await page.getByText('Blocks a user, until a time').waitFor()
  })
})

/** Without white space, which editors show as they like. */
function plain(text: string | null): string {
  return (text ?? '').replace(/\s/g, '')
}
