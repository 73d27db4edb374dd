/** What was measured, as Markdown. */

import { cpus } from 'node:os'
import { operations } from './operations.mjs'

export function median(values) {
  const sorted = values.toSorted((left, right) => left - right)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

const whole = (value) => Math.round(value).toLocaleString('en-US')
const milliseconds = (value) => (value < 10 ? value.toFixed(2) : value.toFixed(1))
const ratio = (value) => value.toFixed(2)

/** The median, and the least and the most beside it. */
function spread(values, format) {
  return `${format(median(values))} (${format(Math.min(...values))}–${format(Math.max(...values))})`
}

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, index) => (index === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n')
}

const label = (name, { deepRow }) => `${name}: ${operations[name].title}`.replace('by cursor', `at row ${whole(deepRow)}`)

function loadTable({ load, options }) {
  const rows = Object.entries(load).map(([name, { pgbench, raw, roster }]) => {
    const rates = (runs) => runs.map(({ rate }) => rate)
    const share = median(rates(roster)) / median(rates(raw))
    const latencies = ['p50', 'p99'].map((key) => milliseconds(median(roster.map((run) => run[key]))))
    return [
      label(name, options),
      whole(median(rates(pgbench))),
      spread(rates(raw), whole),
      spread(rates(roster), whole),
      ratio(share),
      ...latencies,
    ]
  })
  return table(['', 'pgbench', 'node:http + pg', 'Roster', 'of node:http + pg', 'p50 ms', 'p99 ms'], rows)
}

function growthTable({ growth, options: { sizes, ...options } }) {
  const rows = Object.entries(growth).map(([name, bySize]) => {
    const times = sizes.map((size) => bySize[size].map(({ p50 }) => p50))
    return [label(name, options), ...times.map((values) => spread(values, milliseconds)), ratio(median(times.at(0)) / median(times.at(-1)))]
  })
  return table(['', ...sizes.map((size) => `${whole(size)} users`), 'speed kept'], rows)
}

const sessionTitles = {
  argon2: 'argon2 alone, a thread on each core',
  signIn: '`signIn`',
  refreshSession: '`refreshSession`',
  callers: 'finding out who calls, and nothing else',
  alone: 'A for one client',
  meanwhile: 'A for one client, while others sign in',
}

function sessionTable({ sessions, options: { connections } }) {
  const rows = Object.entries(sessionTitles).map(([name, title]) => {
    const runs = sessions[name]
    const latencies = ['p50', 'p99'].map((key) => (key in runs[0] ? milliseconds(median(runs.map((run) => run[key]))) : ''))
    const rates = runs.map(({ rate }) => rate)
    return [title.replace('others', `${connections} others`), spread(rates, whole), ...latencies]
  })
  return table(['', 'a second', 'p50 ms', 'p99 ms'], rows)
}

function sessionTargets({ sessions }, { atLeast, atMost }) {
  const rate = (runs) => median(runs.map((run) => run.rate))
  const p99 = (runs) => median(runs.map((run) => run.p99))
  // Measured a second time, beside what it is held against.
  const me = rate(sessions.known)
  return [
    atLeast('`signIn`, of argon2 alone', rate(sessions.signIn) / rate(sessions.argon2), 0.6),
    atMost('p99 of A for one client while others sign in, of its usual', p99(sessions.meanwhile) / p99(sessions.alone), 3),
    atLeast('`refreshSession`, of A', rate(sessions.refreshSession) / me, 0.25),
    atMost('finding out who calls, of A', me / rate(sessions.callers), 0.15),
  ]
}

/** Users in and out, a second. */
export function transferTable({ users, imported, exported }) {
  const { inserted, seconds, copySeconds, memory, delay } = imported
  const rows = [
    ['import of Roster’s own format', inserted / seconds, memory, delay],
    ['COPY of the same rows', inserted / copySeconds],
    ...exported.map((one) => [`export: ${one.name}`, one.count / one.seconds, one.peak, one.p99]),
  ].map(([name, rate, ...rest]) => [name, whole(rate), ...rest.map((value) => whole(value)), ...(rest.length === 0 ? ['', ''] : [])])
  return table([`${whole(users)} users`, 'a second', 'memory MB', 'event loop p99 ms'], rows)
}

