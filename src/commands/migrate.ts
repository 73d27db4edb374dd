import type { Command } from 'commander'
import { pendingMigrations, readMigrations } from '../database/migrate.ts'
import { withDatabase } from './open.ts'
import type { Terminal } from './terminal.ts'

/** Adds `roster migrate`. */
export function addMigrate(program: Command, terminal: Terminal): void {
  program
    .command('migrate')
    .description('Applies the migrations that the database lacks. The server does so itself when it starts.')
    .option('--status', 'only say which it has and which it lacks')
    .addHelpText(
      'after',
      `
Use it where the server's database user may not change tables: run it first, with the owner's DATABASE_URL.

Examples:
  DATABASE_URL=postgresql://owner@localhost/app roster migrate
  roster migrate --status`,
    )
    .action(({ status }: { status?: true }) => (status ? showStatus(terminal) : migrate(terminal)))
}

async function migrate(terminal: Terminal): Promise<void> {
  const pending = await withDatabase(terminal, { migrate: false }, ({ database }) =>
    database.session((session) => pendingMigrations(session)),
  )
  if (pending.length === 0) terminal.print('The database has all migrations.\n')
  else await withDatabase(terminal, {}, async () => {})
  for (const { name } of pending) terminal.print(`applied  ${name}\n`)
}

function showStatus(terminal: Terminal): Promise<void> {
  return withDatabase(terminal, { migrate: false }, async ({ database }) => {
    const pending = await database.session((session) => pendingMigrations(session))
    for (const { name } of readMigrations())
      terminal.print(`${pending.some((migration) => migration.name === name) ? 'pending' : 'applied'}  ${name}\n`)
  })
}
