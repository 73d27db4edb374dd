import type { AuthenticationScope } from '../authentication.ts'
import { type ChangeScope, recordFailure } from '../change.ts'
import { DomainError } from '../errors.ts'
import { claimToken, tryCode } from '../one-time-token.ts'
import { restore, spend } from '../rate-limit.ts'

/** What shows that it is still the user who holds the session: the password, or a code that was mailed a moment ago. */
export type SelfProof = Readonly<{ currentPassword?: string | null; nonce?: string | null }>

/** What is left to do inside of the change: the id of the code's row, which it uses up. Null after a password. */
export type ProvenSelf = Readonly<{ nonceId: string | null }>

/**
 * Has a user prove himself before a sensitive change (OWASP ASVS 5.0 §6.2.3, §7.5.1). Failures are written down.
 * @throws {DomainError} REAUTHENTICATION_REQUIRED
 * @throws {RequestError} RATE_LIMITED
 */
export async function proveSelf(scope: AuthenticationScope, userId: string, proof: SelfProof): Promise<ProvenSelf> {
  const { currentPassword, nonce } = proof
  const path = ['input', nonce == null ? 'currentPassword' : 'nonce']
  const refusal = () => new DomainError('REAUTHENTICATION_REQUIRED', 'Send the current password, or a fresh code as `nonce`.', path, {})
  if (nonce == null && currentPassword == null) throw refusal()
  const budget = { budget: 'reauthenticate.account', of: userId } as const
  await spend(scope, scope.budgets, [budget])
  const proven = nonce == null ? await provePassword(scope, userId, currentPassword ?? '') : await proveNonce(scope, userId, nonce)
  if (proven !== null) {
    await restore(scope, [budget])
    return proven
  }
  await recordFailure(scope, 'user.reauthenticationFailed', userId)
  throw refusal()
}

async function provePassword({ db, passwords }: AuthenticationScope, userId: string, password: string): Promise<ProvenSelf | null> {
  const credential = await db.passwordCredential.findUnique({ where: { userId } })
  return (await passwords.verify(credential?.hash ?? null, password)) ? { nonceId: null } : null
}

async function proveNonce(scope: AuthenticationScope, userId: string, nonce: string): Promise<ProvenSelf | null> {
  const tried = await tryCode(scope, scope.secrets, 'REAUTHENTICATION', { userId }, nonce)
  return tried?.isRight && tried.isInTime ? { nonceId: tried.row.id } : null
}

/**
 * Uses the code up, in the commit of the change that it allows.
 * @throws {DomainError} REAUTHENTICATION_REQUIRED when another change was faster, or the address is another one by now
 */
export async function useProof(tx: ChangeScope, { nonceId }: ProvenSelf, emailNormal: string | null): Promise<void> {
  if (nonceId === null) return
  const row = await tx.db.oneTimeToken.findUnique({ where: { id: nonceId }, select: { emailNormal: true } })
  if (row?.emailNormal === emailNormal && (await claimToken(tx, nonceId))) return
  throw new DomainError('REAUTHENTICATION_REQUIRED', 'The code was used before. Ask for a new one.', ['input', 'nonce'], {})
}
