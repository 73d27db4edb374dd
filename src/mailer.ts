import { join } from 'node:path'
import type { Config } from './config.ts'
import { outboxLanes } from './domain/outbox.ts'
import { createDevelopmentMailbox, type DevelopmentMailbox } from './ports/development-mailbox.ts'
import type { Mailbox, Mailer } from './ports/mailer.ts'

type Mailers = Readonly<{ mailer: Mailer | null; mailbox: DevelopmentMailbox | null }>

/** The configured mailer: SMTP, in development a mailbox in the data directory, or in production none. SMTP is loaded where it is used. */
export async function createMailer(config: Config, publicUrl: string): Promise<Mailers> {
  const { mode, smtpUrl, dataDir } = config
  if (smtpUrl !== null) {
    const from = config.mailFrom ?? defaultSender(config.appName, publicUrl)
    const { createSmtpMailer } = await import('./ports/smtp-mailer.ts')
    return { mailer: createSmtpMailer({ url: smtpUrl, from, connections: outboxLanes }), mailbox: null }
  }
  const mailbox = mode === 'development' ? createDevelopmentMailbox(join(dataDir, 'mail')) : null
  return { mailer: mailbox, mailbox }
}

function defaultSender(name: string, publicUrl: string): Mailbox {
  return { name, address: `no-reply@${new URL(publicUrl).hostname}` }
}
