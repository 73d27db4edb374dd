import { hashOpaqueToken, newOpaqueToken } from '../../crypto/opaque-token.ts'
import type { Secrets } from '../../crypto/secrets.ts'
import { Prisma } from '../../generated/prisma/client.ts'
import type { AuthenticationScope } from '../authentication.ts'
import { recordFailure } from '../change.ts'
import { DomainError } from '../errors.ts'
import type { ProviderPerson } from '../federation/provider-person.ts'
import { networkOf } from '../network.ts'
import { spend } from '../rate-limit.ts'
import { matchesChallenge } from './code-challenge.ts'

/** How long an application has to trade a code. */
export const codeSeconds = 60

/** What a new code is good for: signing in by an identity, which is there by then, or linking an account. */
export type CodeSubject = Readonly<{ provider: string; providerUserId: string }> | Readonly<{ person: ProviderPerson }>

type NewCode = Readonly<{ connectionId: string; codeChallenge: string; subject: CodeSubject }>

/** A code, and what inserts its row. Only its hash is kept. */
export function newCode(now: Date, secrets: Secrets, { connectionId, codeChallenge, subject }: NewCode) {
  const code = newOpaqueToken()
  const expiresAt = new Date(now.getTime() + codeSeconds * 1000)
  const [key, sealed] = 'person' in subject ? [null, secrets.seal(JSON.stringify(subject.person), contextOf(code))] : [subject, null]
  const row = Prisma.sql`
    insert into roster.authorization_codes (code_hash, connection_id, identity_id, sealed_person, code_challenge, created_at, expires_at)
    values (
      ${hashOpaqueToken(code)}, ${connectionId}::uuid,
      (select id from roster.identities where provider = ${key?.provider} and provider_user_id = ${key?.providerUserId}),
      ${sealed}, ${codeChallenge}, ${now}, ${expiresAt}
    )`
  return { code, row }
}

/** A box is of use to who has the code. */
function contextOf(code: string): string {
  return `authorization-code:${hashOpaqueToken(code).toString('base64url')}`
}

/** What an application brings back, RFC 7636 §4.5. */
export type CodeInput = Readonly<{ code: string; codeVerifier: string }>

type Row = Readonly<{
  connectionId: string
  key: string
  identityId: string | null
  userId: string | null
  sealedPerson: string | null
  codeChallenge: string
  expiresAt: Date
}>

/** What a code is good for. */
export type TakenCode = Readonly<{ connectionId: string; key: string }> &
  (Readonly<{ intent: 'SIGN_IN'; identityId: string; userId: string }> | Readonly<{ intent: 'LINK'; person: ProviderPerson }>)

/**
 * Takes a code up: of any number at once, one gets it, and it is gone, whatever comes of it: a wrong verifier has no second try. A try
 * of a code that is somebody's is written down.
 *
 * @throws {DomainError} TOKEN_NOT_VALID; TOKEN_EXPIRED only with the right verifier
 * @throws {RequestError} RATE_LIMITED
 */
export async function takeCode<Intent extends TakenCode['intent']>(
  scope: AuthenticationScope,
  { code, codeVerifier }: CodeInput,
  intent: Intent,
): Promise<Extract<TakenCode, { intent: Intent }>> {
  await spend(scope, scope.budgets, [{ budget: 'verify.network', of: networkOf(scope.caller.ip) }])
  const [row] = await scope.db.$queryRaw<Row[]>`
    with taken as (delete from roster.authorization_codes where code_hash = ${hashOpaqueToken(code)} returning *)
    select taken.connection_id as "connectionId", connections.key, taken.identity_id as "identityId", identities.user_id as "userId",
      taken.sealed_person as "sealedPerson", taken.code_challenge as "codeChallenge", taken.expires_at as "expiresAt"
    from taken join roster.connections on connections.id = taken.connection_id
    left join roster.identities on identities.id = taken.identity_id`
  if (row === undefined) throw codeNotValid()
  const taken = readRow(scope, code, row)
  if (!matchesChallenge(codeVerifier, row.codeChallenge) || taken.intent !== intent) throw await refuse(scope, row, codeNotValid())
  if (row.expiresAt <= scope.clock.now()) throw await refuse(scope, row, codeExpired())
  return taken as Extract<TakenCode, { intent: Intent }>
}

function readRow({ secrets }: AuthenticationScope, code: string, { connectionId, key, identityId, userId, sealedPerson }: Row): TakenCode {
  if (sealedPerson !== null)
    return { connectionId, key, intent: 'LINK', person: JSON.parse(secrets.unseal(sealedPerson, contextOf(code))) as ProviderPerson }
  // An identity takes its codes with it when it goes.
  if (identityId === null || userId === null) throw codeNotValid()
  return { connectionId, key, intent: 'SIGN_IN', identityId, userId }
}

async function refuse(scope: AuthenticationScope, { userId, key }: Row, error: DomainError): Promise<DomainError> {
  if (userId === null) return error
  await recordFailure(scope, 'user.signInFailed', userId, key)
  return error
}

/** The code is unknown, traded before, another application's, or good for something else: which of it is not told. */
export function codeNotValid(): DomainError<'TOKEN_NOT_VALID'> {
  return new DomainError('TOKEN_NOT_VALID', 'The code is not valid, or was used before.', ['input', 'code'], {})
}

function codeExpired(): DomainError<'TOKEN_EXPIRED'> {
  return new DomainError('TOKEN_EXPIRED', 'The code is too old. Sign in at the provider once more.', ['input', 'code'], {})
}
