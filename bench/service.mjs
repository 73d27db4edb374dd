/** The programs that answer requests: Roster as it is built, and what it is measured against. Each is a process of its own. */

import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/** As many connections to PostgreSQL for Roster as for the raw limit: Roster's default. */
export const poolSize = '10'

/** What `npm start` gives Roster: collections of what has just become garbage that are neither many nor large. The others get it too. */
export const nodeOptions = ['--max-semi-space-size=32']

/** Starts a Node program that listens on `PORT`, and waits until it answers a request with 200. */
export async function startService(program, environment, request) {
  const port = await freePort()
  const [file, ...parameters] = program
  const startedAt = performance.now()
  const child = spawn(process.execPath, [...nodeOptions, fileURLToPath(new URL(file, import.meta.url)), ...parameters], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { PATH: process.env['PATH'], PORT: String(port), DATABASE_POOL_SIZE: poolSize, ...environment },
  })
  const url = `http://127.0.0.1:${port}/graphql`
  const kill = () => child.kill('SIGTERM')
  process.once('exit', kill)
  const close = async () => {
    process.off('exit', kill)
    if (child.exitCode !== null || child.signalCode !== null) return
    kill()
    await once(child, 'exit')
  }
  try {
    while (!(await answers(url, request))) {
      if (child.exitCode !== null) throw new Error(`${file} ended with ${child.exitCode}`)
      if (performance.now() - startedAt > 30_000) throw new Error(`${file} does not answer`)
      await delay(2)
    }
  } catch (error) {
    await close()
    throw error
  }
  return { url, startMs: performance.now() - startedAt, memoryMb: () => memoryMb(child.pid), close }
}

/** Sends one request. Answers the data. @throws when there are errors */
export async function ask(url, { body, token }) {
  const headers = { 'content-type': 'application/json', ...(token === null ? {} : { authorization: `Bearer ${token}` }) }
  const response = await fetch(url, { method: 'POST', headers, body })
  const text = await response.text()
  if (response.status !== 200 || text.includes('"errors":[{')) throw new Error(`${url} answers ${response.status} ${text}`)
  return JSON.parse(text).data
}

async function answers(url, request) {
  try {
    await ask(url, request)
    return true
  } catch (error) {
    if (error.cause?.code === 'ECONNREFUSED') return false
    throw error
  }
}

/** Resident memory, in megabytes. */
function memoryMb(pid) {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1024
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}
