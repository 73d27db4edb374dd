import { type AccessTokens, maxAdminTokenSeconds } from '../crypto/access-token.ts'
import type { AdminToken } from '../generated/prisma/client.ts'
import { change } from './change.ts'
import type { Image } from './difference.ts'
import { DomainError, DomainErrors, invalidInput, RequestError } from './errors.ts'
import { newId } from './id.ts'
import { isStorableText, isUuid } from './normalize.ts'
import { hasScope, isPermissionScope, type PermissionScope, permissionScopes } from './principal.ts'
import type { ReadScope, Scope } from './scope.ts'

/** What tokens are made with. */
export type TokenScope = Scope & Readonly<{ accessTokens: AccessTokens }>

/** A token to be made. */
export type CreateAdminTokenInput = Readonly<{
  name: string
  scopes: readonly string[]
  /** Null or absent: 90 days. At most 400 days, at least a minute: no token lives for ever. */
  expiresInSeconds?: number | null
}>

/** 90 days. */
export const defaultAdminTokenSeconds = 90 * 86_400
const leastSeconds = 60
const nameMaxLength = 100

/**
 * Makes a token without a user, for administrators and back ends. The token itself is answered here only and not kept. Writes
 * `adminToken.created`.
 *
 * @throws {DomainErrors} everything that is wrong with the input
 * @throws {RequestError} FORBIDDEN when it would hold more scopes than the caller does
 */
export async function createAdminToken(
  scope: TokenScope,
  input: CreateAdminTokenInput,
): Promise<{ adminToken: AdminToken; token: string }> {
  const { name, scopes, expiresInSeconds } = parse(input)
  const beyond = scopes.filter((name) => !hasScope(scope.caller.principal, name))
  if (beyond.length > 0)
    throw new RequestError('FORBIDDEN', 'A token cannot hold more scopes than its maker.', {
      requiredScopes: beyond,
      field: 'input.scopes',
    })
  const adminToken = await change(scope, 'adminToken.created', async ({ db, now }) => {
    const expiresAt = new Date(now.getTime() + expiresInSeconds * 1000)
    const row = await db.adminToken.create({ data: { id: newId(), name, scopes, createdAt: now, expiresAt } })
    return { result: { ...row, expiresAt }, subjectId: row.id, before: null, after: image(row) }
  })
  const claims = { kind: 'admin', id: adminToken.id, scopes } as const
  return { adminToken, token: await scope.accessTokens.sign(claims, adminToken.createdAt, adminToken.expiresAt) }
}

/** All tokens, newest first, those that have ended too. */
export function listAdminTokens({ db }: ReadScope): Promise<AdminToken[]> {
  return db.adminToken.findMany({ orderBy: { id: 'desc' } })
}

/**
 * Ends a token; it is refused at its next request. One that has ended stays as it is. Writes `adminToken.revoked`.
 * @throws {DomainError} ADMIN_TOKEN_NOT_FOUND
 */
export async function revokeAdminToken(scope: Scope, id: string): Promise<AdminToken> {
  return change(scope, 'adminToken.revoked', async ({ db, now }) => {
    const before = isUuid(id) ? await db.adminToken.findUnique({ where: { id } }) : null
    if (before === null) throw new DomainError('ADMIN_TOKEN_NOT_FOUND', 'There is no such admin token.', ['input', 'id'], {})
    await db.adminToken.updateMany({ where: { id, revokedAt: null }, data: { revokedAt: now } })
    const after = await db.adminToken.findUniqueOrThrow({ where: { id } })
    return { result: after, subjectId: after.id, before: image(before), after: image(after) }
  })
}

type Parsed = Readonly<{ name: string; scopes: PermissionScope[]; expiresInSeconds: number }>

function parse(input: CreateAdminTokenInput): Parsed {
  const name = input.name.trim()
  const expiresInSeconds = input.expiresInSeconds ?? defaultAdminTokenSeconds
  const problems = [...nameProblems(name), ...scopeProblems(input.scopes), ...expiryProblems(expiresInSeconds)]
  if (problems.length > 0) throw new DomainErrors(problems)
  return { name, scopes: permissionScopes.filter((scope) => input.scopes.includes(scope)), expiresInSeconds }
}

function nameProblems(name: string): DomainError[] {
  const isGood = name !== '' && name.length <= nameMaxLength && isStorableText(name)
  return isGood ? [] : [invalidInput(['input', 'name'], `A name has 1 to ${nameMaxLength} characters.`)]
}

function scopeProblems(scopes: readonly string[]): DomainError[] {
  if (scopes.length === 0) return [invalidInput(['input', 'scopes'], 'A token holds at least one scope.')]
  if (scopes.length > permissionScopes.length) return [invalidInput(['input', 'scopes'], 'There are not as many scopes as that.')]
  const unknown = scopes.flatMap((scope, index) => (isPermissionScope(scope) ? [] : [String(index)]))
  return unknown.map((index) =>
    invalidInput(['input', 'scopes', index], `This is no scope. The scopes are ${permissionScopes.join(', ')}.`),
  )
}

function expiryProblems(seconds: number): DomainError[] {
  const isGood = Number.isInteger(seconds) && seconds >= leastSeconds && seconds <= maxAdminTokenSeconds
  const days = maxAdminTokenSeconds / 86_400
  return isGood
    ? []
    : [invalidInput(['input', 'expiresIn'], `A token lives for at least ${leastSeconds} seconds and at most ${days} days.`)]
}

/** The token as history sees it. */
function image({ name, scopes, expiresAt, revokedAt }: AdminToken): Image {
  return { name, scopes, expiresAt: expiresAt?.toISOString() ?? null, revokedAt: revokedAt?.toISOString() ?? null }
}
