import type { AuthenticationScope } from '../authentication.ts'
import { type Changed, type ChangeScope, change } from '../change.ts'
import type { ChangeType } from '../change-type.ts'
import { DomainError } from '../errors.ts'
import { assertMailEnabled } from '../mail/mail-enabled.ts'
import { parseRedirect } from '../redirect.ts'
import { assertSignUpOpen } from '../sign-up/sign-up-open.ts'
import { insertUser } from '../user/insert-user.ts'
import { lockAddressee, parseAddress, sendNothing, spendMail } from './addressee.ts'
import { sendLink } from './send-link.ts'

type Request = Readonly<{ email: string; redirectTo?: string | null }>

/**
 * Mails a link and a code that sign in. The answer is the same for an address that nobody has, or whose user is blocked or deleted;
 * with `createUser`, whoever is not known becomes a user by it. Writes `user.signInRequested`, or `user.signedUp`.
 *
 * @throws {DomainError} INVALID_INPUT, REDIRECT_NOT_ALLOWED; SIGN_UP_DISABLED for `createUser`, whoever is asked for
 * @throws {RequestError} RATE_LIMITED
 */
export async function requestSignIn(scope: AuthenticationScope, input: Request & { createUser?: boolean | null }): Promise<void> {
  const createUser = input.createUser ?? false
  if (createUser) assertSignUpOpen(scope)
  await requestLink(scope, input, { event: 'user.signInRequested', type: 'MAGIC_LINK', createUser })
}

/**
 * Mails a link and a code to set a new password with. The answer is the same for an address that nobody has, or whose user is blocked
 * or deleted. Writes `user.passwordResetRequested`.
 *
 * @throws {DomainError} INVALID_INPUT, REDIRECT_NOT_ALLOWED
 * @throws {RequestError} RATE_LIMITED
 */
export async function requestPasswordReset(scope: AuthenticationScope, input: Request): Promise<void> {
  await requestLink(scope, input, { event: 'user.passwordResetRequested', type: 'RECOVERY', createUser: false })
}

type Kind = Readonly<{ event: ChangeType; type: 'MAGIC_LINK' | 'RECOVERY'; createUser: boolean }>

async function requestLink(scope: AuthenticationScope, { email, redirectTo }: Request, { event, type, createUser }: Kind): Promise<void> {
  assertMailEnabled(scope)
  const address = parseAddress(email)
  const sending = { type, redirectTo: parseRedirect(redirectTo, scope.links.allowedRedirects) }
  await spendMail(scope, scope, address.normal)
  const work = async (tx: ChangeScope): Promise<Changed<void>> => {
    const user = await lockAddressee(tx, address.normal)
    if (user !== null) {
      await sendLink(tx, scope, user, sending)
      return { result: undefined, subjectId: user.id, userId: user.id, before: null, after: null }
    }
    const holder = await tx.db.user.findUnique({ where: { emailNormal: address.normal }, select: { id: true } })
    if (createUser && holder === null) return signUp(tx, scope, address, sending)
    await sendNothing(tx, scope)
    return { result: undefined, subjectId: holder?.id ?? null, userId: holder?.id ?? null, before: null, after: null }
  }
  try {
    await change(scope, event, work)
  } catch (error) {
    // Somebody else has made the user in between.
    if (!(createUser && error instanceof DomainError && error.code === 'EMAIL_TAKEN')) throw error
    await change(scope, event, work)
  }
}

async function signUp(
  tx: ChangeScope,
  scope: AuthenticationScope,
  { email, normal }: Readonly<{ email: string; normal: string }>,
  sending: Readonly<{ type: 'MAGIC_LINK' | 'RECOVERY'; redirectTo: string | null }>,
): Promise<Changed<void>> {
  const attributes = { email, emailNormal: normal }
  const inserted = await insertUser(tx, { attributes, origin: 'USER' })
  await sendLink(tx, scope, { id: inserted.result.userId, ...attributes }, sending)
  return { ...inserted, type: 'user.signedUp', result: undefined }
}
