import type { AuthenticationScope } from '../authentication.ts'
import { findToken, type LinkType } from '../one-time-token.ts'
import { assertUnspent } from './find-proof.ts'

/**
 * Whether a link would work, as far as can be seen without using it: mail scanners open links, too. Where the browser goes afterwards,
 * as it was said when the link was made.
 * @throws {DomainError} TOKEN_EXPIRED, TOKEN_NOT_VALID
 */
export async function lookAtLink(scope: Pick<AuthenticationScope, 'db' | 'clock'>, type: LinkType, token: string): Promise<string | null> {
  return assertUnspent(await findToken(scope, type, token), scope.clock.now()).redirectTo
}
