import type { ReadScope } from '../scope.ts'

/** The issuers whose tokens are accepted, by the provider key of their identities. */
export type TrustedProviders = ReadonlyMap<string, string>

/**
 * Whether identities of a connection would be those of a trusted issuer that is another one: a `sub` of the one would be somebody of the
 * other (OWASP ASVS 5.0 §6.8.1).
 */
export function isForeignProvider(trusted: TrustedProviders, { key, issuer }: Readonly<{ key: string; issuer: string | null }>): boolean {
  return trusted.has(key) && trusted.get(key) !== issuer
}

/** The keys of the connections of which that is so. */
export async function foreignProviders({ db }: Pick<ReadScope, 'db'>, trusted: TrustedProviders): Promise<string[]> {
  if (trusted.size === 0) return []
  const rows = await db.connection.findMany({ where: { key: { in: [...trusted.keys()] } }, select: { key: true, issuer: true } })
  return rows.filter((connection) => isForeignProvider(trusted, connection)).map(({ key }) => key)
}
