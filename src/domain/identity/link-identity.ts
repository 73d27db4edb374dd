import type { Identity, Prisma } from '../../generated/prisma/client.ts'
import { type Changed, type ChangeScope, change } from '../change.ts'
import { DomainError, DomainErrors, invalidInput } from '../errors.ts'
import { newId } from '../id.ts'
import { assertMetadataFits, type Metadata, metadataProblems } from '../metadata.ts'
import { normalizeEmail, normalizeExternalId } from '../normalize.ts'
import type { Scope } from '../scope.ts'
import { lockRow } from '../user/user-record.ts'
import { identitiesImage } from './identity-image.ts'
import { ownProviders } from './own-providers.ts'

/** An account at a provider, and whose it is, on an administrator's word. What is absent of the rest is left alone, null clears. */
export type LinkIdentityInput = Readonly<{
  userId: string
  provider: string
  providerUserId: string
  email?: string | null
  emailVerified?: boolean | null
  claims?: Metadata | null
}>

type Linked = Readonly<{ userId: string; identityId: string }>

/**
 * Links an account at a provider to a user, on an administrator's word: nothing is asked of the provider. One that is linked to the
 * user already is brought up to date. The profile stays as it is. Writes `identity.linked`, unless nothing changed.
 *
 * @throws {DomainErrors} everything that is wrong with the input
 * @throws {DomainError} USER_NOT_FOUND; IDENTITY_TAKEN when another user has it; METADATA_TOO_LARGE for the claims
 */
export async function linkIdentity(scope: Scope, input: LinkIdentityInput): Promise<Linked> {
  const email = parse(input)
  return change(scope, 'identity.linked', async (tx) => {
    const { id: userId } = await lockRow(tx.db, input.userId, { path: ['input', 'userId'] })
    return link(tx, userId, input, email)
  })
}

/** @returns the address in the form to display; undefined when none was sent */
function parse({ provider, providerUserId, email, claims }: LinkIdentityInput): string | null | undefined {
  const normalized = typeof email === 'string' ? normalizeEmail(email) : null
  const problems: DomainError[] = []
  const refuse = (field: string, message: string) => problems.push(invalidInput(['input', field], message))
  if (normalizeExternalId(provider) === null) refuse('provider', 'The key of a provider has 1 to 255 characters.')
  if (ownProviders.includes(provider)) refuse('provider', 'Roster makes the identities of this provider itself.')
  if (normalizeExternalId(providerUserId) === null) refuse('providerUserId', "A provider's `sub` has 1 to 255 characters.")
  if (typeof email === 'string' && normalized === null) refuse('email', 'This is not an e-mail address.')
  if (claims) problems.push(...metadataProblems(claims, ['input', 'claims']))
  if (problems.length > 0) throw new DomainErrors(problems)
  assertMetadataFits(claims ?? {}, ['input', 'claims'])
  return email === undefined ? undefined : (normalized?.email ?? null)
}

async function link(
  { db, now }: ChangeScope,
  userId: string,
  input: LinkIdentityInput,
  email: string | null | undefined,
): Promise<Changed<Linked>> {
  const key = { provider: input.provider, providerUserId: input.providerUserId }
  const before = await db.identity.findUnique({ where: { provider_providerUserId: key } })
  if (before !== null && before.userId !== userId) throw identityTaken()
  const said = columns(input, email, before)
  const after =
    before === null
      ? await db.identity.create({ data: { id: newId(), userId, ...key, ...said, createdAt: now } })
      : await db.identity.update({ where: { id: before.id }, data: said })
  await db.user.update({ where: { id: userId }, data: { version: { increment: 1 }, updatedAt: now }, select: { id: true } })
  const images = { before: identitiesImage(before === null ? [] : [before]), after: identitiesImage([after]) }
  return { result: { userId, identityId: after.id }, subjectId: userId, userId, ...images }
}

/** Another address is not verified unless the same input says so, and none at all cannot be. */
function columns({ claims, emailVerified }: LinkIdentityInput, sent: string | null | undefined, before: Identity | null) {
  const email = sent === undefined ? (before?.email ?? null) : sent
  const verified = emailVerified === undefined ? email === before?.email && before.emailVerified : emailVerified === true
  if (verified && email === null) throw invalidInput(['input', 'emailVerified'], 'There is no e-mail address that could be verified.')
  return { email, emailVerified: verified, ...(claims === undefined ? {} : { claims: (claims ?? {}) as Prisma.InputJsonObject }) }
}

function identityTaken(): DomainError<'IDENTITY_TAKEN'> {
  return new DomainError('IDENTITY_TAKEN', 'Another user has this account at the provider.', ['input', 'providerUserId'], {})
}
