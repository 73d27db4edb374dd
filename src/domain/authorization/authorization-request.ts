import { hashOpaqueToken } from '../../crypto/opaque-token.ts'
import type { AuthenticationScope } from '../authentication.ts'

/** What somebody is sent to a provider for: to sign in, or to have the account there linked to the user he is. */
export type AuthorizationIntent = 'SIGN_IN' | 'LINK'

/** How long somebody may take at the provider. */
export const authorizationSeconds = 600

/** What is kept of somebody who is on his way. */
export type AuthorizationRequest = Readonly<{
  connectionId: string
  /** Of the connection. */
  key: string
  intent: AuthorizationIntent
  redirectTo: string
  appState: string | null
  codeChallenge: string
}>

/** What the browser and the provider bring back. */
export type Return = Readonly<{ state: string; browser: string }>

/** Writes down that somebody is on his way. Nothing of it is secret but the state and the cookie, of which hashes are kept. */
export async function keepRequest(
  { db, clock }: AuthenticationScope,
  { state, browser }: Return,
  { key: _key, ...request }: AuthorizationRequest,
): Promise<void> {
  const createdAt = clock.now()
  const expiresAt = new Date(createdAt.getTime() + authorizationSeconds * 1000)
  const hashes = { stateHash: hashOf(state), browserHash: hashOf(browser) }
  await db.authorizationRequest.create({ data: { ...hashes, ...request, createdAt, expiresAt }, select: { stateHash: true } })
}

/**
 * Takes a request up: of any number at once, one gets it, and it is gone. Null when there is none of this state and this browser, or it
 * has expired. Another browser's try leaves it to its own.
 */
export async function takeRequest({ db, clock }: AuthenticationScope, { state, browser }: Return): Promise<AuthorizationRequest | null> {
  const [row] = await db.$queryRaw<(AuthorizationRequest & { expiresAt: Date })[]>`
    with taken as (
      delete from roster.authorization_requests where state_hash = ${hashOf(state)} and browser_hash = ${hashOf(browser)} returning *
    )
    select taken.connection_id as "connectionId", connections.key, taken.intent, taken.redirect_to as "redirectTo",
      taken.app_state as "appState", taken.code_challenge as "codeChallenge", taken.expires_at as "expiresAt"
    from taken join roster.connections on connections.id = taken.connection_id`
  if (row === undefined || row.expiresAt <= clock.now()) return null
  const { expiresAt: _, ...request } = row
  return request
}

function hashOf(token: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(hashOpaqueToken(token))
}
