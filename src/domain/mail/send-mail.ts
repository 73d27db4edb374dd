import type { Secrets } from '../../crypto/secrets.ts'
import type { Clock } from '../../ports/clock.ts'
import { type Mailer, MailRefusedError } from '../../ports/mailer.ts'
import { openMail } from '../mail.ts'
import type { OutboxHandler } from '../outbox/attempt-message.ts'
import { renderMail } from './render-mail.ts'
import type { TemplateSources } from './template-source.ts'

type Parts = Readonly<{
  /** Null: nothing can be sent, and what was queued is given up at once. */
  mailer: Mailer | null
  secrets: Secrets
  sources: TemplateSources
  appName: string
  clock: Clock
}>

/** Sends the mails of the outbox. It throws {MailRefusedError} `NO_MAILER` where there is none. */
export function createMailHandler({ mailer, secrets, sources, appName, clock }: Parts): OutboxHandler {
  return async ({ id, payload, createdAt, expiresAt }) => {
    if (mailer === null) throw new MailRefusedError('NO_MAILER')
    const mail = openMail(secrets, id, payload)
    const minutesLeft = Math.ceil(((expiresAt ?? createdAt).getTime() - clock.now().getTime()) / 60_000)
    const { subject, text, html } = renderMail(sources, mail, { appName, at: createdAt, minutesLeft })
    await mailer.send({ id, to: mail.to, subject, text, html, at: createdAt })
  }
}
