import type { AuthenticationScope } from '../authentication.ts'
import { change } from '../change.ts'
import { invalidInput, RequestError } from '../errors.ts'
import { assertMailEnabled } from '../mail/mail-enabled.ts'
import { parseRedirect } from '../redirect.ts'
import { userStanding } from '../session.ts'
import { lockUser } from '../user/user-record.ts'
import { addressOf, parseAddress, spendMail } from './addressee.ts'
import { lockUserOfAddress } from './known-user.ts'
import { sendLink } from './send-link.ts'

/** The user, by id or by address; neither: the caller. */
export type SendVerificationInput = Readonly<{ id?: string | null; email?: string | null; redirectTo?: string | null }>

/**
 * Mails the link and code that verify a user's address once more. A user who is blocked is sent nothing. Writes
 * `user.verificationSent`.
 *
 * @throws {DomainError} USER_NOT_FOUND, REDIRECT_NOT_ALLOWED; INVALID_INPUT when there is no address, or it is verified
 * @throws {RequestError} RATE_LIMITED
 */
export async function sendVerification(scope: AuthenticationScope, input: SendVerificationInput): Promise<{ userId: string }> {
  assertMailEnabled(scope)
  const { id, email } = input
  if (id != null && email != null) throw invalidInput(['input', 'email'], 'Send `id` or `email`, not both.')
  const userId = id ?? scope.caller.principal.userId
  const address = email == null ? null : parseAddress(email).normal
  if (userId === null && address === null)
    throw new RequestError('BAD_USER_INPUT', 'This token has no user: name one.', { field: 'input.id' })
  const redirectTo = parseRedirect(input.redirectTo, scope.links.allowedRedirects)
  await spendMail(scope, scope, address ?? (await addressOf(scope, userId ?? '')))
  return change(scope, 'user.verificationSent', async (tx) => {
    const user = address === null ? await lockUser(tx.db, userId ?? '') : await lockUserOfAddress(tx, address)
    const path = address === null ? ['input', 'id'] : ['input', 'email']
    if (user.email === null || user.emailNormal === null || user.emailVerified)
      throw invalidInput(path, 'This user has no address that is still to be verified.')
    const addressee = { id: user.id, email: user.email, emailNormal: user.emailNormal }
    if (userStanding(user, tx.now) === 'standing') await sendLink(tx, scope, addressee, { type: 'SIGNUP', redirectTo })
    return { result: { userId: user.id }, subjectId: user.id, userId: user.id, before: null, after: null }
  })
}
