/** Runs the load generators: wrk over HTTP, pgbench on the database. Both fail loudly. */

import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const script = fileURLToPath(new URL('./load.lua', import.meta.url))

/** So far apart start the counters of two runs. */
const counterStep = 100_000
let runs = 0

async function run(program, ...parameters) {
  try {
    return await promisify(execFile)(program, parameters)
  } catch (error) {
    if (error.code === 'ENOENT') throw new Error(`The bench needs ${program}: apt-get install -y postgresql wrk`)
    throw new Error(`${program} failed: ${error.stderr || error.message}`)
  }
}

/** The bytes of a request, as wrk sends them. */
export function requestText({ body, token }) {
  const authorization = token === null ? '' : `authorization: Bearer ${token}\r\n`
  const length = Buffer.byteLength(body)
  return `POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n${authorization}content-length: ${length}\r\n\r\n${body}`
}

/**
 * Sends requests over and over on keep-alive connections. Answers requests a second and latencies in milliseconds.
 * @throws when one is not answered 200, or with errors
 */
export async function sendRequests({ url, requests, connections, seconds, directory }) {
  // Two may run at once.
  const file = join(directory, `requests-${runs}`)
  writeFileSync(file, requests.map(requestText).join('\0'))
  const counter = String(1_000_000 + (runs++ % 80) * counterStep)
  const options = [
    '--threads',
    '1',
    '--connections',
    String(connections),
    '--duration',
    `${seconds}s`,
    '--timeout',
    '10s',
    '--script',
    script,
  ]
  const { stdout, stderr } = await run('wrk', ...options, url, '--', file, counter)
  const { requests: count, microseconds, failed, p50, p99 } = JSON.parse(/^RESULT (.*)$/m.exec(stdout)[1])
  if (failed > 0 || count === 0) throw new Error(`${failed} of ${count} requests to ${url} failed: ${stderr.slice(0, 1000)}`)
  return { rate: (count * 1e6) / microseconds, p50: p50 / 1000, p99: p99 / 1000 }
}

/** Runs the statements of an operation as they are, without HTTP. Answers transactions a second. */
export async function runStatements({ operation, database: { url, samples, cursors }, connections, seconds, directory }) {
  const file = join(directory, 'pgbench.sql')
  const variables = operation.variables(samples[0], cursors)
  const statements = operation.statements.map((text) =>
    operation.parameters.reduce((sql, { pgbench }, index) => sql.replaceAll(`$${index + 1}`, pgbench(variables)), text),
  )
  const lines = [
    `\\set n random(1, ${samples.length})`,
    '\\set counter random(1000000, 9999999)',
    ...statements.map((sql) => `${sql.replaceAll(/\s+/g, ' ')};`),
  ]
  writeFileSync(file, lines.join('\n'))
  const load = ['--client', String(connections), '--jobs', '2', '--time', String(seconds)]
  const { stdout } = await run('pgbench', '--no-vacuum', '--protocol', 'prepared', ...load, '--file', file, url)
  if (!/^number of failed transactions: 0 /m.test(stdout)) throw new Error(`pgbench: ${stdout}`)
  return { rate: Number(/^tps = ([\d.]+)/m.exec(stdout)[1]) }
}