/** One client of a server, while users are imported into its database. */
export function besideTable({ imported: { beside } }) {
  const row = (name, { p50, p99 }) => [name, milliseconds(p50), milliseconds(p99)]
  const { command, job } = beside
  const rows = [
    row('A for one client', command.alone),
    row('A for one client, while `roster import` runs', command.meanwhile),
    row('A for one client, while the server itself imports', job.meanwhile),
  ]
  return table(['', 'p50 ms', 'p99 ms'], rows)
}

function transferTargets({ transfer: { imported, exported } }, { atLeast, atMost }) {
  const late = ({ alone, meanwhile }) => meanwhile.p99 / alone.p99
  const { inserted, seconds, copySeconds, memory, delay } = imported
  const slowest = Math.min(...exported.map((one) => one.count / one.seconds))
  return [
    atLeast('import, of COPY', copySeconds / seconds, 0.35),
    atLeast('import, of 5,000 users a second', inserted / seconds / 5000, 1),
    atMost('import, of 400 MB', memory / 400, 1),
    atMost('import, of an event-loop p99 of 100 ms', delay / 100, 1),
    atMost('p99 of A for one client while `roster import` runs, of its usual', late(imported.beside.command), 3),
    atMost('p99 of A for one client while the server imports, of its usual', late(imported.beside.job), 3),
    atLeast('the slowest export, of 20,000 users a second', slowest / 20_000, 1),
  ]
}

function processesText({ processes }) {
  const [one, two] = [processes.one, processes.two].map((runs) =>
    spread(
      runs.map(({ rate }) => rate),
      whole,
    ),
  )
  return `With a second Roster process beside the first, on the same database and the same cores, and a load generator for each, A is answered ${two} times a second, by one process alone ${one}.`
}

/** What of the work gets done when twice as much is asked, and what becomes of the rest. */
function overloadText({ overload }) {
  const sentences = overload.map(({ connections, runs }) => {
    const of = (key) => median(runs.map((run) => run[key]))
    const megabytes = ['before', 'after'].map((key) => whole(median(runs.map(({ memoryMb }) => memoryMb[key]))))
    const share = median(runs.map(({ refused, asked }) => refused / asked))
    const refusals = share === 0 ? 'none is refused' : `${whole(share * 100)} % are refused, p99 ${milliseconds(of('refusalP99'))} ms`
    return `on ${connections} connections ${whole(of('rate'))} answers a second of ${whole(of('peak'))} at the peak, p99 ${milliseconds(of('answerP99'))} ms, and ${refusals}; memory ${megabytes.join(' MB before, ')} MB after`
  })
  return `Asked for A at twice the rate that it can hold: ${sentences.join('; ')}. How long something takes counts from when it was to be asked, whether there was a connection for it or not.`
}

function overloadTargets({ overload, starts }, { atLeast, atMost, below }) {
  const all = overload.flatMap(({ runs }) => runs)
  return [
    below('start to the first answer from the database', median(starts.map(({ startMs }) => startMs)), 700),
    ...overload.map(({ connections, runs }) =>
      atLeast(
        `answers when twice the peak is asked on ${connections} connections, of the peak`,
        median(runs.map(({ rate, peak }) => rate / peak)),
        0.8,
      ),
    ),
    below('p99 of refusals then', Math.max(...overload.map(({ runs }) => median(runs.map(({ refusalP99 }) => refusalP99)))), 50),
    atMost('memory after that, of before', median(all.map(({ memoryMb: { before, after } }) => after / before)), 1.1),
  ]
}

/** The least that each operation should reach of node:http and pg. */
const leastShares = { A: 0.45, B: 0.4, C: 0.3, D: 0.3 }

function loadTargets({ load }, { atLeast, atMost }) {
  const of = (name, contender, key) => median(load[name][contender].map((run) => run[key]))
  const share = (name) => of(name, 'roster', 'rate') / of(name, 'raw', 'rate')
  const slowest = Math.max(...Object.keys(leastShares).map((name) => of(name, 'roster', 'p99') / of(name, 'roster', 'p50')))
  const memory = Math.max(...Object.values(load).flatMap(({ roster }) => roster.map(({ memoryMb }) => memoryMb)))
  return [
    ...Object.entries(leastShares).map(([name, least]) => atLeast(`${name}, of node:http + pg`, share(name), least)),
    atMost('p99 of A to D, of the median, at the most', slowest, 4),
    atMost('memory under load, of 450 MB', memory / 450, 1),
  ]
}

