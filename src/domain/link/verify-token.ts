import type { AuthenticationScope } from '../authentication.ts'
import { DomainError, invalidInput } from '../errors.ts'
import { passwordProblem } from '../password/password-policy.ts'
import { credentialHash } from '../password.ts'
import { confirmEmailChange } from './confirm-email-change.ts'
import { type Found, findProof, type Proof, refuse, tokenNotValid } from './find-proof.ts'
import { signInByProof } from './sign-in-by-proof.ts'
import type { Verified } from './verified.ts'

export type VerifyTokenInput = Proof & Readonly<{ newPassword?: string | null }>

/**
 * Uses a link or code up, once. SIGNUP, INVITE, MAGIC_LINK and RECOVERY verify the address and sign in; RECOVERY and INVITE set
 * `newPassword` when it is sent. EMAIL_CHANGE_CURRENT and EMAIL_CHANGE_NEW confirm a change of the address, and sign nobody in.
 * A block is not lifted by any of them. `withSession: false` signs nobody in.
 *
 * @throws {DomainError} TOKEN_EXPIRED, TOKEN_NOT_VALID, WEAK_PASSWORD, INVALID_INPUT; EMAIL_TAKEN for an address that became
 * somebody else's meanwhile
 * @throws {RequestError} RATE_LIMITED
 */
export async function verifyToken(scope: AuthenticationScope, input: VerifyTokenInput, { withSession = true } = {}): Promise<Verified> {
  assertInput(scope, input, null)
  const found = await findProof(scope, input)
  assertInput(scope, input, found.emailNormal)
  try {
    if (input.type === 'EMAIL_CHANGE_CURRENT' || input.type === 'EMAIL_CHANGE_NEW') return await confirmEmailChange(scope, found)
    return await signInByProof(scope, found, { hash: await newHash(scope, input), isCode: typeof input.code === 'string', withSession })
  } catch (error) {
    throw await afterFailure(scope, error, found)
  }
}

/** Whose password it becomes is known only once the proof is found. */
function assertInput({ passwords }: AuthenticationScope, { type, newPassword }: VerifyTokenInput, email: string | null): void {
  if (type === 'REAUTHENTICATION')
    throw invalidInput(['input', 'type'], 'Send the code of a reauthentication as `nonce`, with the change that needs it.')
  if (newPassword == null) return
  if (type !== 'RECOVERY' && type !== 'INVITE') throw invalidInput(['input', 'newPassword'], 'Only RECOVERY and INVITE set a password.')
  const problem = passwordProblem(passwords.policy, newPassword, ['input', 'newPassword'], { email })
  if (problem !== null) throw problem
}

/** Slow, so that it is done only for who has brought the right token. */
async function newHash({ passwords }: AuthenticationScope, { newPassword }: VerifyTokenInput): Promise<string | null> {
  return typeof newPassword === 'string' ? credentialHash(passwords, { password: newPassword }) : null
}

/** The token was there, but somebody else was faster, the user is gone or blocked, or has another address by now. */
async function afterFailure(scope: AuthenticationScope, error: unknown, { userId }: Found): Promise<unknown> {
  if (!(error instanceof DomainError)) return error
  if (error.code === 'USER_NOT_FOUND') return tokenNotValid()
  return error.code === 'TOKEN_NOT_VALID' ? refuse(scope, error, userId) : error
}
