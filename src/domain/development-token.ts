import { join } from 'node:path'
import { readPrivateFile, replacePrivateFile } from '../ports/private-file.ts'
import { createAdminToken, type TokenScope } from './admin-token.ts'
import type { Authenticator } from './authenticate.ts'
import { RequestError } from './errors.ts'

/**
 * The admin token of development mode, kept in the data directory in a file only its owner can read. It is made anew when it is
 * missing or does not hold any more: expired, revoked, of another issuer or another database. `isNew` says whether it was.
 */
export async function developmentToken(
  scope: TokenScope,
  { dataDir, authenticator }: Readonly<{ dataDir: string; authenticator: Authenticator }>,
): Promise<{ token: string; isNew: boolean }> {
  const path = join(dataDir, 'admin-token')
  const kept = readPrivateFile(path)
  if (kept !== null && (await isAdmin(authenticator, kept))) return { token: kept, isNew: false }
  const { token } = await createAdminToken(scope, { name: 'development', scopes: ['admin'] })
  replacePrivateFile(path, token)
  return { token, isNew: true }
}

async function isAdmin(authenticator: Authenticator, token: string): Promise<boolean> {
  try {
    const { tokenId, scopes } = await authenticator.authenticate(token)
    return tokenId !== null && scopes.has('admin')
  } catch (error) {
    if (error instanceof RequestError && error.code === 'UNAUTHENTICATED') return false
    throw error
  }
}
