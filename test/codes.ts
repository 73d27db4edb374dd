import { newCode } from '../src/domain/authorization/authorization-code.ts'
import { newId } from '../src/domain/id.ts'
import type { Harness } from './harness.ts'
import { connect, newPkce, type Pkce } from './provider-flow.ts'

/** A code as somebody comes back with it from a provider, and what it is good for. */
export type ACode = Readonly<{ code: string; pkce: Pkce; userId: string; identityId: string; subject: string }>

/** Codes of a connection, without the way to its provider, whom nobody asks. */
export async function codesOn(harness: Harness) {
  const { app, clock } = harness
  const db = app.database.prisma
  const peer = { issuer: 'http://127.0.0.1:9', clientId: 'roster', clientSecret: 'a secret' } as Parameters<typeof connect>[1]
  const connectionId = await connect(harness, peer, 'acme')
  const keep = async (subject: Parameters<typeof newCode>[2]['subject'], pkce: Pkce) => {
    const { code, row } = newCode(clock.now(), app.authentication.secrets, { connectionId, codeChallenge: pkce.challenge, subject })
    await db.$executeRaw(row)
    return code
  }
  return {
    connectionId,
    /** Of a user who has an account there; a new one unless said otherwise. */
    toSignIn: async (userId?: string): Promise<ACode> => {
      const [id, subject, pkce] = [newId(), newId(), newPkce()]
      const owner = userId ?? (await harness.aUser({})).id
      await db.identity.create({ data: { id, userId: owner, provider: 'acme', providerUserId: subject, createdAt: clock.now() } })
      return { code: await keep({ provider: 'acme', providerUserId: subject }, pkce), pkce, userId: owner, identityId: id, subject }
    },
    /** Of an account that is to be linked. */
    toLink: async (subject = newId()): Promise<Pick<ACode, 'code' | 'pkce' | 'subject'>> => {
      const pkce = newPkce()
      const person = { subject, email: 'ada@example.com', emailVerified: true, profile: { name: 'Ada' }, claims: { sub: subject } }
      return { code: await keep({ person }, pkce), pkce, subject }
    },
  }
}

export type Codes = Awaited<ReturnType<typeof codesOn>>
