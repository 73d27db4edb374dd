import { join } from 'node:path'
import type { App } from '../app.ts'
import { mailboxPath } from '../http/mailbox.ts'

type Parts = Pick<App, 'config' | 'version' | 'developmentToken' | 'mailbox'> &
  Readonly<{
    /** Where the whole graph is served. */
    port: number
    /** Where the graph for users and the public is served, when that is another port. */
    publicPort: number | null
    command: string
  }>

/** What a developer sees when the server is ready: where to look, and the admin token when it is new, else the file that holds it. */
export function welcome({ config, version, developmentToken, mailbox, command, port, publicPort }: Parts): string {
  const { graphiql, databaseUrl, dataDir } = config
  const rows = [
    [graphiql ? 'GraphiQL' : 'GraphQL', `${url(port)}${graphiql ? ', signed in as an administrator' : ''}`],
    ...(publicPort === null ? [] : [['Public graph', url(publicPort)]]),
    ...(mailbox === null ? [] : [['Mailbox', `http://localhost:${port}${mailboxPath}`]]),
    ['Database', databaseUrl === null ? `PGlite in ${dataDir}` : postgresName(databaseUrl)],
    ['Admin token', developmentToken?.isNew ? developmentToken.token : `in ${join(dataDir, 'admin-token')}`],
    ['Sample users', `${databaseUrl === null ? 'stop the server, then ' : ''}${command} seed --users 1000`],
  ]
  const lines = rows.map(([name = '', value]) => `  ${name.padEnd(14)}${value}`)
  return `\nRoster ${version} is ready, in development mode: for this machine only.\n\n${lines.join('\n')}\n\n`
}

function url(port: number): string {
  return `http://localhost:${port}/graphql`
}

/** The connection string without the password. */
function postgresName(databaseUrl: string): string {
  const { host, pathname } = new URL(databaseUrl)
  return `PostgreSQL at ${host}${pathname}`
}
