import { onTestFinished } from 'vitest'
import { explainRefusal } from '../../src/database/refusal.ts'
import type { DomainError } from '../../src/domain/errors.ts'
import type { Prisma, PrismaClient } from '../../src/generated/prisma/client.ts'
import { openTestDatabase, testDatabase, testDatabaseUrl } from '../database.ts'

/** Runs SQL as the host application's developer would, and undoes it when the test ends: with `undo`, and by emptying `public`. */
export async function plant(sql: string, undo = ''): Promise<void> {
  const { session } = await testDatabase()
  onTestFinished(() => session(({ run }) => run(`DROP SCHEMA public CASCADE; CREATE SCHEMA public; ${undo}`)))
  await session(({ run }) => run(sql))
}

/** What refuses the work, which is done in a transaction. */
export async function refusalOf(
  work: (db: Prisma.TransactionClient) => Promise<unknown>,
  { prisma, userId = null }: { prisma?: PrismaClient; userId?: string | null } = {},
): Promise<DomainError | null> {
  const client = prisma ?? (await testDatabase()).prisma
  try {
    await client.$transaction(async (db) => void (await work(db)))
  } catch (error) {
    return explainRefusal(error, client, userId)
  }
  throw new Error('nothing refused it')
}

type Work<Result> = (prisma: PrismaClient) => Promise<Result>

/** Works as a database user who may use Roster's tables and nothing else. */
export async function asLimitedUser<Result>(work: Work<Result>): Promise<Result> {
  return (await limitedUser())(work)
}

/** Makes such a user, for what is done in several turns. It goes when the test ends. */
export async function limitedUser(): Promise<<Result>(work: Work<Result>) => Promise<Result>> {
  const { engine, session, prisma } = await testDatabase()
  const undo = 'DROP OWNED BY roster_limited; DROP ROLE roster_limited'
  onTestFinished(() => session(({ run }) => run(undo)))
  await session(({ run }) =>
    run(`CREATE ROLE roster_limited LOGIN PASSWORD 'limited';
      GRANT USAGE ON SCHEMA roster TO roster_limited; GRANT ALL ON ALL TABLES IN SCHEMA roster TO roster_limited`),
  )
  if (engine === 'pglite')
    return async (work) => {
      await prisma.$executeRaw`SET ROLE roster_limited`
      return work(prisma).finally(() => prisma.$executeRaw`RESET ROLE`)
    }
  const url = new URL(testDatabaseUrl())
  url.username = 'roster_limited'
  url.password = 'limited'
  return async (work) => {
    const limited = await openTestDatabase({ databaseUrl: url.href, migrate: 'unchecked' })
    return work(limited.prisma).finally(limited.close)
  }
}
