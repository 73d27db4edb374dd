import type { ChangeScope } from '../change.ts'
import { claimToken } from '../one-time-token.ts'
import { userStanding } from '../session.ts'
import { lockUser, type UserRecord } from '../user/user-record.ts'
import { type Found, tokenNotValid } from './find-proof.ts'

/**
 * Uses a token up inside of the change that it is for, and locks its user. It is void when the user is blocked or deleted, or has
 * another address than it was made for.
 * @throws {DomainError} TOKEN_NOT_VALID, USER_NOT_FOUND
 */
export async function redeem(tx: ChangeScope, { id, userId, emailNormal }: Found): Promise<UserRecord> {
  const user = await lockUser(tx.db, userId)
  const isHis = userStanding(user, tx.now) === 'standing' && (user.emailNormal ?? '') === emailNormal
  if (!isHis || !(await claimToken(tx, id))) throw tokenNotValid()
  return user
}
