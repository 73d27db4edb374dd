import { join } from 'node:path'
import type { Config } from './config.ts'
import { outboxLanes } from './domain/outbox.ts'
import { createDevelopmentMailbox, type DevelopmentMailbox } from './ports/development-mailbox.ts'
import type { Mailbox, Mailer } from './ports/mailer.ts'
import { createSmtpMailer } from './ports/smtp-mailer.ts'

/** The configured mailer: SMTP, in development a mailbox in the data directory, or in production none. */
export function createMailer(config: Config, publicUrl: string): Readonly<{ mailer: Mailer | null; mailbox: DevelopmentMailbox | null }> {
  const { mode, smtpUrl, dataDir } = config
  if (smtpUrl !== null) {
    const from = config.mailFrom ?? defaultSender(config.appName, publicUrl)
    return { mailer: createSmtpMailer({ url: smtpUrl, from, connections: outboxLanes }), mailbox: null }
  }
  const mailbox = mode === 'development' ? createDevelopmentMailbox(join(dataDir, 'mail')) : null
  return { mailer: mailbox, mailbox }
}

function defaultSender(name: string, publicUrl: string): Mailbox {
  return { name, address: `no-reply@${new URL(publicUrl).hostname}` }
}
