import { createReadStream } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Command, Option } from 'commander'
import { importBatchSize } from '../domain/transfer/import-job.ts'
import { type MatchKey, matchKeys } from '../domain/transfer/import-options.ts'
import { nothingDone } from '../domain/transfer/import-parts.ts'
import { importUsers } from '../domain/transfer/import-users.ts'
import type { UserDataFormat } from '../domain/transfer/user-data-format.ts'
import { createFileProgress } from './file-progress.ts'
import { importAsJob } from './import-as-job.ts'
import { openImportFile } from './import-file.ts'
import { withDatabase } from './open.ts'
import { createRefusedFile } from './refused-file.ts'
import { CommandError, type Terminal } from './terminal.ts'

const formats: Readonly<Record<string, UserDataFormat>> = { roster: 'ROSTER_NDJSON', csv: 'CSV', auth0: 'AUTH0', supabase: 'SUPABASE' }
const matches = { id: 'ID', 'external-id': 'EXTERNAL_ID', email: 'EMAIL', 'phone-number': 'PHONE_NUMBER' } as const
const modes = { replace: 'REPLACE', merge: 'MERGE', 'merge-deep': 'MERGE_DEEP' } as const

/** A batch takes longer than what answers a request. */
const statementTimeoutMs = 60_000

type Flags = Readonly<{
  format?: string
  upsert: boolean
  matchOn?: string
  metadataMode: keyof typeof modes
  dryRun: boolean
  errors?: string
  weakHashes: 'accept' | 'refuse' | 'reset'
}>

/** Adds `roster import`. */
export function addImport(program: Command, terminal: Terminal): void {
  program
    .command('import')
    .description('Imports users from a file. Stopped half-way and run again, it goes on where it was.')
    .argument('<file>', 'an UTF-8 file that is not compressed')
    .addOption(
      new Option('--format <name>', 'what it is; without it, `csv` for *.csv and `roster` for the rest').choices(Object.keys(formats)),
    )
    .option('--upsert', 'change users who are there already; without it their records are refused', false)
    .option('--match-on <keys>', `what to find them by, the first one first: ${Object.keys(matches).join(',')}`)
    .addOption(new Option('--metadata-mode <mode>', 'how metadata meets what is there').choices(Object.keys(modes)).default('replace'))
    .addOption(
      new Option('--weak-hashes <what>', 'what becomes of password hashes that are easily guessed from')
        .choices(['accept', 'refuse', 'reset'])
        .default('accept'),
    )
    .option('--dry-run', 'only say what would happen', false)
    .option('--errors <file>', 'keep refused records here, as they stand, to be mended and imported again')
    .addHelpText(
      'after',
      `
Refused records go to standard output, a line each: its line in the file, the code, the field and what is wrong.
The exit code is 0 when all records went in, and 1 otherwise.

Examples:
  roster import users.ndjson
  roster import auth0.json --format auth0 --dry-run
  roster import users.csv --upsert --match-on email --metadata-mode merge --errors refused.csv`,
    )
    .action((path: string, flags: Flags) => runImport(terminal, path, flags))
}

async function runImport(terminal: Terminal, path: string, flags: Flags): Promise<void> {
  const file = await openImportFile(path)
  const options = {
    format: formats[flags.format ?? (path.toLowerCase().endsWith('.csv') ? 'csv' : 'roster')] ?? 'ROSTER_NDJSON',
    upsert: flags.upsert,
    matchOn: parseMatches(flags.matchOn),
    metadataMode: modes[flags.metadataMode],
    weakHashes: flags.weakHashes,
    dryRun: flags.dryRun,
  }
  const instead = 'Stop it first, or send the file to it: PUT /uploads, and importUsers.'
  await withDatabase(terminal, { statementTimeoutMs, instead }, async ({ database, scope }) => {
    const stopping = new AbortController()
    void terminal.stopRequested().then(() => stopping.abort())
    const refusedFile = flags.errors === undefined ? null : createRefusedFile(flags.errors)
    const progress = createFileProgress(terminal, file.bytes)
    const parts = {
      scope,
      options,
      file: createReadStream(path, { highWaterMark: 262_144 }),
      giveWay: nextTurn,
      batchSize: importBatchSize(database.engine),
      onProgress: progress.update,
      ...(refusedFile ? { keepRefused: refusedFile.keep } : {}),
    }
    try {
      const state = options.dryRun
        ? await importUsers({ ...parts, state: nothingDone, run: { save: async () => {}, signal: stopping.signal } })
        : await importAsJob({ ...parts, terminal, file: parts.file, identity: file, engine: database.engine, signal: stopping.signal })
      progress.finish(state, options.dryRun)
      if (state.failed > 0) throw new CommandError(refusedFile ? `The refused records are in ${flags.errors}.` : '', 1)
    } finally {
      await refusedFile?.close()
    }
  })
}

function parseMatches(text: string | undefined): MatchKey[] {
  if (text === undefined) return [...matchKeys]
  return text.split(',').map((name) => {
    const key = matches[name.trim() as keyof typeof matches]
    if (key === undefined) throw new CommandError(`--match-on takes ${Object.keys(matches).join(', ')}.`, 2)
    return key
  })
}
