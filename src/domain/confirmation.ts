import type { Authentication } from './authentication.ts'
import type { ChangeScope } from './change.ts'
import { DomainError } from './errors.ts'

/** Whose address is to be confirmed. */
export type Unconfirmed = Readonly<{ id: string; email: string; emailNormal: string }>

/** Queues the mail with which somebody who has signed up confirms the address. `redirectTo` is where its link leads afterwards. */
export async function queueConfirmation(
  change: ChangeScope,
  _authentication: Authentication,
  { email }: Unconfirmed,
  redirectTo: string | null,
): Promise<void> {
  await change.queue('mail', { template: 'SIGNUP', to: email, redirectTo })
}

/** Queues the mail that tells the owner of an address that somebody wanted to sign up with it. */
export async function queueAlreadyRegistered(change: ChangeScope, _authentication: Authentication, to: string): Promise<void> {
  await change.queue('mail', { template: 'ALREADY_REGISTERED', to })
}

/** What is wrong with where a browser is to be sent; null when it may. It is told whoever the address belongs to. */
export function redirectProblem(_authentication: Authentication, redirectTo: string | null): DomainError | null {
  if (redirectTo === null) return null
  return new DomainError('REDIRECT_NOT_ALLOWED', 'Browsers may not be sent to this URL from here.', ['input', 'redirectTo'], {})
}
