import type { Prisma, PrismaClient, User } from '../../generated/prisma/client.ts'
import type { RunRead } from '../database.ts'
import { flatSelect } from './flat-select.ts'
import type { Row } from './json-select.ts'
import { createSharedLookup } from './shared-lookup.ts'
import { type WhereColumns, whereColumns } from './where-columns.ts'

/**
 * Reads of users with Prisma's arguments and Prisma's answers. What one statement can answer is sent past Prisma's query compiler, which
 * takes several times as long as the statement; everything else goes to Prisma.
 */
export type UserReads = Readonly<{
  findFirst: (args: Prisma.UserFindFirstArgs) => Promise<User | null>
  findMany: (args: Prisma.UserFindManyArgs) => Promise<User[]>
}>

type Found = Readonly<{ id: string; record: User }>
type Plan = Readonly<{ many: (keys: readonly string[]) => Promise<Found[]>; one: (key: string) => Promise<Found | null> }>

/** Callers make up selections: only so many plans are kept. */
const maxPlans = 200

/** Reads by one key in the same turn of the event loop share a statement, as Prisma's own do. */
export function createUserReads(prisma: PrismaClient, run: RunRead): UserReads {
  const plans = new Map<string, Plan | null>()
  const planned = (args: Prisma.UserFindFirstArgs): Readonly<{ plan: Plan; keys: readonly string[] }> | null => {
    const { select, where, ...rest } = args
    const wanted = Object.values(rest).some((other) => other !== undefined) ? null : whereColumns('User', where)
    if (wanted === null) return null
    const name = JSON.stringify([wanted.key.column, wanted.conditions, select])
    let plan = plans.get(name)
    if (plan === undefined) {
      const [oldest] = plans.keys()
      if (plans.size >= maxPlans && oldest !== undefined) plans.delete(oldest)
      plan = planOf(run, select, wanted)
      plans.set(name, plan)
    }
    return plan && { plan, keys: wanted.key.values }
  }
  return {
    findFirst: async (args) => {
      const { plan, keys } = planned(args) ?? {}
      const [key, ...more] = keys ?? []
      if (plan === undefined || key === undefined || more.length > 0) return prisma.user.findFirst(args)
      return (await plan.one(key))?.record ?? null
    },
    findMany: async (args) => {
      const { plan, keys } = planned(args) ?? {}
      if (plan === undefined || keys === undefined) return prisma.user.findMany(args)
      return (await plan.many(keys)).map(({ record }) => record)
    },
  }
}

function planOf(run: RunRead, select: unknown, { key, conditions }: WhereColumns): Plan | null {
  const selected = flatSelect('User', select)
  if (selected === null) return null
  const columns = [`t.${key.column} as id`, ...selected.columns].join(', ')
  const from = ['roster.users t', ...selected.joins].join(' ')
  const meets = [`t.${key.column} = any($1::${key.type}[])`, ...conditions].join(' and ')
  const text = `select ${columns} from ${from} where ${meets}`
  const many = async (keys: readonly string[]): Promise<Found[]> => {
    const rows = await run<Row & { id: string }>(text, [keys])
    return rows.map((row) => ({ id: row.id, record: selected.toRecord(row) as User }))
  }
  return { many, one: createSharedLookup(many) }
}
