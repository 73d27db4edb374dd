import type { AuthenticationScope } from '../authentication.ts'
import type { ChangeScope } from '../change.ts'
import { queueMail } from '../mail.ts'
import { issueToken } from '../one-time-token.ts'
import type { UserRecord } from '../user/user-record.ts'
import { actionLink } from './action-link.ts'
import { sendNothing } from './addressee.ts'
import { confirmsFromCurrent } from './confirm-email-change.ts'
import { minutesUntil } from './send-link.ts'

type Address = Readonly<{ email: string; normal: string }>

/**
 * Mails the links that confirm a change of the address: to the new one, and to the one that stands where it has to agree. Until then
 * nothing changes. A new address that somebody else has is sent nothing, which is not told. The caller has locked the user.
 */
export async function requestEmailChange(tx: ChangeScope, scope: AuthenticationScope, user: UserRecord, to: Address): Promise<void> {
  const { email } = user
  await tx.db.oneTimeToken.deleteMany({ where: { userId: user.id, type: { in: ['EMAIL_CHANGE_CURRENT', 'EMAIL_CHANGE_NEW'] } } })
  const toNew = await issue(tx, scope, user, { type: 'EMAIL_CHANGE_NEW', newEmail: to })
  if (email !== null && confirmsFromCurrent(scope.links, user)) {
    const toCurrent = await issue(tx, scope, user, { type: 'EMAIL_CHANGE_CURRENT', newEmail: to })
    const data = { ...toCurrent, newEmail: to.email }
    await queueMail(tx, scope.secrets, { template: 'CONFIRM_EMAIL_CHANGE_CURRENT', to: email, data })
  }
  const holder = await tx.db.user.findUnique({ where: { emailNormal: to.normal }, select: { id: true } })
  if (holder !== null) return sendNothing(tx, scope)
  await queueMail(tx, scope.secrets, { template: 'CONFIRM_EMAIL_CHANGE_NEW', to: to.email, data: { ...toNew, oldEmail: email } })
}

type Issue = Readonly<{ type: 'EMAIL_CHANGE_CURRENT' | 'EMAIL_CHANGE_NEW'; newEmail: Address }>

async function issue(tx: ChangeScope, { secrets, links }: AuthenticationScope, user: UserRecord, { type, newEmail }: Issue) {
  const wanted = { type, userId: user.id, emailNormal: user.emailNormal ?? '', newEmail }
  const { token, code, expiresAt } = await issueToken(tx, secrets, wanted)
  return { link: actionLink(links, { type, token, redirectTo: null }), code, expiresInMinutes: minutesUntil(expiresAt, tx.now) }
}
