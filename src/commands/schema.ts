import type { Command } from 'commander'
import { buildSchema, printSchema } from '../graphql/schema.ts'
import type { Terminal } from './terminal.ts'

/** Adds `roster schema`. */
export function addSchema(program: Command, terminal: Terminal): void {
  program
    .command('schema')
    .description('Prints the GraphQL schema, with @access on what is restricted. It needs no configuration and no database.')
    .addHelpText('after', '\nExample:\n  roster schema > schema.graphql')
    .action(() => terminal.print(printSchema(buildSchema())))
}
