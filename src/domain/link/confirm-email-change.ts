import type { AuthenticationScope } from '../authentication.ts'
import { type Changed, type ChangeScope, change } from '../change.ts'
import { queueMail } from '../mail.ts'
import { normalizeEmail } from '../normalize.ts'
import { readUser, type UserRecord, userImage } from '../user/user-record.ts'
import { type Found, tokenNotValid } from './find-proof.ts'
import { redeem } from './redeem.ts'
import type { Verified } from './verified.ts'

const emailChangeTypes = ['EMAIL_CHANGE_CURRENT', 'EMAIL_CHANGE_NEW'] as const

/**
 * Confirms a change of the address from one of its sides. The new one has to, and the one that stands too, where the configuration
 * says so and it was verified; with the last of them the new address is set, verified, and both are told. Writes
 * `user.emailChangeConfirmed`, or `user.emailChanged`.
 */
export async function confirmEmailChange(scope: AuthenticationScope, found: Found): Promise<Verified> {
  return change(scope, 'user.emailChangeConfirmed', async (tx) => {
    const user = await redeem(tx, found)
    const { id: userId } = user
    const result = { userId: tx.caller.principal.userId === userId ? userId : null, tokens: null, redirectTo: found.redirectTo }
    const event = { result, subjectId: userId, userId, actorUserId: userId, connection: 'email' }
    if (!(await isComplete(tx, scope, user, found))) return { ...event, before: null, after: null }
    return { ...event, ...(await apply(tx, scope, user, found)), type: 'user.emailChanged' }
  })
}

async function isComplete({ db }: ChangeScope, { links }: AuthenticationScope, user: UserRecord, found: Found): Promise<boolean> {
  const { userId, newEmailNormal, emailNormal } = found
  const isNew = found.type === 'EMAIL_CHANGE_NEW'
  if (isNew && !confirmsFromCurrent(links, user)) return true
  const other = isNew ? 'EMAIL_CHANGE_CURRENT' : 'EMAIL_CHANGE_NEW'
  return (await db.oneTimeToken.count({ where: { userId, type: other, newEmailNormal, emailNormal, usedAt: { not: null } } })) > 0
}

/** Whether the address that stands has to agree: one that nobody has verified may be a slip of the pen. */
export function confirmsFromCurrent(
  { emailChangeConfirmation }: AuthenticationScope['links'],
  { email, emailVerified }: UserRecord,
): boolean {
  return emailChangeConfirmation === 'both' && email !== null && emailVerified
}

async function apply(
  tx: ChangeScope,
  { secrets }: AuthenticationScope,
  user: UserRecord,
  { newEmail }: Found,
): Promise<Pick<Changed<unknown>, 'before' | 'after'>> {
  const { id, email: oldEmail } = user
  const forms = normalizeEmail(newEmail ?? '')
  if (forms === null) throw tokenNotValid()
  const data = { email: forms.email, emailNormal: forms.normal, emailVerified: true, version: { increment: 1 }, updatedAt: tx.now }
  await tx.db.user.update({ where: { id }, data, select: { id: true } })
  await tx.db.oneTimeToken.deleteMany({ where: { userId: id, type: { in: [...emailChangeTypes] } } })
  const told = { oldEmail, newEmail: forms.email }
  for (const to of [oldEmail, forms.email]) if (to !== null) await queueMail(tx, secrets, { template: 'EMAIL_CHANGED', to, data: told })
  return { before: userImage(user), after: userImage(await readUser(tx.db, id)) }
}
