/**
 * What becomes of a server that is asked for twice what it can do. This file is two programs: what `run.mjs` calls, and the load
 * generator, a process of its own. wrk waits for an answer before it asks again; this one can also ask at a constant rate, whatever is
 * answered. How long something takes counts from then, whether there is a connection for it or not. It takes more of the machine
 * than wrk for each request, so it measures the peak too: what it takes is missing on both sides.
 */

import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { requestText } from './load.mjs'

/**
 * The peak is measured with as many connections as the first of these. On them a server that refuses nobody leaves the rest waiting for
 * a connection; on the last, all that is asked reaches it.
 */
const connectionCounts = [64, 512]
const timesPeak = 2
/** Answers that have not come by then never will. */
const patienceMs = 10_000
const longestCatchUpMs = 10

/**
 * Sends operation A at its peak rate, measured just before, and then at twice of that. Answers by the number of connections, and by round,
 * the rate of the peak, of what was answered, the 99th percentiles of how long an answer and a refusal took, in milliseconds, and the
 * memory before and after.
 */
export async function measureOverload({ roster }, { rounds, seconds, directory, say }) {
  const file = join(directory, 'overload')
  writeFileSync(file, roster.requests.A.map(requestText).join('\0'))
  const ask = (parameters) => generateLoad({ url: roster.url, file, seconds, ...parameters })
  const results = connectionCounts.map((connections) => ({ connections, runs: [] }))
  for (let round = 0; round <= rounds; round++) {
    for (const { connections, runs } of results) {
      const { rate: peak } = await ask({ connections: connectionCounts[0] })
      const before = roster.memoryMb()
      const beyond = await ask({ connections, rate: Math.round(peak * timesPeak) })
      const name = `overload ${connections} connections, ${round === 0 ? 'warm-up' : round}`
      say(`${name}: ${Math.round(beyond.rate)}/s of ${Math.round(peak)}/s, ${beyond.refused} refused`)
      if (round > 0) runs.push({ peak, ...beyond, memoryMb: { before, after: roster.memoryMb() } })
    }
  }
  return results
}

async function generateLoad(parameters) {
  const parts = Object.entries(parameters).flatMap(([name, value]) => [`--${name}`, String(value)])
  const { stdout } = await promisify(execFile)(process.execPath, [fileURLToPath(import.meta.url), ...parts])
  return JSON.parse(stdout)
}

/** A connection that asks one thing after another. */
async function openConnection({ hostname, port }, { onAnswer, onIdle }) {
  const socket = connect({ host: hostname, port: Number(port), noDelay: true })
  await once(socket, 'connect')
  let [received, dueAt] = ['', 0]
  socket.setEncoding('latin1').on('data', (chunk) => {
    received += chunk
    const end = received.indexOf('\r\n\r\n')
    if (end < 0 || received.length < end + 4 + Number(/^content-length: (\d+)/im.exec(received)[1])) return
    onAnswer({ head: received.slice(0, end), body: received.slice(end + 4), milliseconds: performance.now() - dueAt })
    received = ''
    onIdle(connection)
  })
  const connection = {
    send: (text, at) => {
      dueAt = at
      socket.write(text)
    },
    close: () => socket.destroy(),
  }
  return connection
}

/** Opens the connections. Each request is sent on one that is idle; where there is none it waits here. */
async function openConnections(url, connections, onAnswer) {
  const [idle, waiting] = [[], []]
  const onIdle = (connection) => {
    const next = waiting.shift()
    if (next) connection.send(...next)
    else idle.push(connection)
  }
  const all = []
  // One after another: what is measured is no storm of connections.
  for (let count = 0; count < connections; count++) all.push(await openConnection(url, { onAnswer, onIdle }))
  idle.push(...all)
  const send = (text, at) => {
    const connection = idle.pop()
    if (connection) connection.send(text, at)
    else waiting.push([text, at])
  }
  const close = () => {
    for (const connection of all) connection.close()
  }
  return { send, close }
}

/** Counts answers: 200 without errors, or 503 with Retry-After. Everything else ends the run. */
function createTally() {
  const tally = { answers: [], refusals: [] }
  const onAnswer = ({ head, body, milliseconds }) => {
    const status = head.slice(9, 12)
    if (status === '200' && !body.includes('"errors":[{')) tally.answers.push(milliseconds)
    else if (status === '503' && /^retry-after: \d/im.test(head)) tally.refusals.push(milliseconds)
    else throw new Error(`${head}\n${body}`)
  }
  return { tally, onAnswer, count: () => tally.answers.length + tally.refusals.length }
}

const percentile = (values, share) => values.toSorted((left, right) => left - right)[Math.floor(values.length * share)] ?? 0

/** The load generator: at a constant rate, or as fast as it is answered. It prints JSON. */
async function generate({ url, file, connections, rate, seconds }) {
  const texts = readFileSync(file, 'latin1').split('\0')
  const { tally, onAnswer, count } = createTally()
  let [sent, isOver] = [0, false]
  const clients = await openConnections(new URL(url), connections, (answer) => {
    onAnswer(answer)
    if (rate === null && !isOver) ask(performance.now())
  })
  const ask = (at) => clients.send(texts[sent++ % texts.length], at)
  const startedAt = performance.now()
  if (rate === null) {
    for (let asked = 0; asked < connections; asked++) ask(startedAt)
    await delay(seconds * 1000)
  } else await askSteadily(ask, rate, seconds)
  isOver = true
  const answered = (tally.answers.length * 1000) / (performance.now() - startedAt)
  for (const endsAt = performance.now() + patienceMs; count() < sent; await delay(10))
    if (performance.now() > endsAt) throw new Error(`${sent - count()} of ${sent} requests were not answered`)
  clients.close()
  const { answers, refusals } = tally
  const [answerP99, refusalP99] = [answers, refusals].map((values) => percentile(values, 0.99))
  console.log(JSON.stringify({ rate: answered, asked: sent, refused: refusals.length, answerP99, refusalP99 }))
}

async function askSteadily(ask, rate, seconds) {
  const startedAt = performance.now()
  let [lastAt, owed] = [startedAt, 0]
  while (lastAt - startedAt < seconds * 1000) {
    await delay(1)
    const now = performance.now()
    // Where the machine has kept this process waiting, the server does not get all of it at once.
    owed += (Math.min(now - lastAt, longestCatchUpMs) * rate) / 1000
    for (; owed >= 1; owed--) ask(now)
    lastAt = now
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = { type: 'string' }
  const { values } = parseArgs({ options: { url: text, file: text, connections: text, rate: text, seconds: text } })
  const [connections, seconds] = [values.connections, values.seconds].map(Number)
  await generate({ ...values, connections, seconds, rate: values.rate === undefined ? null : Number(values.rate) })
}
