import { RequestError } from '../domain/errors.ts'
import { hasScope, type PermissionScope, type Principal } from '../domain/principal.ts'

/** Who may read a field or send an input: the user whose record it is, or any token that holds one of the scopes. */
export type Access = Readonly<{ self: boolean; scopes: readonly PermissionScope[] }>

/** For what is nobody's secret, and for what only those can reach who may read it. */
export const everyone: Access = { self: false, scopes: [] }

/** For any token that holds one of these scopes. */
export function scopes(...names: PermissionScope[]): Access {
  return { self: false, scopes: names }
}

/** For the user whose record it is, and any token that holds one of these scopes. */
export function selfOr(...names: PermissionScope[]): Access {
  return { self: true, scopes: names }
}

export function isRestricted({ self, scopes }: Access): boolean {
  return self || scopes.length > 0
}

/** Whether the principal may, `owner` being the id of the user whose record it is. */
export function allows(access: Access, principal: Principal, owner: string | null): boolean {
  if (!isRestricted(access)) return true
  if (access.self && owner !== null && owner === principal.userId) return true
  return access.scopes.some((scope) => hasScope(principal, scope))
}

/** The refusal of a caller: UNAUTHENTICATED when it has no token at all, FORBIDDEN when its token does not reach. */
export function refusal(access: Access, principal: Principal, what: string, field?: string): RequestError {
  const extensions = { requiredScopes: access.scopes, ...(field === undefined ? {} : { field }) }
  if (principal.kind === 'anonymous') return new RequestError('UNAUTHENTICATED', `${what} needs a token.`, extensions)
  const wanted = access.scopes.length > 0 ? `a token with ${access.scopes.join(' or ')}` : 'the user whose record it is'
  return new RequestError('FORBIDDEN', `${what} needs ${wanted}.`, extensions)
}

/** The declaration as it was put on a built field or input field. */
export function accessOf(element: { extensions?: unknown }): Access {
  return (element.extensions as { access?: Access } | undefined)?.access ?? everyone
}
