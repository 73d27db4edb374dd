import type { Prisma } from '../../generated/prisma/client.ts'
import type { ProviderClient } from '../../ports/providers.ts'
import type { AuthenticationScope } from '../authentication.ts'
import type { ChangeScope } from '../change.ts'
import type { ProfileSync } from '../connection/connection-settings.ts'
import type { ProviderStrategy } from '../connection/strategy.ts'
import { DomainError } from '../errors.ts'
import type { Metadata } from '../metadata.ts'

const columns = {
  id: true,
  key: true,
  strategy: true,
  issuer: true,
  clientId: true,
  scopes: true,
  profileSync: true,
  attributeMap: true,
  linkByVerifiedEmail: true,
  allowSignUp: true,
} satisfies Prisma.ConnectionSelect

/** Behind a connection of the strategy PASSWORD there is an old system, which nobody is sent to. */
const byProvider = { enabled: true, strategy: { not: 'PASSWORD' } } satisfies Prisma.ConnectionWhereInput

const connectionPath = ['input', 'connection']

/** A connection that people sign in by: one that is enabled. */
export type ProviderConnection = Readonly<{
  id: string
  key: string
  strategy: ProviderStrategy
  issuer: string | null
  clientId: string
  scopes: readonly string[]
  profileSync: ProfileSync
  attributeMap: Metadata
  linkByVerifiedEmail: boolean
  allowSignUp: boolean
}>

/**
 * Finds the connection to begin a sign-in by; `path` is where the input names it.
 * @throws {DomainError} CONNECTION_NOT_FOUND when there is none of this key, or it is disabled
 */
export async function findProviderConnection(
  { db }: Pick<AuthenticationScope, 'db'>,
  key: string,
  path: readonly string[] = connectionPath,
): Promise<ProviderConnection> {
  const row = await db.connection.findFirst({ where: { key, ...byProvider }, select: columns })
  if (row === null) throw connectionNotFound(path)
  return row as unknown as ProviderConnection
}

/**
 * Reads the connection as it stands now, inside the change that a sign-in ends with, and keeps it from being changed meanwhile.
 * @throws {DomainError} CONNECTION_NOT_FOUND when it was deleted or disabled since the sign-in began
 */
export async function holdProviderConnection({ db }: ChangeScope, id: string): Promise<ProviderConnection> {
  await db.$queryRaw`select 1 from roster.connections where id = ${id}::uuid for share`
  const row = await db.connection.findFirst({ where: { id, ...byProvider }, select: columns })
  if (row === null) throw connectionNotFound(connectionPath)
  return row as unknown as ProviderConnection
}

/** Roster as this connection's provider knows it, with the secret unsealed. Nothing of it is to be logged or answered. */
export async function readProviderClient(
  { db, secrets }: Pick<AuthenticationScope, 'db' | 'secrets'>,
  { id, issuer, clientId }: ProviderConnection,
): Promise<ProviderClient> {
  const row = await db.connectionSecret.findUnique({ where: { connectionId: id }, select: { sealedClientSecret: true } })
  const clientSecret = row === null ? null : secrets.unseal(row.sealedClientSecret, `connection-secret:${id}`)
  return { issuer, clientId, clientSecret }
}

/** Whether it never was or is disabled is not told. */
function connectionNotFound(path: readonly string[]): DomainError<'CONNECTION_NOT_FOUND'> {
  return new DomainError('CONNECTION_NOT_FOUND', 'There is no such connection, or it is disabled.', path, {})
}
