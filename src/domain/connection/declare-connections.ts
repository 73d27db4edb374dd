import type { AuthenticationScope } from '../authentication.ts'
import { DomainError } from '../errors.ts'
import { type CreateConnectionInput, createConnection } from './create-connection.ts'
import { isForeignProvider } from './foreign-providers.ts'
import { providers } from './strategy.ts'
import { updateConnection } from './update-connection.ts'

type Kept = Readonly<{ id: string; key: string; strategy: string; issuer: string | null }>

/**
 * Has the declared connections stand as they are declared: makes those that are missing, and changes what is otherwise. What a
 * declaration leaves out is left alone, and so are connections that are not declared. Each real change writes its event. Any number of
 * processes may do it at once.
 *
 * @returns what stands in the way: connections that have another strategy or issuer, which never change, or the identities of a trusted issuer. Then nothing was done.
 */
export async function declareConnections(scope: AuthenticationScope, declared: readonly CreateConnectionInput[]): Promise<string[]> {
  if (declared.length === 0) return []
  const kept = await findConnections(scope, declared)
  const problems = declared.flatMap((connection, index) =>
    identityProblems(scope, connection, kept.get(connection.key)).map((problem) => `${index}${problem}`),
  )
  if (problems.length > 0) return problems
  for (const connection of declared) await declare(scope, connection, kept.get(connection.key) ?? null)
  return []
}

async function findConnections({ db }: AuthenticationScope, declared: readonly CreateConnectionInput[]): Promise<Map<string, Kept>> {
  const where = { key: { in: declared.map(({ key }) => key) } }
  const rows = await db.connection.findMany({ where, select: { id: true, key: true, strategy: true, issuer: true } })
  return new Map(rows.map((row) => [row.key, row]))
}

function identityProblems(
  { trustedProviders }: AuthenticationScope,
  { key, strategy, issuer }: CreateConnectionInput,
  kept: Kept | undefined,
): string[] {
  const wanted = strategy in providers ? (issuer ?? providers[strategy as keyof typeof providers].issuer) : null
  if (isForeignProvider(trustedProviders, { key, issuer: wanted }))
    return ['.key: identities of a trusted issuer, another one, have this name']
  if (kept === undefined) return []
  return [
    ...(kept.strategy === strategy ? [] : [`.strategy: the connection has the strategy ${kept.strategy}, which never changes`]),
    ...(kept.issuer === wanted ? [] : ['.issuer: the connection has another issuer, which never changes']),
  ]
}

async function declare(scope: AuthenticationScope, connection: CreateConnectionInput, kept: Kept | null): Promise<void> {
  const { key, strategy: _strategy, issuer: _issuer, ...settings } = connection
  if (kept !== null) {
    await updateConnection(scope, { ...settings, id: kept.id })
    return
  }
  try {
    await createConnection(scope, connection)
  } catch (error) {
    if (!(error instanceof DomainError) || error.code !== 'CONNECTION_KEY_TAKEN') throw error
    // Another process was faster.
    const { id } = await scope.db.connection.findUniqueOrThrow({ where: { key }, select: { id: true } })
    await updateConnection(scope, { ...settings, id })
  }
}
