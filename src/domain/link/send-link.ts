import type { Authentication } from '../authentication.ts'
import type { ChangeScope } from '../change.ts'
import { queueMail } from '../mail.ts'
import { issueToken } from '../one-time-token.ts'
import { actionLink } from './action-link.ts'

/** Whom a link goes to. */
export type Addressee = Readonly<{ id: string; email: string; emailNormal: string }>

const templates = { SIGNUP: 'CONFIRM_SIGN_UP', INVITE: 'INVITE', MAGIC_LINK: 'SIGN_IN', RECOVERY: 'RESET_PASSWORD' } as const

/** The links that prove an address and sign in. */
export type SignInLinkType = keyof typeof templates

type Sending = Readonly<{ type: SignInLinkType; redirectTo: string | null }>

/** Issues a link and a code and queues the mail that brings them, in the commit of the change. The caller has locked the user. */
export async function sendLink(
  change: Pick<ChangeScope, 'db' | 'now' | 'queue'>,
  { secrets, links }: Pick<Authentication, 'secrets' | 'links'>,
  { id, email, emailNormal }: Addressee,
  { type, redirectTo }: Sending,
): Promise<void> {
  const { token, code, expiresAt } = await issueToken(change, secrets, { type, userId: id, emailNormal, redirectTo })
  const data = { link: actionLink(links, { type, token, redirectTo }), code, expiresInMinutes: minutesUntil(expiresAt, change.now) }
  await queueMail(change, secrets, { template: templates[type], to: email, data })
}

/** Whole minutes, as mails tell them. */
export function minutesUntil(end: Date, now: Date): number {
  return Math.round((end.getTime() - now.getTime()) / 60_000)
}
