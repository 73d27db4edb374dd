import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { onTestFinished } from 'vitest'
import { systemScope } from '../src/app.ts'
import { change } from '../src/domain/change.ts'
import { newId } from '../src/domain/id.ts'
import { type Mail, queueMail } from '../src/domain/mail.ts'
import type { MailMessage } from '../src/ports/mailer.ts'
import type { Harness } from './harness.ts'

/** Queues mails in a change that does nothing else. */
export async function queueMails({ app }: Pick<Harness, 'app'>, ...mails: Mail[]): Promise<void> {
  await change(systemScope(app), 'user.updated', async (tx) => {
    for (const mail of mails) await queueMail(tx, app.authentication.secrets, mail)
    return { result: null, subjectId: newId(), before: null, after: null }
  })
}

/** A mail with a link and a code, to this address. */
export function signInMail(to: string): Mail {
  return { template: 'SIGN_IN', to, data: { link: 'https://users.example.com/auth/verify?token=t1', code: '482913', expiresInMinutes: 10 } }
}

/** A mail that stays of use for days. */
export function noticeMail(to: string): Mail {
  return { template: 'PASSWORD_CHANGED', to, data: {} }
}

/** The link of a mail. */
export function linkIn({ text }: MailMessage): string {
  return /https?:\/\/\S+/.exec(text)?.[0] ?? ''
}

/** The code of a mail. */
export function codeIn({ text }: MailMessage): string {
  return /\b\d{6}\b/.exec(text)?.[0] ?? ''
}

/** What an SMTP server got: whom its envelope named, and the message as it came over the wire. */
export type Received = Readonly<{ from: string; to: readonly string[]; source: string }>

/** An SMTP server on loopback that keeps what it gets, until the test ends. */
export async function startSmtpServer(options: SMTPServerOptions = {}): Promise<Readonly<{ url: string; received: Received[] }>> {
  const received: Received[] = []
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    logger: false,
    onData: (stream, { envelope }, done) => {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const { mailFrom, rcptTo } = envelope
        const source = Buffer.concat(chunks).toString('utf8')
        received.push({ from: mailFrom ? mailFrom.address : '', to: rcptTo.map(({ address }) => address), source })
        done()
      })
    },
    ...options,
  })
  const listening = server.listen(0, '127.0.0.1')
  await once(listening, 'listening')
  onTestFinished(() => void server.close(() => {}))
  return { url: `smtp://127.0.0.1:${(listening.address() as AddressInfo).port}`, received }
}
