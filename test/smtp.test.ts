import { once } from 'node:events'
import { createServer } from 'node:net'
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { parseConfig } from '../src/config.ts'
import { retryDelayMs } from '../src/domain/outbox/retry-delay.ts'
import type { MailMessage } from '../src/ports/mailer.ts'
import { createSmtpMailer } from '../src/ports/smtp-mailer.ts'
import { boot, type Harness } from './harness.ts'
import { noticeMail, queueMails, signInMail, startSmtpServer } from './mail.ts'
import { freePort } from './server-process.ts'

const from = { name: 'Example, Inc.', address: 'no-reply@example.com' }
const id = '0193a0c0-0000-7000-8000-000000000001'
const message: MailMessage = { id, to: 'ada@example.com', subject: 'Grüße', text: 'text', html: '<p>html</p>', at: new Date(0) }

/** A mailer that ends with the test. */
function mailerTo(url: string, timeoutMs?: number) {
  const mailer = createSmtpMailer({ url, from, connections: 2, ...(timeoutMs === undefined ? {} : { timeoutMs }) })
  onTestFinished(mailer.close)
  return mailer
}

describe('over SMTP', () => {
  test('a mail has an envelope, a sender, both parts, and the id of its outbox row', async () => {
    const { url, received } = await startSmtpServer()

    await mailerTo(url).send(message)

    const [{ source = '', ...envelope } = {}] = received
    expect(envelope).toEqual({ from: 'no-reply@example.com', to: ['ada@example.com'] })
    for (const line of [
      `Message-ID: <${id}@example.com>`,
      'From: "Example, Inc." <no-reply@example.com>',
      'To: ada@example.com',
      'Date: Thu, 01 Jan 1970 00:00:00 +0000',
      'Auto-Submitted: auto-generated',
      'Content-Type: text/plain; charset=utf-8',
      'Content-Type: text/html; charset=utf-8',
    ])
      expect(source.split('\r\n')).toContain(line)
  })

  test.each([
    'ada@example.com, eve@example.com',
    'ada@example.com\r\nBcc: eve@example.com',
    'ada@example.com>\r\nRCPT TO:<eve@example.com',
    'Ada <ada@example.com>',
    '"ada eve"@example.com',
    'ada',
  ])('%j is no address: nothing is sent, now or later', async (to) => {
    const { url, received } = await startSmtpServer()

    await expect(mailerTo(url).send({ ...message, to })).rejects.toMatchObject({ name: 'MailRefusedError', code: 'ADDRESS' })
    expect(received).toEqual([])
  })

  test('a subject cannot add a header', async () => {
    const { url, received } = await startSmtpServer()

    await mailerTo(url).send({ ...message, subject: 'Hello\r\nBcc: eve@example.com\r\n\r\nbody' })

    expect(received[0]?.source).toContain('\r\nSubject: Hello Bcc: eve@example.com body\r\n')
    expect(received[0]?.to).toEqual(['ada@example.com'])
  })

  test('a name and password sign in', async () => {
    const seen: unknown[] = []
    const { url, received } = await startSmtpServer({
      authOptional: false,
      allowInsecureAuth: true,
      onAuth: ({ username, password }, _session, done) => {
        seen.push([username, password])
        done(null, { user: username })
      },
    })

    await mailerTo(url.replace('smtp://', 'smtp://ros%40ter:p%3Ass@')).send(message)

    expect(seen).toEqual([['ros@ter', 'p:ss']])
    expect(received).toHaveLength(1)
  })

  test('a recipient that is refused with 5xx is refused for good, with 4xx for now', async () => {
    for (const [responseCode, name] of [
      [550, 'MailRefusedError'],
      [451, 'Error'],
    ] as const) {
      const { url } = await startSmtpServer({
        onRcptTo: (_address, _session, done) => done(Object.assign(new Error('no'), { responseCode })),
      })

      await expect(mailerTo(url).send(message)).rejects.toMatchObject({ name })
    }
  })

  test('a sender or a password that is refused is for the operator to mend: for now', async () => {
    const refuse = Object.assign(new Error('no'), { responseCode: 550 })
    const sender = await startSmtpServer({ onMailFrom: (_address, _session, done) => done(refuse) })
    const password = await startSmtpServer({ allowInsecureAuth: true, onAuth: (_auth, _session, done) => done(new Error('no')) })

    await expect(mailerTo(sender.url).send(message)).rejects.toMatchObject({ name: 'Error', responseCode: 550 })
    await expect(mailerTo(password.url.replace('://', '://a:b@')).send(message)).rejects.toMatchObject({ name: 'Error', code: 'EAUTH' })
  })

  test('a server that says nothing is left in time', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    onTestFinished(() => void silent.close())
    const { port } = silent.address() as { port: number }

    await expect(mailerTo(`smtp://127.0.0.1:${port}`, 200).send(message)).rejects.toMatchObject({ code: 'EABORT' })
  })

  test('a password does not go to another machine without TLS', async () => {
    const seen: string[] = []
    const { url } = await startSmtpServer({
      allowInsecureAuth: true,
      onAuth: ({ password }, _session, done) => {
        seen.push(String(password))
        done(null, { user: 'a' })
      },
    })

    // Linux has the whole of 0.0.0.0/8 lead to this machine, and its name is no loopback address.
    await expect(mailerTo(url.replace('smtp://127.0.0.1', 'smtp://a:secret@0.0.0.0')).send(message)).rejects.toMatchObject({ code: 'ETLS' })
    expect(seen).toEqual([])
  })
})

