import { type Command, InvalidArgumentError } from 'commander'
import { seedUsers } from '../domain/seed.ts'
import { withDatabase } from './open.ts'
import { createProgress } from './progress.ts'
import { CommandError, type Terminal } from './terminal.ts'

/** Ten million: more than a test needs, and less than a slip of the key. */
const mostUsers = 10_000_000

/** A bulk load takes longer than what answers a request. */
const statementTimeoutMs = 60_000

/** Adds `roster seed`. */
export function addSeed(program: Command, terminal: Terminal): void {
  program
    .command('seed')
    .description('Fills a development database with made-up people. Run again, it adds others.')
    .requiredOption('--users <number>', 'how many', parseCount)
    .addHelpText('after', '\nExample:\n  roster seed --users 1000')
    .action(({ users }: { users: number }) => seed(terminal, users))
}

function parseCount(text: string): number {
  const count = Number(text)
  if (!/^\d+$/.test(text) || count < 1 || count > mostUsers)
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${mostUsers}.`)
  return count
}

async function seed(terminal: Terminal, count: number): Promise<void> {
  const instead = 'With PostgreSQL the two can run side by side.'
  await withDatabase(terminal, { statementTimeoutMs, instead }, async ({ config, database, scope }) => {
    if (config.mode === 'production') throw new CommandError('Made-up people are for development: NODE_ENV is production.', 2)
    const progress = createProgress(terminal, count)
    await seedUsers(database.prisma, { count, onProgress: progress.update, clock: scope.clock })
    progress.finish()
  })
}
