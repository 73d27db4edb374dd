/** What a token may be allowed to do; `admin` holds them all. Auth0's names where Auth0 has one. */
export const permissionScopes = [
  'admin',
  'read:users',
  'create:users',
  'update:users',
  'delete:users',
  'read:users_app_metadata',
  'update:users_app_metadata',
  'read:sessions',
  'delete:sessions',
  'read:connections',
  'update:connections',
  'read:logs',
  'create:user_tickets',
  'import:users',
  'export:users',
  'read:user_idp_tokens',
  'read:diagnostics',
  'read:admin_tokens',
  'update:admin_tokens',
] as const

export type PermissionScope = (typeof permissionScopes)[number]

/** Who is calling. */
export type Principal = Readonly<{
  /** `user`: a signed-in person. `application`: an administrator's or a back end's token, without a user. */
  kind: 'anonymous' | 'user' | 'application'
  /** Set for `user` only. */
  userId: string | null
  /** The session an own access token belongs to; null for tokens of other issuers. */
  sessionId: string | null
  /** The admin token's id (its `jti`); null for everybody else. */
  tokenId: string | null
  /** Authenticator assurance level of the session: `aal1`, `aal2`. */
  aal: string | null
  scopes: ReadonlySet<PermissionScope>
}>

/** A request without a token. */
export const anonymous: Principal = {
  kind: 'anonymous',
  userId: null,
  sessionId: null,
  tokenId: null,
  aal: null,
  scopes: new Set(),
}

/** Roster itself: migrations, the command line, jobs. It holds every scope. */
export const system: Principal = { ...anonymous, kind: 'application', scopes: new Set(['admin']) }

export function isPermissionScope(value: string): value is PermissionScope {
  return (permissionScopes as readonly string[]).includes(value)
}

/** Whether the principal holds the scope, by name or by `admin`. */
export function hasScope(principal: Principal, scope: PermissionScope): boolean {
  return principal.scopes.has('admin') || principal.scopes.has(scope)
}