describe('the outbox, with a mail server that fails (R17)', () => {
  let harness: Harness
  let answer: { responseCode: number } | null

  beforeEach(async () => {
    answer = null
    const { url } = await startSmtpServer({
      onRcptTo: (_address, _session, done) => done(answer === null ? null : Object.assign(new Error('no'), answer)),
    })
    harness = await boot({ SMTP_URL: url })
  })
  afterEach(() => harness.app.mailer?.close())

  const row = () => harness.app.database.prisma.outboxMessage.findFirstOrThrow()
  const settle = async () => {
    await harness.app.outbox.settled()
    return row()
  }

  test('a 4xx is tried again, later each time, up to eight times, and then it is a dead letter', async () => {
    answer = { responseCode: 451 }
    await queueMails(harness, noticeMail('ada@example.com'))
    const waits: number[] = []
    for (let attempt = 1; attempt < 8; attempt++) {
      const { attempts, availableAt, deadAt, failure, leasedUntil } = await settle()
      expect({ attempts, deadAt, failure, leasedUntil }).toEqual({ attempts: attempt, deadAt: null, failure: '451', leasedUntil: null })
      waits.push((availableAt.getTime() - harness.clock.now().getTime()) / 1000)
      await settle()
      harness.clock.advance({ seconds: (waits.at(-1) ?? 0) + 1 })
    }
    const last = await settle()

    expect(last).toMatchObject({ attempts: 8, failure: '451', doneAt: null, deadAt: expect.any(Date) })
    expect(last.payload).toEqual({ template: 'PASSWORD_CHANGED' })
    for (const [index, wait] of waits.entries()) expect(wait).toBeLessThanOrEqual(15 * 4 ** index)
    expect(waits.at(-1)).toBeGreaterThan(2 * 3600 - 10)
    harness.clock.advance({ minutes: 24 * 60 })
    expect((await settle()).attempts).toBe(8)
  })

  test('a 4xx that passes is a mail that arrives', async () => {
    answer = { responseCode: 421 }
    await queueMails(harness, signInMail('ada@example.com'))
    await settle()
    answer = null
    harness.clock.advance({ seconds: 15 })

    expect(await settle()).toMatchObject({ attempts: 2, doneAt: expect.any(Date), deadAt: null, failure: null })
  })

  test('a 5xx is a dead letter at once, without its secrets, and is counted', async () => {
    answer = { responseCode: 550 }
    await queueMails(harness, signInMail('ada@example.com'))

    expect(await settle()).toMatchObject({ attempts: 1, failure: '550', deadAt: expect.any(Date), payload: { template: 'SIGN_IN' } })
    expect(await harness.app.metrics.text()).toContain('roster_outbox_attempts_total{kind="mail",outcome="dead"} 1')
  })

  test('a mail whose link and code have ended is not sent', async () => {
    await queueMails(harness, signInMail('ada@example.com'))
    harness.clock.advance({ minutes: 10 })

    expect(await settle()).toMatchObject({ failure: 'EXPIRED', deadAt: expect.any(Date), payload: { template: 'SIGN_IN' } })
  })

  test('what could only be tried again too late is given up now', async () => {
    answer = { responseCode: 451 }
    await queueMails(harness, signInMail('ada@example.com'))
    harness.clock.advance({ minutes: 9, seconds: 59 })

    expect(await settle()).toMatchObject({ failure: '451', deadAt: expect.any(Date) })
  })

  test('a server that is down delays the mail and nothing else', async () => {
    const { app } = await boot({ SMTP_URL: `smtp://127.0.0.1:${await freePort()}` })
    const startedAt = performance.now()
    await queueMails({ app }, noticeMail('ada@example.com'))
    expect(performance.now() - startedAt).toBeLessThan(1000)

    await app.outbox.settled()

    expect(await row()).toMatchObject({ attempts: 1, failure: expect.stringMatching(/^E/), deadAt: null })
  })

  test('in production without a mail server, mail is off, and what was queued is given up', async () => {
    const { app } = await boot({ NODE_ENV: 'production', PUBLIC_URL: 'https://users.example.com' })
    await queueMails({ app }, noticeMail('ada@example.com'))
    await app.outbox.settled()

    expect(app).toMatchObject({ mailer: null, mailEnabled: false, mailbox: null })
    expect(await row()).toMatchObject({ failure: 'NO_MAILER', deadAt: expect.any(Date), payload: { template: 'PASSWORD_CHANGED' } })
  })
})

