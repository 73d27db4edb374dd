import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemScope } from '../src/app.ts'
import { parseConfig } from '../src/config.ts'
import type { ConfigError } from '../src/config-error.ts'
import { change } from '../src/domain/change.ts'
import { newId } from '../src/domain/id.ts'
import { renderMail } from '../src/domain/mail/render-mail.ts'
import { defaultSources } from '../src/domain/mail/template-source.ts'
import { type Mail, type MailData, type MailTemplate, queueMail } from '../src/domain/mail.ts'
import { createDevelopmentMailbox } from '../src/ports/development-mailbox.ts'
import { boot, type Harness } from './harness.ts'
import { codeIn, linkIn, noticeMail, queueMails, signInMail } from './mail.ts'
import { testFolder } from './setup/build.ts'

let harness: Harness

beforeAll(async () => {
  harness = await boot()
})
beforeEach(() => harness.reset())

const rows = () => harness.app.database.prisma.outboxMessage.findMany({ orderBy: { id: 'asc' } })

describe('a queued mail', () => {
  test('is sent after its change, with its link and its code', async () => {
    await queueMails(harness, signInMail('ada@example.com'))

    const [mail, ...others] = await harness.mails()

    expect(others).toEqual([])
    expect(mail).toMatchObject({ to: 'ada@example.com', subject: 'Sign in to Roster', at: expect.any(Date) })
    if (mail === undefined) return
    expect(linkIn(mail)).toBe('https://users.example.com/auth/verify?token=t1')
    expect(codeIn(mail)).toBe('482913')
    expect(mail.text).toContain('for 10 minutes')
  })

  test('is not sent when its change is rolled back', async () => {
    const fails = change(systemScope(harness.app), 'user.updated', async (tx) => {
      await queueMail(tx, harness.app.authentication.secrets, signInMail('ada@example.com'))
      throw new Error('on second thoughts')
    })

    await expect(fails).rejects.toThrow('on second thoughts')
    expect(await rows()).toEqual([])
    expect(await harness.mails()).toEqual([])
  })

  test('is not sent when its change changes nothing', async () => {
    await change(systemScope(harness.app), 'user.updated', async (tx) => {
      await queueMail(tx, harness.app.authentication.secrets, signInMail('ada@example.com'))
      return { result: null, subjectId: newId(), before: { a: 1 }, after: { a: 1 } }
    })

    expect(await harness.mails()).toEqual([])
  })

  test('is sealed while it waits, and erased when it is sent', async () => {
    await queueMails(harness, signInMail('ada@example.com'))
    const [waiting] = await rows()
    await harness.mails()
    const [done] = await rows()

    expect(JSON.stringify(waiting)).not.toMatch(/ada|482913|verify/)
    expect(waiting?.payload).toEqual({ template: 'SIGN_IN', sealed: expect.stringMatching(/^v1\./) })
    expect(done?.payload).toEqual({ template: 'SIGN_IN' })
    expect(done).toMatchObject({ attempts: 1, doneAt: expect.any(Date), deadAt: null, leasedUntil: null })
  })

  test('of another secret or another row does not open, and is tried again', async () => {
    await queueMails(harness, signInMail('ada@example.com'), signInMail('grace@example.com'))
    const [ada, grace] = await rows()
    await harness.app.database.prisma.outboxMessage.update({ where: { id: ada?.id ?? '' }, data: { payload: grace?.payload ?? {} } })

    const mails = await harness.mails()

    expect(mails.map(({ to }) => to)).toEqual(['grace@example.com'])
    expect((await rows())[0]).toMatchObject({ attempts: 1, doneAt: null, deadAt: null, failure: expect.any(String) })
  })

  test('goes to whoever asked first before the others', async () => {
    await queueMails(harness, ...['a', 'b', 'c'].map((name) => noticeMail(`${name}@example.com`)))

    expect((await harness.mails()).map(({ to }) => to)).toEqual(['a@example.com', 'b@example.com', 'c@example.com'])
  })
})

/** One of each, with values that want to be markup, another line, or another header. */
const evil = '<b>"&\'</b>\r\nBcc: eve@example.com'
const secret = { link: 'https://users.example.com/v?a=1&b="<x>', code: '482913', expiresInMinutes: 60 }
const data: MailData = {
  CONFIRM_SIGN_UP: secret,
  ALREADY_REGISTERED: {},
  SIGN_IN: secret,
  RESET_PASSWORD: secret,
  INVITE: secret,
  CONFIRM_EMAIL_CHANGE_CURRENT: { ...secret, newEmail: evil },
  CONFIRM_EMAIL_CHANGE_NEW: { ...secret, oldEmail: 'ada@example.com' },
  REAUTHENTICATE: { code: secret.code, expiresInMinutes: 5 },
  PASSWORD_CHANGED: {},
  EMAIL_CHANGED: { oldEmail: evil, newEmail: evil },
}
const templates = Object.keys(data) as MailTemplate[]

function write(template: MailTemplate, { appName = 'Roster', sources = defaultSources, minutesLeft = 60 } = {}) {
  const mail = { template, to: 'ada@example.com', data: data[template] } as Mail
  return renderMail(sources, mail, { appName, at: new Date('2026-11-21T13:10:00Z'), minutesLeft })
}

