/** The measurements: contender by contender in each round, so that whatever else the machine does meets all of them alike. */

import { isDeepStrictEqual } from 'node:util'
import { runStatements, sendRequests } from './load.mjs'
import { operations } from './operations.mjs'
import { ask, startService } from './service.mjs'
import { sessionContenders } from './sessions.mjs'

/** What grows with the table. */
const growing = ['A', 'B', 'D', 'E', 'E common']

const constant = { body: '{"query":"{ constant }"}', token: null }

/** How fast each contender does each operation, and how much memory Roster takes then. */
export async function measureLoad({ database, roster }, options) {
  const raw = await startService(['./raw.mjs'], { DATABASE_URL: database.url }, roster.requests.A[0])
  const yoga = await startService(['./yoga.mjs'], {}, constant)
  const ofSessions = await sessionContenders({ database, roster }, options)
  try {
    for (const name of Object.keys(operations)) await assertSameAnswers(name, roster, raw)
    const send = (url, requests) => sendRequests({ url, requests, ...options })
    const contenders = Object.entries(operations).flatMap(([name, operation]) => [
      [name, 'pgbench', () => runStatements({ operation, database: { ...database, cursors: roster.cursors }, ...options })],
      [name, 'raw', () => send(raw.url, roster.requests[name])],
      [name, 'roster', async () => ({ ...(await send(roster.url, roster.requests[name])), memoryMb: roster.memoryMb() })],
    ])
    const {
      constant: { yoga: yogaRuns },
      sessions,
      ...load
    } = await inRounds([['constant', 'yoga', () => send(yoga.url, [constant])], ...contenders, ...ofSessions.contenders], options)
    return { load, sessions, yoga: yogaRuns }
  } finally {
    await Promise.all([raw.close(), yoga.close(), ofSessions.close()])
  }
}

/** How long one client waits, by the number of users. */
export function measureGrowth(stages, options) {
  const contenders = growing.flatMap((name) =>
    stages.map(({ database, roster }) => {
      const load = { url: roster.url, requests: roster.requests[name], ...options, connections: 1, seconds: 1 }
      return [name, database.size, () => sendRequests(load)]
    }),
  )
  return inRounds(contenders, options)
}

/** How long servers take from their start to the first answer from the database, and how much memory they have then. */
export async function measureStarts({ roster }, { starts }) {
  const results = []
  for (let count = 0; count < starts; count++) {
    const { startMs, memoryMb, close } = await roster.startOne()
    results.push({ startMs, memoryMb: memoryMb() })
    await close()
  }
  return results
}

/** How much a second process on the same database adds: operation A by one of them, and by both at once, on as many connections each. */
export async function measureProcesses({ roster }, options) {
  const second = await roster.startOne()
  const send = ({ url }) => sendRequests({ url, requests: roster.requests.A, ...options })
  const both = async () => {
    const runs = await Promise.all([roster, second].map(send))
    return { rate: runs.reduce((sum, { rate }) => sum + rate, 0) }
  }
  try {
    return (
      await inRounds(
        [
          ['processes', 'one', () => send(roster)],
          ['processes', 'two', both],
        ],
        options,
      )
    ).processes
  } finally {
    await second.close()
  }
}

/** A first round that does not count, then as many as are wanted. Answers the runs by name and contender. */
export async function inRounds(contenders, { rounds, say }) {
  const results = {}
  for (let round = 0; round <= rounds; round++) {
    for (const [name, contender, run] of contenders) {
      const result = await run()
      say(`${round === 0 ? 'warm-up' : `round ${round}`} ${name} ${contender} ${Math.round(result.rate)}/s`)
      if (round === 0) continue
      results[name] ??= {}
      results[name][contender] ??= []
      results[name][contender].push(result)
    }
  }
  return results
}

/** The raw limit is one for the same answers only. Their cursors differ. */
async function assertSameAnswers(name, roster, raw) {
  const [request] = roster.requests[name]
  const answers = [await ask(roster.url, request), await ask(raw.url, request)].map(withoutCursors)
  if (!isDeepStrictEqual(...answers))
    throw new Error(`${name} is answered in two ways: ${answers.map((data) => JSON.stringify(data)).join('\n')}`)
}

function withoutCursors(data) {
  return JSON.parse(JSON.stringify(data, (key, value) => (key === 'endCursor' ? undefined : value)))
}
