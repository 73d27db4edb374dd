import type { AuthenticationScope } from '../authentication.ts'
import { change } from '../change.ts'
import { DomainError, RequestError } from '../errors.ts'
import { assertMailEnabled } from '../mail/mail-enabled.ts'
import { queueMail } from '../mail.ts'
import { issueToken } from '../one-time-token.ts'
import { lockUser } from '../user/user-record.ts'
import { addressOf, spendMail } from './addressee.ts'
import { minutesUntil } from './send-link.ts'

/**
 * Mails the caller a code that a sensitive change takes as `nonce`, in place of the password. Writes `user.reauthenticationRequested`.
 * @throws {DomainError} EMAIL_NOT_VERIFIED when there is no address to send it to
 * @throws {RequestError} RATE_LIMITED
 */
export async function requestReauthentication(scope: AuthenticationScope): Promise<void> {
  assertMailEnabled(scope)
  const { userId } = scope.caller.principal
  if (userId === null) throw new RequestError('BAD_USER_INPUT', 'This token has no user.')
  await spendMail(scope, scope, await addressOf(scope, userId))
  await change(scope, 'user.reauthenticationRequested', async (tx) => {
    const user = await lockUser(tx.db, userId)
    const { email, emailNormal } = user
    if (email === null || emailNormal === null || !user.emailVerified)
      throw new DomainError('EMAIL_NOT_VERIFIED', 'There is no verified address to send a code to.', [], {})
    const { code, expiresAt } = await issueToken(tx, scope.secrets, { type: 'REAUTHENTICATION', userId, emailNormal })
    const data = { code, expiresInMinutes: minutesUntil(expiresAt, tx.now) }
    await queueMail(tx, scope.secrets, { template: 'REAUTHENTICATE', to: email, data })
    return { result: undefined, subjectId: userId, userId, before: null, after: null }
  })
}
