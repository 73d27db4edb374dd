import type { Prisma } from '../../generated/prisma/client.ts'
import type { AuthenticationScope } from '../authentication.ts'
import { type Changed, type ChangeScope, change } from '../change.ts'
import { DomainError, DomainErrors } from '../errors.ts'
import { assertMailEnabled } from '../mail/mail-enabled.ts'
import { assertMetadataFits, type Metadata, metadataProblems } from '../metadata.ts'
import { spend } from '../rate-limit.ts'
import { parseRedirect } from '../redirect.ts'
import { insertUser } from '../user/insert-user.ts'
import { readUser, type UserRecord, userImage } from '../user/user-record.ts'
import { parseAddress } from './addressee.ts'
import { findUserOfAddress } from './known-user.ts'
import { type Addressee, sendLink } from './send-link.ts'

export type InviteUserInput = Readonly<{
  email: string
  userMetadata?: Metadata | null
  appMetadata?: Metadata | null
  redirectTo?: string | null
}>

type Result = { userId: string }

/**
 * Makes a user and mails the link that accepts the invitation. Somebody who was invited and has not accepted is mailed a new link, and
 * gets the metadata that is sent with it. Writes `user.invited`.
 *
 * @throws {DomainError} EMAIL_TAKEN for an address of somebody who was not invited, or has accepted; REDIRECT_NOT_ALLOWED
 * @throws {DomainErrors} everything that is wrong with the metadata
 * @throws {RequestError} RATE_LIMITED
 */
export async function inviteUser(scope: AuthenticationScope, input: InviteUserInput): Promise<Result> {
  assertMailEnabled(scope)
  const address = parseAddress(input.email)
  const redirectTo = parseRedirect(input.redirectTo, scope.links.allowedRedirects)
  const problems = bags.flatMap((bag) => (input[bag] ? metadataProblems(input[bag], ['input', bag]) : []))
  if (problems.length > 0) throw new DomainErrors(problems)
  await spend(scope, scope.budgets, [{ budget: 'mail.address', of: address.normal }])
  return change(scope, 'user.invited', async (tx) => {
    const known = await findUserOfAddress(tx, address.normal)
    const changed = known === null ? await invite(tx, input, address) : await inviteAgain(tx, known, input)
    const addressee = { id: changed.result.userId, email: address.email, emailNormal: address.normal }
    await sendLink(tx, scope, addressee, { type: 'INVITE', redirectTo })
    return changed
  })
}

const bags = ['userMetadata', 'appMetadata'] as const

function invite(
  tx: ChangeScope,
  { userMetadata, appMetadata }: InviteUserInput,
  { email, normal }: Readonly<{ email: string; normal: string }>,
): Promise<Changed<Result>> {
  const attributes = { email, emailNormal: normal }
  return insertUser(tx, { attributes, userMetadata: userMetadata ?? {}, appMetadata: appMetadata ?? {}, invitedAt: tx.now })
}

async function inviteAgain(tx: ChangeScope, user: UserRecord & Addressee, input: InviteUserInput): Promise<Changed<Result>> {
  if (user.invitedAt === null) throw new DomainError('EMAIL_TAKEN', 'Another user has this e-mail address.', ['input', 'email'], {})
  const data: Prisma.UserUpdateInput = { invitedAt: tx.now, version: { increment: 1 }, updatedAt: tx.now }
  for (const bag of bags) {
    if (!input[bag]) continue
    assertMetadataFits(input[bag], ['input', bag])
    data[bag] = input[bag] as Prisma.InputJsonObject
  }
  await tx.db.user.update({ where: { id: user.id }, data, select: { id: true } })
  const before = { ...userImage(user), invitedAt: user.invitedAt.toISOString() }
  const after = { ...userImage(await readUser(tx.db, user.id)), invitedAt: tx.now.toISOString() }
  return { result: { userId: user.id }, subjectId: user.id, userId: user.id, before, after }
}
