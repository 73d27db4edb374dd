import type { Secrets } from '../crypto/secrets.ts'
import type { Prisma } from '../generated/prisma/client.ts'
import type { ChangeScope } from './change.ts'

/** What a mail is about, whom it goes to, and what it says beside its words. */
export type Mail = Readonly<{
  template:
    | 'CONFIRM_SIGN_UP'
    | 'ALREADY_REGISTERED'
    | 'SIGN_IN'
    | 'RESET_PASSWORD'
    | 'INVITE'
    | 'CONFIRM_EMAIL_CHANGE_CURRENT'
    | 'CONFIRM_EMAIL_CHANGE_NEW'
    | 'REAUTHENTICATE'
    | 'PASSWORD_CHANGED'
    | 'EMAIL_CHANGED'
  to: string
  data: Readonly<{ link?: string; code?: string; expiresInMinutes?: number; newEmail?: string; oldEmail?: string | null }>
}>

/** Queues a mail in the commit of the change. Its address, links and codes are sealed. */
export async function queueMail({ queue }: Pick<ChangeScope, 'queue'>, secrets: Secrets, mail: Mail): Promise<void> {
  await queue('mail', { sealed: secrets.seal(JSON.stringify(mail), 'mail') })
}

/** Opens the payload of a queued mail. @throws when it was sealed with another secret, or is none */
export function openMail(secrets: Secrets, _id: string, payload: Prisma.JsonObject): Mail {
  return JSON.parse(secrets.unseal(String(payload['sealed']), 'mail')) as Mail
}
