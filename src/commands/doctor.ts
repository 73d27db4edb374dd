import type { Command } from 'commander'
import type { Finding } from '../domain/diagnostics/finding.ts'
import { diagnose } from '../domain/diagnostics.ts'
import { createPasswords } from '../domain/password/passwords.ts'
import { withDatabase } from './open.ts'
import { CommandError, type Terminal } from './terminal.ts'

/** Adds `roster doctor`. */
export function addDoctor(program: Command, terminal: Terminal): void {
  program
    .command('doctor')
    .description('Finds what in the database can make changes of users fail, and prints what mends it.')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
It looks at triggers, constraints, foreign keys, rights, indexes and migrations, and tries each kind of change on a made-up
user in a transaction that is rolled back. It exits with 1 when something of severity ERROR was found. Run it with the
server's DATABASE_URL, and what it prints as the owner of the tables.

Examples:
  DATABASE_URL=postgresql://app@localhost/app roster doctor
  roster doctor --json`,
    )
    .action(({ json }: { json?: true }) => examine(terminal, json === true))
}

async function examine(terminal: Terminal, isJson: boolean): Promise<void> {
  const instead = 'Or ask for diagnostics in GraphiQL.'
  await withDatabase(terminal, { migrate: 'unchecked', instead }, async ({ config, scope }) => {
    const diagnostics = await diagnose({ db: scope.db, clock: scope.clock, passwords: createPasswords(config) })
    terminal.print(isJson ? `${JSON.stringify(diagnostics, null, 2)}\n` : formatFindings(diagnostics.findings))
    if (!diagnostics.ok) throw new CommandError('', 1)
  })
}

function formatFindings(findings: readonly Finding[]): string {
  if (findings.length === 0) return 'Nothing was found that can make changes of users fail.\n'
  return findings.map(formatFinding).join('\n')
}

/** The fix stands at the margin, where it can be copied whole. */
function formatFinding({ severity, object, kind, problem, fix }: Finding): string {
  return `${severity}  ${kind} ${printable(object)}\n  ${printable(problem)}\n\n${fix.split('\n').map(printable).join('\n')}\n`
}

/** A name is anybody's text: nothing in it may speak to the terminal. */
function printable(text: string): string {
  return text.replace(/\p{C}/gu, (character) => (character === '\t' ? character : '�'))
}
