import type { Secrets } from '../crypto/secrets.ts'
import type { Prisma } from '../generated/prisma/client.ts'
import type { ChangeScope } from './change.ts'
import { newId } from './id.ts'

/** A link, and a code that does the same where it can be typed in. Both end together. */
type LinkAndCode = Readonly<{ link: string; code: string; expiresInMinutes: number }>

type Nothing = Readonly<Record<string, never>>

/** What each mail says beside its words. An address is null when the user had none. */
export type MailData = Readonly<{
  CONFIRM_SIGN_UP: LinkAndCode
  /** To the owner of an address with which somebody tried to sign up again. */
  ALREADY_REGISTERED: Nothing
  SIGN_IN: LinkAndCode
  RESET_PASSWORD: LinkAndCode
  INVITE: LinkAndCode
  CONFIRM_EMAIL_CHANGE_CURRENT: LinkAndCode & Readonly<{ newEmail: string }>
  /** The old address is shown masked: the new one may be a stranger's, by a slip. */
  CONFIRM_EMAIL_CHANGE_NEW: LinkAndCode & Readonly<{ oldEmail: string | null }>
  REAUTHENTICATE: Readonly<{ code: string; expiresInMinutes: number }>
  PASSWORD_CHANGED: Nothing
  /** To the old and to the new address, a mail each. */
  EMAIL_CHANGED: Readonly<{ oldEmail: string | null; newEmail: string }>
}>

/** Every kind of mail. */
export type MailTemplate = keyof MailData

/** One mail to one address. */
export type Mail = { [Name in MailTemplate]: Readonly<{ template: Name; to: string; data: MailData[Name] }> }[MailTemplate]

/** The kind of an outbox message that is a mail. */
export const mailKind = 'mail'

/** A notice without an end is of no use after three days. */
const noticeMinutes = 3 * 24 * 60

/** Queues a mail in the commit of the change: it goes out when that stands. Its address, links and codes are sealed until then. */
export async function queueMail({ queue }: Pick<ChangeScope, 'queue'>, secrets: Secrets, mail: Mail): Promise<void> {
  const id = newId()
  const { template, to, data } = mail
  const expiresInMinutes = 'expiresInMinutes' in data ? (data.expiresInMinutes as number) : noticeMinutes
  await queue(mailKind, { template, sealed: secrets.seal(JSON.stringify({ to, data }), sealContext(id)) }, { id, expiresInMinutes })
}

/** Opens the payload of a queued mail. @throws when it was sealed with another secret, or is none */
export function openMail(secrets: Secrets, id: string, payload: Prisma.JsonObject): Mail {
  const { to, data } = JSON.parse(secrets.unseal(String(payload['sealed']), sealContext(id)))
  return { template: payload['template'], to, data } as Mail
}

function sealContext(id: string): string {
  return `outbox:${id}`
}
