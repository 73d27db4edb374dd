import type { AuthenticationScope } from '../authentication.ts'
import { recordFailure } from '../change.ts'
import { DomainError, invalidInput } from '../errors.ts'
import { networkOf } from '../network.ts'
import { findToken, type LinkType, tryCode } from '../one-time-token.ts'
import { spend } from '../rate-limit.ts'
import { parseAddress } from './addressee.ts'

/** What somebody brings back: a link's token, or a code with the address it was mailed to. */
export type Proof = Readonly<{ type: LinkType; tokenHash?: string | null; email?: string | null; code?: string | null }>

/** The row that a proof has opened. Whether it is still there to be used, only `claimToken` says. */
export type Found = NonNullable<Awaited<ReturnType<typeof findToken>>>

/**
 * Finds what a proof is good for. A code's try is counted before it is looked at; that a code has expired is told only to who has the
 * right one. Failures are written down.
 *
 * @throws {DomainError} INVALID_INPUT, TOKEN_EXPIRED, TOKEN_NOT_VALID
 * @throws {RequestError} RATE_LIMITED
 */
export async function findProof(scope: AuthenticationScope, proof: Proof): Promise<Found> {
  const network = { budget: 'verify.network', of: networkOf(scope.caller.ip) } as const
  const { type, tokenHash, email, code } = proof
  if (typeof tokenHash === 'string' && email == null && code == null) {
    await spend(scope, scope.budgets, [network])
    return assertUsable(scope, await findToken(scope, type, tokenHash))
  }
  if (tokenHash != null || typeof email !== 'string' || typeof code !== 'string')
    throw invalidInput(['input', 'tokenHash'], 'Send `tokenHash`, or `email` and `code`.')
  const { normal } = parseAddress(email)
  await spend(scope, scope.budgets, [network, { budget: 'code.account', of: normal }])
  const tried = await tryCode(scope, scope.secrets, type, { emailNormal: normal }, code)
  if (tried === null || !tried.isRight) throw await refuse(scope, tokenNotValid(), tried?.row.userId ?? null)
  if (!tried.isInTime) throw await refuse(scope, tokenExpired(), tried.row.userId)
  return tried.row
}

/** A token that is not there, used or void, or too old, as it is told. */
export function assertUnspent(row: Found | null, now: Date): Found {
  if (row === null || row.usedAt !== null) throw tokenNotValid()
  if (row.expiresAt <= now) throw tokenExpired()
  return row
}

async function assertUsable(scope: AuthenticationScope, row: Found | null): Promise<Found> {
  try {
    return assertUnspent(row, scope.clock.now())
  } catch (error) {
    throw await refuse(scope, error as DomainError, row?.userId ?? null)
  }
}

/** Writes the failure down, whoever's it was: what is known must not show in the time of the answer. */
export async function refuse(scope: AuthenticationScope, error: DomainError, userId: string | null): Promise<DomainError> {
  await recordFailure(scope, 'user.verificationFailed', userId, 'email')
  return error
}

/** The link or code is unknown, another one's, used before, or replaced by a later one: which of it is not told. */
export function tokenNotValid(): DomainError<'TOKEN_NOT_VALID'> {
  return new DomainError('TOKEN_NOT_VALID', 'The link or code is not valid, or was used before.', [], {})
}

function tokenExpired(): DomainError<'TOKEN_EXPIRED'> {
  return new DomainError('TOKEN_EXPIRED', 'The link or code is too old. Ask for a new one.', [], {})
}
