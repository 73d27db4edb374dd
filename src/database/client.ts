import type { SqlDriverAdapterFactory } from '@prisma/driver-adapter-utils'
import { PrismaClient } from '../generated/prisma/client.ts'

/** Makes the Prisma client of either engine. `onQuery` is told the SQL of each statement. */
export function createPrisma(
  adapter: SqlDriverAdapterFactory,
  transactionOptions: Readonly<{ maxWait: number; timeout: number }>,
  onQuery?: (sql: string) => void,
): PrismaClient {
  if (!onQuery) return new PrismaClient({ adapter, transactionOptions, errorFormat: 'minimal', log: [] })
  const prisma = new PrismaClient({ adapter, transactionOptions, errorFormat: 'minimal', log: [{ emit: 'event', level: 'query' }] })
  prisma.$on('query', ({ query }) => onQuery(query))
  return prisma
}
