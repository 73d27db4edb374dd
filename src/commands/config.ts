import type { Command } from 'commander'
import { variables } from '../config-variables.ts'
import type { Terminal } from './terminal.ts'

/** Adds `roster config`. */
export function addConfig(program: Command, terminal: Terminal): void {
  program
    .command('config')
    .description('Lists the environment variables that Roster reads, with their defaults, as a Markdown table.')
    .addHelpText('after', '\nAny variable X can be read from a file that X_FILE names.\n\nExample:\n  roster config | grep TIMEOUT')
    .action(() => terminal.print(configurationTable()))
}

/** The table that the README shows. */
export function configurationTable(): string {
  const rows = Object.entries(variables).map(
    ([name, { default: standard, description }]) => `| \`${name}\` | ${standard} | ${description} |`,
  )
  return `${['| Variable | Default | Meaning |', '|---|---|---|', ...rows].join('\n')}\n`
}
