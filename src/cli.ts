import { Command, CommanderError } from 'commander'
import { packageVersion } from './app.ts'
import { addConfig } from './commands/config.ts'
import { addDoctor } from './commands/doctor.ts'
import { addExport } from './commands/export.ts'
import { addImport } from './commands/import.ts'
import { addKeys } from './commands/keys.ts'
import { addMigrate } from './commands/migrate.ts'
import { addSchema } from './commands/schema.ts'
import { addSeed } from './commands/seed.ts'
import { addServe } from './commands/serve.ts'
import { CommandError, type Terminal } from './commands/terminal.ts'
import { addToken } from './commands/token.ts'
import { ConfigError } from './config-error.ts'
import { DatabaseStartError, isUnavailable } from './database/errors.ts'
import { describeError } from './ports/describe-error.ts'

/** Runs `roster <args>`, and answers the exit code: 0 it is done, 1 it failed, 2 it was used or configured in a wrong way. */
export async function runCommandLine(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    await createProgram(terminal).parseAsync(args, { from: 'user' })
    return 0
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    const { lines, exitCode } = explain(error)
    for (const line of lines) terminal.printError(`${line}\n`)
    return exitCode
  }
}

function createProgram(terminal: Terminal): Command {
  const program = new Command('roster')
    .description('A self-hosted GraphQL user-management API. What it reads from the environment: roster config')
    .version(packageVersion())
    .exitOverride()
    .configureOutput({ writeOut: terminal.print, writeErr: terminal.printError })
    .showHelpAfterError('(roster --help says more)')
  for (const add of [addServe, addToken, addKeys, addMigrate, addDoctor, addImport, addExport, addSeed, addSchema, addConfig])
    add(program, terminal)
  return program
}

/** An expected failure is said in a line each; of any other one it is said where it happened, without the values it was about. */
function explain(error: unknown): { lines: readonly string[]; exitCode: number } {
  if (error instanceof ConfigError) return { lines: error.problems, exitCode: 2 }
  if (error instanceof CommandError) return { lines: error.message === '' ? [] : [error.message], exitCode: error.exitCode }
  if (error instanceof DatabaseStartError) return { lines: [error.message], exitCode: 1 }
  if (isUnavailable(error)) return { lines: ['The database does not answer any more.'], exitCode: 1 }
  const { syscall, path, message: reason } = (error ?? {}) as Partial<NodeJS.ErrnoException>
  if (syscall !== undefined && path !== undefined)
    return { lines: [`${reason}. Set ROSTER_DATA_DIR to a directory that can be written.`], exitCode: 1 }
  const { name, message, code, stack } = describeError(error)
  return { lines: [`Roster failed: ${[name, code, message].filter(Boolean).join(' ')}`, ...(stack ? [stack] : [])], exitCode: 1 }
}
