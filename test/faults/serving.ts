import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ServerProcess, startServerProcess } from '../server-process.ts'

/** What a client gets, and when. */
export type Reply = Readonly<{
  status: number
  retryAfter: string | null
  // biome-ignore lint/suspicious/noExplicitAny: answers are looked into by the tests
  data: any
  /** The codes of the errors at the top, and those in the payload of a mutation. */
  codes: string[]
  ms: number
}>

/** A built server that is asked over HTTP as an administrator. */
export type Serving = Readonly<{
  process: ServerProcess
  environment: Record<string, string>
  ask: (query: string, variables?: object) => Promise<Reply>
  probe: (name: 'live' | 'ready') => Promise<{ status: number; ms: number }>
  /** Ends it, whatever it does. */
  remove: () => Promise<void>
}>

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

/** A folder that the caller removes. */
export function newFolder(): string {
  return mkdtempSync(join(tmpdir(), 'roster-faults-'))
}

/** The configuration of a server in production on this database. */
export function production(databaseUrl: string): Record<string, string> {
  return {
    NODE_ENV: 'production',
    HOST: '127.0.0.1',
    LOG_LEVEL: 'warn',
    DATABASE_URL: databaseUrl,
    ROSTER_SECRET: 'a secret for the tests, of 32 characters or more',
    PUBLIC_URL: 'https://users.example.com',
  }
}

/** Starts a server in production on PostgreSQL, with these variables beside. */
export async function serve(databaseUrl: string, extra: Record<string, string> = {}): Promise<Serving> {
  const environment = { ...production(databaseUrl), ...extra }
  const token = await createToken(environment)
  return serving(await startServerProcess(environment), environment, token)
}

/** Starts a server in development on PGlite in this folder. */
export async function serveEmbedded(dataDir: string, extra: Record<string, string> = {}): Promise<Serving> {
  const environment = { ROSTER_DATA_DIR: dataDir, LOG_LEVEL: 'warn', ...extra }
  const process = await startServerProcess(environment)
  return serving(process, environment, readFileSync(join(dataDir, 'admin-token'), 'utf8').trim())
}

/** A run of the built command line. */
export type Run = Readonly<{
  kill: (signal: NodeJS.Signals) => void
  /** How it ended; null: by a signal. */
  ended: Promise<{ code: number | null; stdout: string; stderr: string; ms: number }>
}>

/** Runs `roster` with these variables and nothing of this process's own. */
export function run(args: string[], environment: Record<string, string>, options: { uid?: number } = {}): Run {
  const startedAt = performance.now()
  const child = spawn(process.execPath, [main, ...args], { env: { PATH: process.env['PATH'] ?? '', ...environment }, ...options })
  const said = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) child[stream].on('data', (chunk) => (said[stream] += chunk))
  const ended = once(child, 'close').then(([code]) => ({ code, ...said, ms: performance.now() - startedAt }))
  return { kill: (signal) => void child.kill(signal), ended }
}

/** Makes an admin token with the command line. */
export async function createToken(environment: Record<string, string>): Promise<string> {
  const { code, stdout, stderr } = await run(['token', 'create', '--name', 'faults', '--scope', 'admin'], environment).ended
  if (code !== 0) throw new Error(stderr)
  return stdout.trim()
}

function serving(server: ServerProcess, environment: Record<string, string>, token: string): Serving {
  const probe: Serving['probe'] = async (name) => {
    const startedAt = performance.now()
    const { status } = await fetch(`${server.url}/health/${name}`)
    return { status, ms: performance.now() - startedAt }
  }
  const remove = async () => {
    await server.stop('SIGKILL')
  }
  return { process: server, environment, ask: (query, variables) => ask(server.url, token, query, variables), probe, remove }
}

/** Sends an operation. @throws when there is no answer */
export async function ask(url: string, token: string, query: string, variables: object = {}): Promise<Reply> {
  const startedAt = performance.now()
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
  })
  // biome-ignore lint/suspicious/noExplicitAny: answers are looked into by the tests
  const { data, errors = [] } = (await response.json()) as any
  const [payload] = Object.values(data ?? {}) as ({ errors?: { code: string }[] } | null)[]
  return {
    status: response.status,
    retryAfter: response.headers.get('retry-after'),
    data,
    codes: [
      ...errors.map((error: { extensions: { code: string } }) => error.extensions.code),
      ...(payload?.errors ?? []).map(({ code }) => code),
    ],
    ms: performance.now() - startedAt,
  }
}

/** What kinds of answers there were: status, Retry-After and codes. */
export function kinds(replies: readonly Reply[]): Set<string> {
  return new Set(replies.map(({ status, retryAfter, codes }) => `${status} ${retryAfter} ${codes}`))
}

/** The kind of answer that says to try again later. */
export const unavailable: ReadonlySet<string> = new Set(['503 1 SERVICE_UNAVAILABLE'])

/** Asks again and again until it is so. @throws when it is not after that time */
export async function until(isSo: () => Promise<boolean>, withinMs: number): Promise<void> {
  const startedAt = performance.now()
  while (!(await isSo().catch(() => false))) {
    if (performance.now() - startedAt > withinMs) throw new Error(`not so after ${withinMs} ms`)
    await pause(20)
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
}
