import { testDatabaseUrl } from './database.ts'
import { type Harness, testSecret } from './harness.ts'
import { type ServerProcess, startServerProcess } from './server-process.ts'
import { temporaryFolder } from './setup/build.ts'

/** Sends an operation to one of the servers: the status, and the answer. */
type Send = (
  server: number,
  query: string,
  asked?: { token?: string; variables?: unknown },
) => Promise<{ status: number; data?: Record<string, unknown> | null; errors?: readonly unknown[] }>

/** Three servers in processes of their own, on the run's PostgreSQL database, that take the harness's tokens. */
export type Cluster = Readonly<{ send: Send; stop: () => Promise<void> }>

/** The variables of a server on the run's PostgreSQL database that takes the harness's tokens. Nobody listens where it sends mail. */
export function serverEnvironment({ app }: Harness): Record<string, string> {
  return {
    DATABASE_URL: testDatabaseUrl(),
    ROSTER_SECRET: testSecret,
    PUBLIC_URL: app.accessTokens.issuer,
    NODE_ENV: 'production',
    HOST: '127.0.0.1',
    LOG_LEVEL: 'error',
    SMTP_URL: 'smtp://127.0.0.1:9',
    ROSTER_DATA_DIR: temporaryFolder(),
  }
}

/** Starts so many of them, with these variables besides, and waits until they are ready. The caller stops them. */
export function startServers(harness: Harness, count: number, environment: Record<string, string> = {}): Promise<ServerProcess[]> {
  const variables = { ...serverEnvironment(harness), ...environment }
  return Promise.all(Array.from({ length: count }, () => startServerProcess(variables)))
}

/** Starts three of them, to send operations to. */
export async function startCluster(harness: Harness, environment: Record<string, string> = {}): Promise<Cluster> {
  const servers = await startServers(harness, 3, environment)
  return {
    send: async (server, query, { token, variables } = {}) => {
      const response = await fetch(`${servers[server % servers.length]?.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
        body: JSON.stringify({ query, variables }),
      })
      const { data, errors } = (await response.json()) as { data?: Record<string, unknown>; errors?: unknown[] }
      return { status: response.status, ...(data ? { data } : {}), ...(errors ? { errors } : {}) }
    },
    stop: async () => void (await Promise.all(servers.map((server) => server.stop()))),
  }
}
