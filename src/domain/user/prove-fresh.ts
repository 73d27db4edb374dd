import type { AuthenticationScope } from '../authentication.ts'
import { type ProvenSelf, proveSelf, type SelfProof } from './prove-self.ts'

/** OWASP ASVS 5.0 §7.5.3 asks for a fresh sign-in before a sensitive change; this long it is one. */
const freshMinutes = 5

/**
 * Like `proveSelf`, but asks nothing of a user who signed in a moment ago: who has neither a password nor a verified address has
 * nothing else to show.
 * @throws {DomainError} REAUTHENTICATION_REQUIRED
 * @throws {RequestError} RATE_LIMITED
 */
export async function proveFresh(scope: AuthenticationScope, userId: string, proof: SelfProof): Promise<ProvenSelf> {
  return (await isFresh(scope)) ? { nonceId: null } : proveSelf(scope, userId, proof)
}

/** A token of another issuer has no session here. */
async function isFresh({ db, clock, caller: { principal } }: AuthenticationScope): Promise<boolean> {
  if (principal.sessionId === null) return false
  const session = await db.session.findUnique({ where: { id: principal.sessionId }, select: { createdAt: true } })
  return session !== null && session.createdAt.getTime() > clock.now().getTime() - freshMinutes * 60_000
}
