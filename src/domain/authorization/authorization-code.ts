import { hashOpaqueToken, newOpaqueToken } from '../../crypto/opaque-token.ts'
import type { Secrets } from '../../crypto/secrets.ts'
import { Prisma } from '../../generated/prisma/client.ts'
import type { AuthenticationScope } from '../authentication.ts'
import { type ChangeScope, recordFailure } from '../change.ts'
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
      (select id from roster.identities where provider = ${key?.provider ?? null} and provider_user_id = ${key?.providerUserId ?? null}),
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
export type FoundCode = Readonly<{ connectionId: string; key: string }> &
  (Readonly<{ intent: 'SIGN_IN'; identityId: string; userId: string }> | Readonly<{ intent: 'LINK'; person: ProviderPerson }>)

/**
 * Finds what a code is good for, for who has its verifier. One that is tried with another verifier, or for something else, is gone: it has
 * fallen into other hands. Where it is somebody's, that is written down. Whether it is still there to be used, only `useCode` says.
 *
 * @throws {DomainError} TOKEN_NOT_VALID; TOKEN_EXPIRED only with the right verifier
 * @throws {RequestError} RATE_LIMITED
 */
export async function findCode<Intent extends FoundCode['intent']>(
  scope: AuthenticationScope,
  { code, codeVerifier }: CodeInput,
  intent: Intent,
): Promise<Extract<FoundCode, { intent: Intent }>> {
  await spend(scope, scope.budgets, [{ budget: 'verify.network', of: networkOf(scope.caller.ip) }])
  const [row] = await scope.db.$queryRaw<Row[]>`
    select codes.connection_id as "connectionId", connections.key, codes.identity_id as "identityId", identities.user_id as "userId",
      codes.sealed_person as "sealedPerson", codes.code_challenge as "codeChallenge", codes.expires_at as "expiresAt"
    from roster.authorization_codes codes join roster.connections on connections.id = codes.connection_id
    left join roster.identities on identities.id = codes.identity_id
    where codes.code_hash = ${hashOpaqueToken(code)}`
  if (row === undefined) throw codeNotValid()
  if (!matchesChallenge(codeVerifier, row.codeChallenge) || intentOf(row) !== intent) throw await drop(scope, code, row)
  if (row.expiresAt <= scope.clock.now()) throw await refused(scope, row, codeExpired())
  return readRow(scope, code, row) as Extract<FoundCode, { intent: Intent }>
}

/**
 * Uses a code up, in the commit of what it is used for: of any number at once, one gets it.
 * @throws {DomainError} TOKEN_NOT_VALID when another one was faster
 */
export async function useCode({ db }: Pick<ChangeScope, 'db'>, code: string): Promise<void> {
  const used = await db.$executeRaw`delete from roster.authorization_codes where code_hash = ${hashOpaqueToken(code)}`
  if (used !== 1) throw codeNotValid()
}

function intentOf({ sealedPerson }: Row): FoundCode['intent'] {
  return sealedPerson === null ? 'SIGN_IN' : 'LINK'
}

function readRow({ secrets }: AuthenticationScope, code: string, { sealedPerson, identityId, userId, ...connection }: Row): FoundCode {
  const { connectionId, key } = connection
  if (sealedPerson !== null)
    return { connectionId, key, intent: 'LINK', person: JSON.parse(secrets.unseal(sealedPerson, contextOf(code))) as ProviderPerson }
  // An identity takes its codes with it when it goes.
  if (identityId === null || userId === null) throw codeNotValid()
  return { connectionId, key, intent: 'SIGN_IN', identityId, userId }
}

async function drop(scope: AuthenticationScope, code: string, row: Row): Promise<DomainError> {
  await scope.db.$executeRaw`delete from roster.authorization_codes where code_hash = ${hashOpaqueToken(code)}`
  return refused(scope, row, codeNotValid())
}

async function refused(scope: AuthenticationScope, { userId, key }: Row, error: DomainError): Promise<DomainError> {
  if (userId !== null) await recordFailure(scope, 'user.signInFailed', userId, key)
  return error
}

/** The code is unknown, traded before, another application's, or good for something else: which of it is not told. */
export function codeNotValid(): DomainError<'TOKEN_NOT_VALID'> {
  return new DomainError('TOKEN_NOT_VALID', 'The code is not valid, or was used before.', ['input', 'code'], {})
}

function codeExpired(): DomainError<'TOKEN_EXPIRED'> {
  return new DomainError('TOKEN_EXPIRED', 'The code is too old. Sign in at the provider once more.', ['input', 'code'], {})
}
