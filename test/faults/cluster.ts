import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, readlinkSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { inject, test } from 'vitest'

/** A PostgreSQL server for one test file alone, that may be stopped, crashed and frozen. */
export type Cluster = Readonly<{
  /** The connection string of its superuser. */
  url: string
  /** Runs SQL on a connection of its own, as superuser, by default in its first database. Several statements are one transaction. */
  sql: (text: string, databaseUrl?: string) => Promise<Record<string, unknown>[]>
  /** Makes another database, and answers its connection string. */
  createDatabase: (name: string) => Promise<string>
  /** Cuts the connections of these applications, and answers how many there were. */
  cut: (application: string) => Promise<number>
  /** Ends it as a crash would: `pg_ctl stop -m immediate`. */
  crash: () => Promise<void>
  /** Starts it after a crash, and waits until it takes connections. */
  start: () => Promise<void>
  /** Stops all its processes where they stand: they neither answer nor refuse. */
  freeze: () => void
  thaw: () => void
  /** Ends it and removes its files. */
  remove: () => Promise<void>
}>

/** PostgreSQL's programs on this machine: without them, no cluster can be made. */
const areProgramsHere = (() => {
  try {
    execFileSync('sh', ['-c', 'command -v initdb || ls /usr/lib/postgresql/*/bin/initdb'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

const isPostgresRun = inject('databaseUrl') !== null
if (isPostgresRun && !areProgramsHere) console.log('The faults of PostgreSQL are left out: initdb is not on this machine.')

/** For tests that do harm to a PostgreSQL server: they run where TEST_DATABASE_URL is set and PostgreSQL's programs are installed. */
export const clusterTest = test.skipIf(!isPostgresRun || !areProgramsHere)

/** Whether such tests run. */
export const isClusterRun: boolean = isPostgresRun && areProgramsHere

/** Makes a cluster and starts it. It ends with this process even when that is killed. */
export async function startCluster(): Promise<Cluster> {
  const script = spawn(fileURLToPath(new URL('../../.ci/postgres', import.meta.url)), { stdio: ['pipe', 'pipe', 'inherit'] })
  const failed = once(script, 'exit').then(() => Promise.reject(new Error('PostgreSQL did not start')))
  const [line] = (await Promise.race([once(script.stdout, 'data'), failed])) as [Buffer]
  const url = String(line).trim()
  const sql: Cluster['sql'] = async (text, databaseUrl = url) => {
    const client = await connect(databaseUrl)
    return client
      .query(text)
      .then(({ rows }) => rows)
      .finally(() => client.end())
  }
  // The throw-away server commits without waiting for its disk; what is acknowledged here must survive its crash.
  await sql('ALTER DATABASE postgres SET synchronous_commit = on')
  const [{ data_directory: directory } = {}] = (await sql('SHOW data_directory')) as { data_directory: string }[]
  const postmaster = postmasterOf(directory ?? '')
  const cut: Cluster['cut'] = async (application) =>
    (await sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '${application}'`)).length
  const createDatabase: Cluster['createDatabase'] = async (name) => {
    await sql(`CREATE DATABASE ${name}`)
    return Object.assign(new URL(url), { pathname: `/${name}` }).href
  }
  const remove = async () => {
    postmaster.thaw()
    script.stdin.end()
    await once(script, 'exit')
  }
  return { url, sql, createDatabase, cut, ...postmaster, remove }
}

/** The server by its processes. */
function postmasterOf(directory: string): Pick<Cluster, 'crash' | 'start' | 'freeze' | 'thaw'> {
  const pidFile = join(directory, 'postmaster.pid')
  const pid = () => Number(readFileSync(pidFile, 'utf8').split('\n')[0])
  const programs = dirname(readlinkSync(`/proc/${pid()}/exe`))
  const control = (...args: string[]) => asOwner(join(programs, 'pg_ctl'), '-D', directory, '-w', ...args)
  const signal = (name: NodeJS.Signals) => {
    if (!existsSync(pidFile)) return
    for (const each of [pid(), ...childrenOf(pid())]) process.kill(each, name)
  }
  return {
    crash: () => control('-m', 'immediate', 'stop'),
    // With the options that it was started with before.
    start: () => control('-l', resolve(directory, '../log'), 'restart'),
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
  }
}

function childrenOf(pid: number): number[] {
  return execFileSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map(Number)
}

/** PostgreSQL refuses to run as root. */
async function asOwner(...command: [string, ...string[]]): Promise<void> {
  const [program, ...args] = process.getuid?.() === 0 ? (['runuser', '-u', 'postgres', '--', ...command] as const) : command
  const child = spawn(program, args, { stdio: 'ignore', cwd: '/' })
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}`)
}

/** A connection of the test's own; the caller ends it. */
export async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: 'test' })
  client.on('error', () => {})
  await client.connect()
  return client
}
