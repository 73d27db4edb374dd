import { Prisma } from '../../generated/prisma/client.ts'
import type { ChangeScope } from '../change.ts'
import { standingUser } from '../session.ts'

/**
 * Writes down that a user signs in now, inside the change that signing in is, and keeps everybody else from changing the user until
 * it ends. The user's version stays: nothing that anybody edits has changed.
 * @returns false when the user may not sign in: blocked, deleted, or gone
 */
export async function countSignIn({ db, now, caller }: ChangeScope, userId: string, provider: string): Promise<boolean> {
  const at = { now, ip: caller.ip }
  const admitted = await db.$queryRaw<unknown[]>`
    with standing as (${lockingStanding(userId, now)}), ${Prisma.join(countingSignIn(at, provider, Prisma.sql`(select id from standing)`))}
    select from standing`
  return admitted.length > 0
}

/** Selects the `id` of a user who may sign in, and locks the row; no row otherwise. */
export function lockingStanding(userId: string, now: Date): Prisma.Sql {
  return Prisma.sql`
    select id from roster.users
    where id = ${userId}::uuid and ${standingUser(now)}
    for no key update`
}

/** The parts of a statement that count it; `userId` is an expression, and null where nothing is to be counted. */
export function countingSignIn(
  at: Readonly<{ now: Date; ip: string | null }>,
  provider: string,
  userId: Prisma.Sql,
): readonly Prisma.Sql[] {
  return [
    Prisma.sql`counted as (
      update roster.users set sign_in_count = sign_in_count + 1, last_sign_in_at = ${at.now}, last_sign_in_ip = ${at.ip} where id = ${userId}
    )`,
    Prisma.sql`used as (
      update roster.identities set last_sign_in_at = ${at.now} where provider = ${provider} and provider_user_id = ${userId}::text
    )`,
  ]
}
