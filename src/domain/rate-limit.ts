import { hashOpaqueToken } from '../crypto/opaque-token.ts'
import { Prisma } from '../generated/prisma/client.ts'
import type { BudgetName, Budgets } from './budget.ts'
import { RequestError } from './errors.ts'
import type { ReadScope, Scope } from './scope.ts'

/** One thing to be counted: which budget, and whose. */
export type Spending = Readonly<{ budget: BudgetName; of: string }>

type Row = { key: string; count: number; window_ends_at: Date }

/**
 * Takes one try from each budget, in one statement over all processes, before whatever is tried: of 200 at once, a budget of five
 * lets five through. Call it outside of a change, so that a refused change does not give the try back.
 * @throws {RequestError} RATE_LIMITED with `retryAfterSeconds` when one of them is used up
 */
export async function spend(
  scope: Pick<Scope, 'db' | 'clock' | 'execute'>,
  budgets: Budgets,
  spendings: readonly Spending[],
): Promise<void> {
  const now = scope.clock.now()
  // Rows are locked in this order everywhere, so that two callers cannot hold one each and wait for the other.
  const wanted = spendings.map(({ budget, of }) => ({ key: keyOf(budget, of), ...budgets[budget] })).sort(byKey)
  const values = wanted.map(({ key, seconds }) => Prisma.sql`(${key}, 1, ${new Date(now.getTime() + seconds * 1000)}::timestamptz)`)
  const statement = Prisma.sql`
    insert into roster.rate_limits as kept (key, count, window_ends_at) values ${Prisma.join(values)}
    on conflict (key) do update set
      count = case when kept.window_ends_at <= ${now} then 1 else least(kept.count, 1000000) + 1 end,
      window_ends_at = case when kept.window_ends_at <= ${now} then excluded.window_ends_at else kept.window_ends_at end
    returning key, count, window_ends_at`
  const rows = await (scope.execute?.<Row>(statement) ?? scope.db.$queryRaw<Row[]>(statement))
  const attempts = new Map(wanted.map(({ key, attempts }) => [key, attempts]))
  const spent = rows.filter(({ key, count }) => count > (attempts.get(key) ?? 0))
  if (spent.length > 0) throw rateLimited(now, Math.max(...spent.map((row) => row.window_ends_at.getTime())))
}

/** Gives budgets back whole, as success does. */
export async function restore({ db }: ReadScope, spendings: readonly Spending[]): Promise<void> {
  await db.$executeRaw(restoring(spendings))
}

/** The statement that gives budgets back, for a statement that does more, and waits for `first`. It locks in the order that `spend` does. */
export function restoring(spendings: readonly Spending[], first = Prisma.sql`true`): Prisma.Sql {
  const keys = spendings.map(({ budget, of }) => keyOf(budget, of))
  return Prisma.sql`delete from roster.rate_limits
    where key in (select key from roster.rate_limits where ${first} and key in (${Prisma.join(keys)}) order by key for update)`
}

/**
 * The statement that writes a budget again as it stands: what a write costs, where another caller's request has something to write and
 * this one has not.
 */
export function keepingAsItIs({ budget, of }: Spending): Prisma.Sql {
  return Prisma.sql`update roster.rate_limits set count = count where key = ${keyOf(budget, of)}`
}

/**
 * Uses something up that is good for one use, until it is good for none: of any number at once, on all processes, one gets it. Inside of
 * a change: when that is refused, it was not used.
 */
export async function useOnce({ db }: Pick<ReadScope, 'db'>, what: string, of: string, until: Date): Promise<boolean> {
  const key = `${what}:${hashOpaqueToken(of).toString('base64url')}`
  const used = await db.$executeRaw`
    insert into roster.rate_limits (key, count, window_ends_at) values (${key}, 1, ${until}::timestamptz) on conflict (key) do nothing`
  return used === 1
}

function rateLimited(now: Date, endsAt: number): RequestError {
  const retryAfterSeconds = Math.max(1, Math.ceil((endsAt - now.getTime()) / 1000))
  return new RequestError('RATE_LIMITED', `Too many tries. Try again in ${retryAfterSeconds} seconds.`, { retryAfterSeconds })
}

/** Addresses and names are not kept in the clear. */
function keyOf(budget: BudgetName, of: string): string {
  return `${budget}:${hashOpaqueToken(of).toString('base64url')}`
}

function byKey(left: { key: string }, right: { key: string }): number {
  return left.key < right.key ? -1 : 1
}