test('retries wait four times longer each, up to four hours, with up to half left out at random', () => {
  const waits = (attempt: number) => Array.from({ length: 200 }, () => retryDelayMs(attempt) / 1000)
  for (const [attempt, most] of [15, 60, 240, 960, 3840, 14_400, 14_400].entries()) {
    const found = waits(attempt + 1)
    expect(Math.max(...found)).toBeLessThanOrEqual(most)
    expect(Math.min(...found)).toBeGreaterThanOrEqual(most / 2)
    expect(new Set(found).size).toBeGreaterThan(100)
  }
})

describe('the configuration of mail', () => {
  const problem = (environment: Record<string, string>) => {
    try {
      parseConfig(environment)
    } catch (error) {
      return (error as Error).message
    }
    return null
  }

  test.each(['smtp://localhost:1025', 'smtps://user:p%25ss@smtp.example.com', 'smtp://user@[::1]:25/'])('%s is a mail server', (url) => {
    expect(parseConfig({ SMTP_URL: url }).smtpUrl).toBe(url)
  })

  test.each([
    'smtp.example.com',
    'https://user:hunter2@example.com',
    'smtp://',
    'smtp://:hunter2@example.com',
    'smtp://user:hunter2%@example.com',
    'smtp://user:hunter2@example.com/inbox',
    'smtp://user:hunter2@example.com?pool=true',
  ])('%s is none, and its password is not repeated', (url) => {
    expect(problem({ SMTP_URL: url })).toMatch(/^SMTP_URL: (?!.*hunter2)/)
  })

  test('a sender has a name or none', () => {
    const sender = (text: string) => parseConfig({ MAIL_FROM: text }).mailFrom

    expect(sender('no-reply@example.com')).toEqual({ name: '', address: 'no-reply@example.com' })
    expect(sender('Example Ltd <no-reply@example.com>')).toEqual({ name: 'Example Ltd', address: 'no-reply@example.com' })
    expect(sender('"Example, Ltd" <no-reply@example.com>')).toEqual({ name: 'Example, Ltd', address: 'no-reply@example.com' })
  })

  test.each(['Example', 'a@example.com, b@example.com', 'A <a@example.com>\r\nBcc: b@example.com', 'A\n<a@example.com>'])(
    '%j sends nothing',
    (text) => {
      expect(problem({ MAIL_FROM: text })).toMatch(/^MAIL_FROM: must be/)
    },
  )

  test.each(['two\nlines', 'x'.repeat(65)])('%j is no name of an application', (text) => {
    expect(problem({ APP_NAME: text })).toMatch(/^APP_NAME: must be/)
  })
})
