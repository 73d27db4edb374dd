import { newOpaqueToken } from '../../crypto/opaque-token.ts'
import type { Prisma } from '../../generated/prisma/client.ts'
import type { Authentication } from '../authentication.ts'
import type { ChangeScope } from '../change.ts'
import { DomainError } from '../errors.ts'
import { newId } from '../id.ts'
import { networkOf } from '../network.ts'
import { isUuid, normalizeEmail } from '../normalize.ts'
import { spend } from '../rate-limit.ts'
import type { Scope } from '../scope.ts'
import { userStanding } from '../session.ts'
import { lockUser, type UserRecord } from '../user/user-record.ts'
import type { Addressee } from './send-link.ts'

/** What mail to a user is counted by: the address, or what stands for it where there is none. */
export async function addressOf({ db }: Pick<Scope, 'db'>, userId: string): Promise<string> {
  const user = isUuid(userId) ? await db.user.findUnique({ where: { id: userId }, select: { emailNormal: true } }) : null
  return user?.emailNormal ?? `user ${userId}`
}

/** Takes from the budgets of mail to an address, and of whoever asks for it. @throws {RequestError} RATE_LIMITED */
export async function spendMail(scope: Scope, { budgets }: Pick<Authentication, 'budgets'>, ...addresses: string[]): Promise<void> {
  const ofAddresses = addresses.map((of) => ({ budget: 'mail.address', of }) as const)
  await spend(scope, budgets, [...ofAddresses, { budget: 'mail.network', of: networkOf(scope.caller.ip) }])
}

/**
 * The user of an address who may be written to, locked: null for nobody, and for one who is blocked or deleted. It asks the database
 * as much for the one as for the other.
 */
export async function lockAddressee({ db, now }: ChangeScope, emailNormal: string): Promise<(UserRecord & Addressee) | null> {
  const found = await db.user.findUnique({ where: { emailNormal }, select: { id: true } })
  const user = await lockIfThere(db, found?.id ?? newId())
  if (user === null || userStanding(user, now) !== 'standing' || user.emailNormal !== emailNormal) return null
  return { ...user, email: user.email ?? '', emailNormal }
}

async function lockIfThere(db: Prisma.TransactionClient, id: string): Promise<UserRecord | null> {
  try {
    return await lockUser(db, id, { deleted: true })
  } catch (error) {
    if (!(error instanceof DomainError && error.code === 'USER_NOT_FOUND')) throw error
    // Who is there is read a second time, with the profile.
    await db.profile.findUnique({ where: { userId: id } })
    return null
  }
}

/** Writes about as much as a mail does, and sends nothing: how long an answer takes must not tell who is a user here. */
export async function sendNothing({ db, now }: ChangeScope, { secrets }: Pick<Authentication, 'secrets'>): Promise<void> {
  const id = newId()
  await db.oneTimeToken.deleteMany({ where: { userId: id, type: 'MAGIC_LINK' } })
  const payload = { sealed: secrets.seal(`${newOpaqueToken()} nobody@example.com`.repeat(4), `outbox:${id}`) }
  const data = { id, kind: 'nothing', payload, createdAt: now, availableAt: now, doneAt: now }
  await db.outboxMessage.create({ data, select: { id: true } })
}

/** The address of an input in both forms. @throws {DomainError} INVALID_INPUT */
export function parseAddress(text: string, path: readonly string[] = ['input', 'email']): Readonly<{ email: string; normal: string }> {
  const forms = normalizeEmail(text)
  if (forms === null) throw new DomainError('INVALID_INPUT', 'This is not an e-mail address.', path, {})
  return forms
}
