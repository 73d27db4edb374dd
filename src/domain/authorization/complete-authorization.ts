import type { Ending } from '../../ports/ending.ts'
import { ProviderAnswerError, readAuthorization } from '../../ports/provider-authorization.ts'
import { inProviderTime } from '../../ports/providers.ts'
import type { AuthenticationScope } from '../authentication.ts'
import { DomainError } from '../errors.ts'
import { arriveByProvider } from '../federation/arrive-by-provider.ts'
import { findProviderConnection, type ProviderConnection, readProviderClient } from '../federation/provider-connection.ts'
import { type ProviderPerson, readPerson } from '../federation/provider-person.ts'
import { newCode } from './authorization-code.ts'
import type { AuthorizationRequest } from './authorization-request.ts'
import { callbackUrl } from './callback-url.ts'
import { providerProofs } from './provider-proofs.ts'

/** What somebody has brought back from a provider. */
export type CompleteAuthorizationInput = Readonly<{
  request: AuthorizationRequest
  /** The key in the path he came back by. */
  key: string
  state: string
  /** What the provider has added to the redirect URI, or sent as a form. */
  parameters: URLSearchParams
}>

/**
 * Reads who it is from the provider, and makes a code of it for the application. SIGN_IN finds, links or makes the user; LINK looks for
 * nobody, and writes nothing but the code. `ending` is looked at before anything is written.
 *
 * @throws {DomainError} what `arriveByProvider` throws; CONNECTION_NOT_FOUND also when he came back to another connection's path: a
 * provider may have been taken for another one (RFC 9700 §4.4)
 * @throws {ProviderRefusedError} when the provider let nobody in
 * @throws {ProviderAnswerError} when its answer does not hold
 * @throws {ProviderUnavailableError} when it does not answer
 */
export async function completeAuthorization(
  scope: AuthenticationScope,
  input: CompleteAuthorizationInput,
  ending: Ending,
): Promise<string> {
  const { request, key } = input
  if (request.key !== key) throw new DomainError('CONNECTION_NOT_FOUND', 'The answer came from another provider.', [], {})
  const connection = await findProviderConnection(scope, key)
  const person = await inProviderTime(readFrom(scope, connection, input))
  ending.throwIfAborted()
  const { codeChallenge, intent } = request
  if (intent === 'LINK') {
    const { code, row } = newCode(scope.clock.now(), scope.secrets, { connectionId: connection.id, codeChallenge, subject: { person } })
    await scope.db.$executeRaw(row)
    return code
  }
  const subject = { provider: key, providerUserId: person.subject }
  return arriveByProvider(scope, { connection, person }, async ({ db, now }) => {
    const { code, row } = newCode(now, scope.secrets, { connectionId: connection.id, codeChallenge, subject })
    await db.$executeRaw(row)
    return { result: code, type: 'user.signInRequested' }
  })
}

async function readFrom(
  scope: AuthenticationScope,
  connection: ProviderConnection,
  { state, parameters }: CompleteAuthorizationInput,
): Promise<ProviderPerson> {
  const { key, strategy } = connection
  const configuration = await scope.providers.configuration(await readProviderClient(scope, connection))
  const url = new URL(`${callbackUrl(scope.links, key)}?${parameters}`)
  const claimsFrom = strategy === 'GITHUB' ? 'github' : strategy === 'OIDC' ? 'userinfo' : 'idToken'
  const proofs = providerProofs(scope.secrets, { strategy, state })
  const claims = await readAuthorization(configuration, { url, state, ...proofs, claimsFrom })
  const person = readPerson(connection, claims, { appleUser: parameters.get('user') })
  if (person === null) throw new ProviderAnswerError('no_subject')
  return person
}