describe.each(templates)('%s', (template) => {
  test('has a subject of one line, a text and an HTML part, and no placeholder left', () => {
    const { subject, text, html } = write(template)

    expect(subject).toMatch(/^.{10,80}$/)
    expect(html).toMatch(/^<!doctype html>.*<\/html>\n$/s)
    for (const part of [subject, text, html]) expect(part).not.toMatch(/\{\{|\}\}|undefined|null/)
  })

  test('shows its link and code in both parts', () => {
    const { text, html } = write(template)

    for (const part of [text, html]) {
      expect(part.includes('482913')).toBe('code' in data[template])
      expect(part.includes('users.example.com')).toBe('link' in data[template])
    }
  })

  test('takes no markup and no other line from its values', () => {
    const { subject, text, html } = write(template, { appName: evil })

    expect(subject).not.toMatch(/[\r\n]/)
    for (const part of [text, html]) expect(part).not.toMatch(/^Bcc/m)
    expect(html).not.toMatch(/<b>|<x>|"<|&b=/)
    expect(html.match(/<a /g)?.length ?? 0).toBe('link' in data[template] ? 2 : 0)
  })
})

test('the holder of a new address sees the old one masked, and the holder of the current one the new one whole', () => {
  expect(write('CONFIRM_EMAIL_CHANGE_NEW').text).toContain('a•••@example.com')
  expect(write('CONFIRM_EMAIL_CHANGE_NEW').html).not.toContain('ada@')
  expect(write('CONFIRM_EMAIL_CHANGE_CURRENT').text).toContain('Bcc: eve@example.com. Confirm')
})

test.each([
  [1, '1 minute'],
  [10, '10 minutes'],
  [60, '1 hour'],
  [90, '90 minutes'],
  [1440, '24 hours'],
  [2880, '2 days'],
  [10_000, '6 days'],
])('%d minutes are written as %s', (minutesLeft, words) => {
  expect(write('SIGN_IN', { minutesLeft }).text).toContain(`for ${words};`)
})

test('a link that is no web address is not sent', () => {
  const mail: Mail = { template: 'SIGN_IN', to: 'ada@example.com', data: { ...secret, link: 'javascript:alert(1)' } }

  expect(() => renderMail(defaultSources, mail, { appName: 'Roster', at: new Date(), minutesLeft: 1 })).toThrow('http')
})

describe('MAIL_TEMPLATES_DIR', () => {
  function directory(files: Record<string, string>): string {
    const folder = join(testFolder(), 'templates')
    mkdirSync(folder)
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
    return folder
  }
  const problemsOf = (files: Record<string, string>): readonly string[] => {
    try {
      parseConfig({ MAIL_TEMPLATES_DIR: directory(files) })
      return []
    } catch (error) {
      return (error as ConfigError).problems
    }
  }

  test('replaces the parts it has, and leaves the others', () => {
    const folder = directory({
      'sign-in.subject.txt': 'Your way in, {{ email }}\n',
      'sign-in.html': '<p>{{appName}}: {{code}}</p>',
      'logo.svg': '{{whatever}}',
    })
    const sources = parseConfig({ MAIL_TEMPLATES_DIR: folder }).mailTemplates ?? defaultSources

    expect(write('SIGN_IN', { sources, appName: 'A & B' })).toEqual({
      subject: 'Your way in, ada@example.com',
      text: write('SIGN_IN', { appName: 'A & B' }).text,
      html: '<p>A &amp; B: 482913</p>',
    })
    expect(write('INVITE', { sources })).toEqual(write('INVITE'))
  })

  test('with mistakes is refused with all of them, by file', () => {
    const [line, ...others] = problemsOf({
      'confirm-sign-up.txt': 'Welcome {{name}} {{link}}',
      'reset-password.html': '<p>Good luck</p>',
      'password-changed.txt': '{{code}}',
      'invite.subject.txt': ' \n',
      'sign-in.txt': 'Code {{code',
      'sing-in.txt': '',
    })

    expect(others).toEqual([])
    for (const part of [
      'confirm-sign-up.txt has {{name}}, which is none of appName, email, time, link, code, expiresIn',
      'reset-password.html lacks {{link}} or {{code}}',
      'password-changed.txt has {{code}}, which is none of appName, email, time',
      'invite.subject.txt is empty',
      'sign-in.txt has {{ without }}',
      'sing-in.txt is the name of no template',
    ])
      expect(line).toContain(part)
  })

  test('that is none is refused', () => {
    expect(() => parseConfig({ MAIL_TEMPLATES_DIR: '/nowhere' })).toThrow('MAIL_TEMPLATES_DIR: /nowhere is no directory that can be read')
  })
})

describe('the development mailbox', () => {
  const message = (id: string, to = 'ada@example.com') => ({ id, to, subject: 'S', text: 't', html: 'h', at: new Date(0) })
  const ids = Array.from({ length: 8 }, () => newId())

  test('outlives the process, and keeps the latest, the newest first', async () => {
    const folder = join(testFolder(), 'mail')
    const mailbox = createDevelopmentMailbox(folder, 5)
    for (const id of ids) await mailbox.send(message(id))

    const list = createDevelopmentMailbox(folder).list()

    expect(list.map(({ id }) => id)).toEqual(ids.slice(3).reverse())
    expect(list[0]).toEqual(message(ids.at(-1) ?? ''))
  })

  test('is for its owner only, and holds a message once, however often it is sent', async () => {
    const folder = join(testFolder(), 'mail')
    const mailbox = createDevelopmentMailbox(folder)
    await mailbox.send(message(ids[0] ?? ''))
    await mailbox.send(message(ids[0] ?? ''))

    expect(readdirSync(folder)).toEqual([`${ids[0]}.json`])
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    expect(statSync(join(folder, `${ids[0]}.json`)).mode & 0o777).toBe(0o600)
  })

  test.each(['../secret', '..', '', 'x'])('has no message %j', (id) => {
    expect(createDevelopmentMailbox(testFolder()).read(id)).toBeNull()
  })
})
