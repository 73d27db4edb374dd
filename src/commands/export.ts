import { createWriteStream, existsSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import type { Command } from 'commander'
import { coerceInputValue, isInputType } from 'graphql'
import { type Snapshot, withSnapshot } from '../database/snapshot.ts'
import { DomainErrors, RequestError } from '../domain/errors.ts'
import { createWriter } from '../domain/export/create-writer.ts'
import { parseExport } from '../domain/export/export-users.ts'
import { countRecords, readRecords } from '../domain/export/read-records.ts'
import { writeFile } from '../domain/export/write-file.ts'
import { system } from '../domain/principal.ts'
import type { UserDataFormat } from '../domain/transfer/user-data-format.ts'
import type { UserFilter } from '../domain/user-filter.ts'
import { buildSchema } from '../graphql/schema.ts'
import { withDatabase } from './open.ts'
import { createProgress } from './progress.ts'
import { CommandError, type Terminal } from './terminal.ts'

/** `roster` is what `roster import` calls its own. */
const formats: Readonly<Record<string, UserDataFormat>> = {
  ndjson: 'ROSTER_NDJSON',
  roster: 'ROSTER_NDJSON',
  csv: 'CSV',
  auth0: 'AUTH0',
  supabase: 'SUPABASE',
}

type Options = Readonly<{ format: string; where?: string; fields?: string; out: string; includePasswordHashes?: boolean }>

/** Adds `roster export`. */
export function addExport(program: Command, terminal: Terminal): void {
  program
    .command('export')
    .description('Writes users to a file, as they are at one moment.')
    .option('--format <format>', "ndjson, which is Roster's own, csv, auth0 or supabase", 'ndjson')
    .option('--where <json>', 'which users, as the `where` of `users`; everybody who is not deleted when it is not said')
    .option('--fields <names>', 'which fields, separated by commas; all of them when it is not said')
    .requiredOption('--out <file>', 'the file, which must not be there')
    .option('--include-password-hashes', 'with the hashes of passwords')
    .addHelpText(
      'after',
      `
Examples:
  roster export --out users.ndjson --include-password-hashes
  roster export --format csv --fields email,profile.name --where '{"status": ["ACTIVE"]}' --out active.csv`,
    )
    .action((options: Options) => exportUsers(terminal, options))
}

async function exportUsers(terminal: Terminal, options: Options): Promise<void> {
  const instead = 'Or use exportUsers in GraphiQL.'
  await withDatabase(terminal, { instead }, async ({ database, scope }) => {
    const now = scope.clock.now()
    const input = wanted(options, now)
    if (existsSync(options.out)) throw new CommandError(`${options.out} is there already.`, 2)
    const work = async (snapshot: Snapshot) => {
      const request = { ...input, filter: input.where, now }
      const progress = createProgress(terminal, await countRecords(snapshot, request))
      const contents = counted(writeFile(createWriter({ ...input, now }), readRecords(snapshot, request)), progress.update)
      await writeWhole(options.out, contents)
      progress.finish()
    }
    await withSnapshot(database, work)
  })
}

/** @throws {CommandError} for what is no export */
function wanted({ format, where, fields, includePasswordHashes = false }: Options, now: Date) {
  const known = formats[format]
  if (known === undefined) throw new CommandError(`--format is one of ${Object.keys(formats).join(', ')}.`, 2)
  try {
    const asked = { format: known, where: parseWhere(where ?? '{}'), fields: fields?.split(',') ?? null, includePasswordHashes }
    return parseExport(system, asked, now)
  } catch (error) {
    if (error instanceof DomainErrors) throw new CommandError(`--fields: ${error.message}`, 2)
    if (error instanceof RequestError) throw new CommandError(`--where: ${error.message}`, 2)
    throw error
  }
}

/** By the graph's own type, so that it means what it means there. */
function parseWhere(text: string): UserFilter {
  const type = buildSchema().getType('UserWhere')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new CommandError('--where is JSON, as the `where` of `users`: \'{"status": ["ACTIVE"]}\'.', 2)
  }
  if (!isInputType(type)) throw new Error('the graph has no UserWhere')
  return coerceInputValue(value, type, (_path, _value, { message }) => {
    throw new CommandError(`--where: ${message}`, 2)
  }) as UserFilter
}

/** Under another name until all of it is there. Only its owner may read it. */
async function writeWhole(path: string, contents: AsyncIterable<Buffer>): Promise<void> {
  const part = `${path}.part`
  try {
    await pipeline(contents, createWriteStream(part, { mode: 0o600 }))
    await rename(part, path)
  } catch (error) {
    await rm(part, { force: true })
    const { code, syscall } = error as NodeJS.ErrnoException
    throw syscall === undefined ? error : new CommandError(`${path} cannot be written (${code}).`, 1, error)
  }
}

async function* counted(pieces: ReturnType<typeof writeFile>, onUpdate: (users: number) => void): AsyncGenerator<Buffer> {
  let done = 0
  for await (const { content, users } of pieces) {
    yield content
    done += users
    onUpdate(done)
  }
}
