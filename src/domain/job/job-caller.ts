import type { Prisma } from '../../generated/prisma/client.ts'
import { isPermissionScope, type Principal } from '../principal.ts'
import type { Caller } from '../scope.ts'

/** Who asked for a job, as it is kept with it: what the job may do is what he was allowed to when he asked. */
export function writeCaller({ principal, ip, userAgent, requestId }: Caller): Prisma.InputJsonObject {
  return { principal: { ...principal, scopes: [...principal.scopes] }, ip, userAgent, requestId }
}

/** The caller that `writeCaller` wrote. */
export function readCaller(stored: Prisma.JsonValue): Caller {
  const { principal, ...rest } = stored as unknown as Caller & { principal: Omit<Principal, 'scopes'> & { scopes: string[] } }
  return { ...rest, principal: { ...principal, scopes: new Set(principal.scopes.filter(isPermissionScope)) } }
}
