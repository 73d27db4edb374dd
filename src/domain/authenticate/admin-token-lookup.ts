import type { RunRead } from '../../database/database.ts'
import { rowsByKey } from '../../database/reads/rows-by-key.ts'
import { createSharedLookup } from '../../database/reads/shared-lookup.ts'
import type { Clock } from '../../ports/clock.ts'
import { isPermissionScope, type PermissionScope } from '../principal.ts'
import type { Standing } from '../session.ts'

/** Says whether an admin token stands, and what it may do: as it is in the database from now on, not as it says. */
export type AdminTokenLookup = (id: string) => Promise<Readonly<{ standing: Standing; scopes: readonly PermissionScope[] }>>

type Row = Readonly<{ id: string; revokedAt: Date | null; expiresAt: Date | null; scopes: string[] }>

/** Tokens that are looked up in the same turn share a statement. */
export function createAdminTokenLookup({ lookUp, clock }: Readonly<{ lookUp: RunRead; clock: Clock }>): AdminTokenLookup {
  const find = createSharedLookup((ids) => lookUp<Row>(tokensById, [ids]))
  return async (id) => {
    const token = await find(id)
    if (token === null || token.revokedAt !== null) return { standing: 'revoked', scopes: [] }
    const isExpired = token.expiresAt !== null && token.expiresAt <= clock.now()
    return { standing: isExpired ? 'expired' : 'standing', scopes: token.scopes.filter(isPermissionScope) }
  }
}

const tokensById = `
  select id, revoked_at as "revokedAt", expires_at as "expiresAt", scopes
  from ${rowsByKey('roster.admin_tokens', 'token', { column: 'id', type: 'uuid' })}`
