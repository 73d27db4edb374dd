import type { ConnectionSettings } from '../src/domain/connection/connection-settings.ts'
import type { ProviderConnection } from '../src/domain/federation/provider-connection.ts'
import { arrivalsOn } from './arrivals.ts'
import { boot, type Harness } from './harness.ts'
import { type Provider, startProvider } from './provider.ts'

/** A server, and a provider whose ID tokens go by the server's clock. */
export type IdTokenProvider = Readonly<{
  harness: Harness
  provider: Provider
  /** Makes a connection to the provider; `acme` unless said otherwise. */
  aConnection: (settings?: ConnectionSettings, key?: string) => Promise<ProviderConnection>
  /** Empties the database, and makes the provider a good one again. */
  reset: () => Promise<void>
}>

/** Starts both; the provider has to be closed. */
export async function startIdTokenProvider(): Promise<IdTokenProvider> {
  const harness = await boot()
  const provider = await startProvider(() => harness.clock.now())
  const { issuer, clientId } = provider
  return {
    harness,
    provider,
    aConnection: (settings = {}, key = 'acme') =>
      arrivalsOn(harness).aConnection({ issuer, clientId, ...settings } as ConnectionSettings, key),
    reset: async () => {
      await harness.reset()
      provider.reset()
    },
  }
}
