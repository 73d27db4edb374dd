/**
 * Measures Roster, as it is built, against the raw limits in one run: `npm run bench -- [--quick] [--readme] [--transfer 1000000]
 * [--postgraphile folder]`.
 *
 * `--quick` takes a minute or two and proves only that it runs; `--readme` writes the tables into README.md; `--transfer` imports and
 * exports so many users, and nothing else; `--postgraphile` measures beside PostGraphile 5, which is installed in that folder and needs
 * Node 22, and nothing else. It needs wrk, pgbench and PostgreSQL: the server that TEST_DATABASE_URL names, or one that it starts and
 * removes.
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { createDatabase, openServer } from './database.mjs'
import { measureGrowth, measureLoad, measureProcesses, measureStarts } from './measure.mjs'
import { measureOverload } from './overload.mjs'
import { measurePostgraphile } from './postgraphile.mjs'
import { besideTable, postgraphileReport, report, transferTable } from './report.mjs'
import { startRoster } from './roster.mjs'
import { measureTransfer } from './transfer.mjs'

const full = { sizes: [10_000, 100_000, 1_000_000], users: 100_000, deepRow: 50_000, rounds: 5, seconds: 3, starts: 5, connections: 16 }
const quick = { sizes: [1000, 10_000], users: 10_000, deepRow: 5000, rounds: 1, seconds: 1, starts: 1, connections: 16 }

const say = (text) => process.stderr.write(`${text}\n`)

/** Measures everything. What it opens it hands to `keep`, to be closed. */
async function measure(options, keep) {
  const server = keep(await openServer())
  const stages = []
  for (const size of options.sizes) {
    say(`${size} users`)
    const database = keep(await createDatabase(server, size))
    stages.push({ database, roster: keep(await startRoster(database, Math.min(options.deepRow, size / 2))) })
  }
  const stage = stages.find(({ database }) => database.size === options.users)
  const starts = await measureStarts(stage, options)
  const load = await measureLoad(stage, options)
  const processes = await measureProcesses(stage, options)
  const overload = await measureOverload(stage, options)
  const growth = await measureGrowth(stages, options)
  const transfer = await measureTransfer(server, options)
  return { ...load, processes, overload, growth, starts, transfer, options, postgres: server.version }
}

async function main() {
  const { values: flags } = parseArgs({
    options: {
      ...{ quick: { type: 'boolean' }, readme: { type: 'boolean' } },
      ...{ transfer: { type: 'string' }, postgraphile: { type: 'string' } },
    },
  })
  const directory = mkdtempSync(join(tmpdir(), 'roster-bench-'))
  process.once('exit', () => rmSync(directory, { recursive: true }))
  const opened = []
  const keep = (closable) => {
    opened.unshift(closable)
    return closable
  }
  try {
    if (flags.transfer) {
      const transfer = await measureTransfer(keep(await openServer()), { users: Number(flags.transfer), say })
      console.log(`${transferTable(transfer)}\n\n${besideTable(transfer)}`)
      return
    }
    const options = { ...(flags.quick ? quick : full), directory, say }
    const [name, text] = flags.postgraphile
      ? ['postgraphile', await comparePostgraphile(options, resolve(flags.postgraphile), keep)]
      : ['bench', report(await measure(options, keep))]
    console.log(text)
    if (flags.readme) writeReadme(name, text)
  } finally {
    for (const { close } of opened) await close()
  }
}

async function comparePostgraphile(options, folder, keep) {
  const load = await measurePostgraphile(keep(await openServer()), options, folder, keep)
  return postgraphileReport(load, options)
}

/** Puts the tables between their marks. */
function writeReadme(name, text) {
  const file = new URL('../README.md', import.meta.url)
  const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const [before, rest] = readFileSync(file, 'utf8').split(start)
  const after = rest?.split(end)[1]
  if (after === undefined) throw new Error(`README.md has no ${start} and ${end}`)
  writeFileSync(file, `${before}${start}\n${text}\n${end}${after}`)
}

// What was started ends with this process, however that ends.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))
await main()
