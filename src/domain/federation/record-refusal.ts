import type { AuthenticationScope } from '../authentication.ts'
import { recordFailure } from '../change.ts'
import type { DomainError } from '../errors.ts'
import type { ProviderConnection } from './provider-connection.ts'

/**
 * Writes into the history of whom a provider has vouched for that a sign-in failed all the same: `user.signInFailed`. Only what the
 * provider has signed may name the subject. Of a subject that is nobody's yet nothing is written.
 * @returns the failure, to be thrown
 */
export async function recordRefusal(
  scope: AuthenticationScope,
  { key }: ProviderConnection,
  subject: unknown,
  error: DomainError,
): Promise<DomainError> {
  const where = { provider: key, providerUserId: typeof subject === 'string' ? subject : '' }
  const identity = await scope.db.identity.findUnique({ where: { provider_providerUserId: where }, select: { userId: true } })
  if (identity !== null) await recordFailure(scope, 'user.signInFailed', identity.userId, key)
  return error
}
