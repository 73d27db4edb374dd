import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCommandLine } from '../../src/cli.ts'
import type { StopRequest, Terminal } from '../../src/commands/terminal.ts'
import { testFolder } from './build.ts'

/** What a command wrote, and its exit code. */
export type Ran = Readonly<{ exitCode: number; output: string; errors: string }>

type Surroundings = Partial<Pick<Terminal, 'isInteractive'>> & Readonly<{ stop?: Promise<StopRequest> }>

/** Runs `roster <args>` in this process, with these variables and nothing of its own. */
export async function roster(
  args: readonly string[],
  environment: Record<string, string> = {},
  { isInteractive = false, stop = Promise.resolve({ signal: 'SIGTERM' }) }: Surroundings = {},
): Promise<Ran> {
  const output: string[] = []
  const errors: string[] = []
  const exitCode = await runCommandLine(args, {
    environment: { LOG_LEVEL: 'silent', ...environment },
    command: 'npx roster',
    print: (text) => void output.push(text),
    printError: (text) => void errors.push(text),
    isInteractive,
    stopRequested: () => stop,
  })
  return { exitCode, output: output.join(''), errors: errors.join('') }
}

const prepared = new Map<'shared', Promise<string>>()

/** A data directory with an empty embedded database, which goes when the test ends: making one takes seconds, and copying it does not. */
export async function dataDirectory(): Promise<string> {
  const directory = join(testFolder(), 'data')
  cpSync(await preparedDirectory(), directory, { recursive: true })
  return directory
}

/** What data directories are copied from. */
export function preparedDirectory(): Promise<string> {
  const known = prepared.get('shared') ?? prepare()
  prepared.set('shared', known)
  return known
}

async function prepare(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'roster-test-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const { errors } = await roster(['migrate'], { ROSTER_DATA_DIR: folder })
  if (errors !== '') throw new Error(errors)
  return folder
}