/** Roster beside PostGraphile, and what each of them does not do. */
export function postgraphileReport(load, options) {
  const rows = Object.entries(load).map(([name, { roster, postgraphile }]) => {
    const [own, other] = [roster, postgraphile].map((runs) => runs.map(({ rate }) => rate))
    return [label(name, options), spread(other, whole), spread(own, whole), ratio(median(own.map((rate, round) => rate / other[round])))]
  })
  return [
    `Beside PostGraphile 5.1 on the same tables, on Node ${process.versions.node.split('.')[0]}, both: with row-level security by the settings of each request, and without verifying a token; its C puts metadata in the place of what was there and writes no history (\`npm install --prefix /tmp/postgraphile postgraphile@5.1.5\`, \`npm run bench -- --postgraphile /tmp/postgraphile\`). Requests a second, and the median of the rounds' ratios:`,
    table(['', 'PostGraphile', 'Roster', 'of PostGraphile'], rows),
  ].join('\n\n')
}

/** What was to be reached. */
function targets(results) {
  const { load, growth, options } = results
  const { sizes, deepRow } = options
  const rate = (name) => median(load[name].roster.map((run) => run.rate))
  const time = (name, size) => median(growth[name][size].map(({ p50 }) => p50))
  const [least, most] = [sizes.at(0), sizes.at(-1)]
  const kept = (name) => time(name, least) / time(name, most)
  const atLeast = (what, value, bound) => [what, ratio(value), `at least ${ratio(bound)}`, value >= bound ? 'yes' : 'no']
  const atMost = (what, value, bound) => [what, ratio(value), `at most ${ratio(bound)}`, value <= bound ? 'yes' : 'no']
  const below = (what, value, bound) => [what, `${milliseconds(value)} ms`, `below ${bound} ms`, value < bound ? 'yes' : 'no']
  return table(
    ['', 'measured', 'target', 'reached'],
    [
      ...loadTargets(results, { atLeast, atMost }),
      atLeast(`B at row ${whole(deepRow)}, of the first page`, rate('B deep') / rate('B'), 0.9),
      ...['B', 'D'].map((name) => atLeast(`${name} with ${whole(most)} users, of ${whole(least)}`, kept(name), 0.85)),
      ...['E', 'E common'].map((name) => below(`${name} with ${whole(most)} users`, time(name, most), 20)),
      ...overloadTargets(results, { atLeast, atMost, below }),
      ...sessionTargets(results, { atLeast, atMost }),
      ...transferTargets(results, { atLeast, atMost }),
    ],
  )
}

/** All of it. */
export function report(results) {
  const { options, postgres, load, yoga, starts } = results
  const { users, connections, rounds, seconds } = options
  const yogaRates = yoga.map(({ rate }) => rate)
  const idleMb = starts.map(({ memoryMb }) => memoryMb)
  const loadedMb = Object.values(load).flatMap(({ roster }) => roster.map(({ memoryMb }) => memoryMb))
  const startMs = starts.map((start) => start.startMs)
  const [{ model }] = cpus()
  return [
    `On ${cpus().length} cores (${model.trim()}), which the load generator, the server and PostgreSQL ${postgres} share; Node ${process.versions.node}. Requests a second with ${connections} connections and ${whole(users)} users; one Roster process, which verifies a token and looks up its session at each request. Medians of ${rounds} rounds of ${seconds} s, contender by contender in each round, with the least and the most.`,
    '',
    loadTable(results),
    '',
    `GraphQL Yoga with a constant field and no database: ${spread(yogaRates, whole)}. Roster takes ${whole(median(idleMb))} MB after its start and ${whole(Math.max(...loadedMb))} MB at the most under this load, and ${spread(startMs, whole)} ms from its start, not the first one, to its first answer from the database.`,
    '',
    processesText(results),
    '',
    overloadText(results),
    '',
    'Milliseconds for one client that asks one thing after another, as the table grows:',
    '',
    growthTable(results),
    '',
    'Signing in and sessions, a second:',
    '',
    sessionTable(results),
    '',
    'Import and export, each in a process of its own:',
    '',
    transferTable(results.transfer),
    '',
    'One client of a server, while users are imported into its database:',
    '',
    besideTable(results.transfer),
    '',
    targets(results),
  ].join('\n')
}
