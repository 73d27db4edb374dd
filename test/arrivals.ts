import { systemScope } from '../src/app.ts'
import type { ConnectionSettings } from '../src/domain/connection/connection-settings.ts'
import { createConnection } from '../src/domain/connection/create-connection.ts'
import { DomainError } from '../src/domain/errors.ts'
import type { Claims } from '../src/domain/federation/adapters.ts'
import { arriveByProvider } from '../src/domain/federation/arrive-by-provider.ts'
import { findProviderConnection, type ProviderConnection } from '../src/domain/federation/provider-connection.ts'
import { readPerson } from '../src/domain/federation/provider-person.ts'
import { startProviderSession } from '../src/domain/federation/start-provider-session.ts'
import { anonymous, system } from '../src/domain/principal.ts'
import type { Harness } from './harness.ts'

/** People who come from providers, without the providers: what the domain makes of claims. */
export function arrivalsOn({ app }: Harness) {
  const of = (principal: typeof system) => ({
    ...systemScope(app),
    ...app.authentication,
    caller: { principal, ip: '192.0.2.7', userAgent: 'test', requestId: 'request' },
  })
  const arrive = async (connection: ProviderConnection, claims: Claims): Promise<string> => {
    const person = readPerson(connection, claims)
    if (person === null) throw new Error('there is nobody in these claims')
    const scope = of(anonymous)
    try {
      return await arriveByProvider(scope, { connection, person }, async (tx, { userId }) => {
        await startProviderSession(tx, scope, userId, connection.key)
        return { result: userId }
      })
    } catch (error) {
      if (error instanceof DomainError) return error.code
      throw error
    }
  }
  return {
    /** Makes a connection; `acme` with OpenID Connect unless said otherwise. */
    aConnection: async (settings: ConnectionSettings = {}, key = 'acme'): Promise<ProviderConnection> => {
      const scope = { ...of(system) }
      await createConnection(scope, { key, strategy: 'OIDC', issuer: `https://${key}.example`, clientId: 'roster', ...settings } as never)
      return findProviderConnection(scope, key)
    },
    /** Somebody comes with these claims: the user's id, or the code of what was refused. */
    arrive,
  }
}
