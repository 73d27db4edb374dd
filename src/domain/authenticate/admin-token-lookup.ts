import type { PrismaClient } from '../../generated/prisma/client.ts'
import type { Clock } from '../../ports/clock.ts'
import { isPermissionScope, type PermissionScope } from '../principal.ts'
import type { Standing } from '../session.ts'
import { createSharedLookup } from './shared-lookup.ts'

/** Says whether an admin token stands, and what it may do: as it is in the database from now on, not as it says. */
export type AdminTokenLookup = (id: string) => Promise<Readonly<{ standing: Standing; scopes: readonly PermissionScope[] }>>

type Row = Readonly<{ id: string; revokedAt: Date | null; expiresAt: Date | null; scopes: string[] }>

/** Tokens that are looked up in the same turn share a statement. */
export function createAdminTokenLookup({ db, clock }: Readonly<{ db: PrismaClient; clock: Clock }>): AdminTokenLookup {
  const find = createSharedLookup(
    (ids) => db.$queryRaw<Row[]>`
      select id, revoked_at as "revokedAt", expires_at as "expiresAt", scopes from roster.admin_tokens where id = any(${ids}::uuid[])`,
  )
  return async (id) => {
    const token = await find(id)
    if (token === null || token.revokedAt !== null) return { standing: 'revoked', scopes: [] }
    const isExpired = token.expiresAt !== null && token.expiresAt <= clock.now()
    return { standing: isExpired ? 'expired' : 'standing', scopes: token.scopes.filter(isPermissionScope) }
  }
}
