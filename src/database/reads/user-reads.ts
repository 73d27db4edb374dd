import type { Prisma, PrismaClient, User } from '../../generated/prisma/client.ts'
import type { RunRead } from '../database.ts'
import { type FlatSelect, flatSelect } from './flat-select.ts'
import type { Row } from './json-select.ts'
import { rowsByKey } from './rows-by-key.ts'
import { createSharedLookup } from './shared-lookup.ts'
import { whereKey } from './where-key.ts'

/**
 * Reads of users with Prisma's arguments and Prisma's answers. What one statement can answer is sent past Prisma's query compiler, which
 * takes several times as long as the statement; everything else goes to Prisma.
 */
export type UserReads = Readonly<{
  findFirst: (args: Prisma.UserFindFirstArgs) => Promise<User | null>
  /** What a statement of another's reads for a `select`, of a table it calls `t`; null where Prisma has to be asked. */
  selection: (select: Prisma.UserFindFirstArgs['select']) => UserSelection | null
}>

type UserSelection = Omit<FlatSelect, 'toRecord'> & Readonly<{ toRecord: (row: Row) => User }>
type FindByKey = (key: string) => Promise<Readonly<{ user: User }> | null>

/** Callers make up selections: only so many are kept. */
const maxKept = 200

/** Users that are asked for by one key in the same turn of the event loop share a statement. */
export function createUserReads(prisma: PrismaClient, lookUp: RunRead): UserReads {
  const selections = new Map<string, UserSelection | null>()
  const finders = new Map<string, FindByKey>()
  const selectionOf = (select: unknown) =>
    kept(selections, JSON.stringify(select) ?? '', () => flatSelect('User', select) as UserSelection | null)
  return {
    selection: selectionOf,
    findFirst: async (args) => {
      const { select, where, ...rest } = args
      const wanted = Object.values(rest).every((other) => other === undefined) ? whereKey('User', where) : null
      const selection = wanted && selectionOf(select)
      if (wanted === null || selection === null) return prisma.user.findFirst(args)
      const { value, conditions } = wanted
      const columns = ['asked.key as id', ...selection.columns].join(', ')
      const from = [rowsByKey('roster.users', 't', wanted), ...selection.joins].join(' ')
      const text = `select ${columns} from ${from}${conditions.length > 0 ? ` where ${conditions.join(' and ')}` : ''}`
      const find = kept(finders, text, () => createFinder(lookUp, text, selection))
      return (await find(value))?.user ?? null
    },
  }
}

function createFinder(lookUp: RunRead, text: string, { toRecord }: UserSelection): FindByKey {
  return createSharedLookup(async (keys) => {
    const rows = await lookUp<Row & { id: string }>(text, [keys])
    return rows.map((row) => ({ id: row.id, user: toRecord(row) }))
  })
}

/** The oldest goes when there are too many. */
function kept<Value>(values: Map<string, Value>, key: string, make: () => Value): Value {
  const known = values.get(key)
  if (known !== undefined) return known
  const [oldest] = values.keys()
  if (values.size >= maxKept && oldest !== undefined) values.delete(oldest)
  const made = make()
  values.set(key, made)
  return made
}
