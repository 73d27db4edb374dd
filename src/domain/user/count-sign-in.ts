import { Prisma } from '../../generated/prisma/client.ts'
import type { ChangeScope } from '../change.ts'

/**
 * Writes down that a user signs in now, inside the change that signing in is, and keeps everybody else from changing the user until
 * it ends. The user's version stays: nothing that anybody edits has changed.
 * @returns false when the user may not sign in: blocked, deleted, or gone
 */
export async function countSignIn(tx: ChangeScope, userId: string, provider: string): Promise<boolean> {
  const admitted = await tx.db.$queryRaw<unknown[]>`with ${countingSignIn(tx, userId, provider)} select 1 from admitted`
  return admitted.length > 0
}

/** The same as a part of a statement that does more: `admitted` has the user's id, or no row. */
export function countingSignIn({ now, caller: { ip } }: ChangeScope, userId: string, provider: string): Prisma.Sql {
  return Prisma.sql`
    admitted as (
      update roster.users set sign_in_count = sign_in_count + 1, last_sign_in_at = ${now}, last_sign_in_ip = ${ip}
      where id = ${userId}::uuid and deleted_at is null and anonymized_at is null and (blocked_at is null or blocked_until <= ${now})
      returning id
    ), used as (
      update roster.identities set last_sign_in_at = ${now}
      where provider = ${provider} and provider_user_id = (select id::text from admitted)
    )`
}
