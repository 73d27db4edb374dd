import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { testDatabaseUrl } from './database.ts'
import { type Harness, testSecret } from './harness.ts'
import { type ServerProcess, startServerProcess } from './server-process.ts'

/** Sends an operation to one of the servers: the status, and the answer. */
type Send = (
  server: number,
  query: string,
  asked?: { token?: string; variables?: unknown },
) => Promise<{ status: number; data?: Record<string, unknown> | null; errors?: readonly unknown[] }>

/** Three servers in processes of their own, on the run's PostgreSQL database, that take the harness's tokens. */
export type Cluster = Readonly<{ send: Send; stop: () => Promise<void> }>

/** Starts them and waits until they are ready. */
export async function startCluster({ app }: Harness, environment: Record<string, string> = {}): Promise<Cluster> {
  const room = mkdtempSync(join(tmpdir(), 'roster-cluster-'))
  const variables = {
    DATABASE_URL: testDatabaseUrl(),
    ROSTER_SECRET: testSecret,
    PUBLIC_URL: app.accessTokens.issuer,
    NODE_ENV: 'production',
    HOST: '127.0.0.1',
    LOG_LEVEL: 'warn',
    ROSTER_DATA_DIR: room,
    ...environment,
  }
  const servers: ServerProcess[] = await Promise.all([1, 2, 3].map(() => startServerProcess(variables)))
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
    stop: async () => {
      await Promise.all(servers.map((server) => server.stop()))
      rmSync(room, { recursive: true })
    },
  }
}
