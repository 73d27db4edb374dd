import type { AuthenticationScope } from '../authentication.ts'
import { type Changed, type ChangeScope, change } from '../change.ts'
import { durationSeconds } from '../duration.ts'
import { type DomainError, DomainErrors, invalidInput } from '../errors.ts'
import { type Metadata, metadataProblems } from '../metadata.ts'
import { type IssuedToken, issueToken, type LinkType } from '../one-time-token.ts'
import { passwordProblem } from '../password/password-policy.ts'
import { credentialHash } from '../password.ts'
import { parseRedirect } from '../redirect.ts'
import { insertUser } from '../user/insert-user.ts'
import { actionLink } from './action-link.ts'
import { parseAddress } from './addressee.ts'
import { findUserOfAddress, lockUserOfAddress } from './known-user.ts'
import type { Addressee } from './send-link.ts'

export type GenerateLinkInput = Readonly<{
  type: LinkType
  email: string
  /** For a change of the address. */
  newEmail?: string | null
  /** For a user who is made by this. */
  password?: string | null
  userMetadata?: Metadata | null
  redirectTo?: string | null
  ifMissing?: 'ERROR' | 'CREATE' | null
  /** ISO 8601; a minute to 30 days. */
  expiresIn?: string | null
}>

/** What a mail would have brought. */
export type GeneratedLink = Readonly<{
  actionLink: string
  emailOtp: string
  /** The token in the link: what `verifyToken` takes. */
  hashedToken: string
  verificationType: LinkType
  redirectTo: string | null
  expiresAt: Date
}>

type Result = Readonly<{ userId: string; link: GeneratedLink }>

const leastSeconds = 60
const mostSeconds = 30 * 86_400

/**
 * Makes the link and the code that a mail would bring, and sends nothing. Writes `user.linkGenerated`; with `ifMissing: CREATE`
 * `user.created` or `user.invited` for somebody who was not there.
 *
 * @throws {DomainErrors} everything that is wrong with the input
 * @throws {DomainError} USER_NOT_FOUND, REDIRECT_NOT_ALLOWED, EMAIL_TAKEN for `newEmail` or an address that a deleted user keeps
 */
export async function generateLink(scope: AuthenticationScope, input: GenerateLinkInput): Promise<Result> {
  const parsed = parse(scope, input)
  const hash = await credentialHash(scope.passwords, { password: input.password ?? null })
  return change(scope, 'user.linkGenerated', async (tx) => {
    const { user, made } = await subject(tx, input, parsed.address, hash)
    const { type } = input
    const { redirectTo, newEmail, seconds } = parsed
    const issued = await issueToken(tx, scope.secrets, {
      type,
      userId: user.id,
      emailNormal: user.emailNormal,
      newEmail,
      redirectTo,
      seconds,
    })
    const result = { userId: user.id, link: describe(scope, type, issued, redirectTo) }
    return made ? { ...made, result } : { result, subjectId: user.id, userId: user.id, before: null, after: null }
  })
}

type Address = Readonly<{ email: string; normal: string }>

function parse(scope: AuthenticationScope, input: GenerateLinkInput) {
  const { type, expiresIn, password, userMetadata } = input
  const changesAddress = type === 'EMAIL_CHANGE_CURRENT' || type === 'EMAIL_CHANGE_NEW'
  const address = parseAddress(input.email)
  const redirectTo = parseRedirect(input.redirectTo, scope.links.allowedRedirects)
  const seconds = expiresIn == null ? null : durationSeconds(expiresIn, scope.clock.now())
  const problems: (DomainError | null)[] = [
    type === 'REAUTHENTICATION' ? invalidInput(['input', 'type'], 'There is no link for a reauthentication.') : null,
    changesAddress === (input.newEmail == null)
      ? invalidInput(['input', 'newEmail'], 'A change of the address, and only that, has a `newEmail`.')
      : null,
    seconds !== null && !(seconds >= leastSeconds && seconds <= mostSeconds)
      ? invalidInput(['input', 'expiresIn'], 'A link works for a minute to 30 days.')
      : null,
    password == null ? null : passwordProblem(scope.passwords.policy, password, ['input', 'password'], input),
    ...(userMetadata ? metadataProblems(userMetadata, ['input', 'userMetadata']) : []),
  ]
  const found = problems.filter((problem) => problem !== null)
  if (found.length > 0) throw new DomainErrors(found)
  const newEmail = input.newEmail == null ? null : parseAddress(input.newEmail, ['input', 'newEmail'])
  return { address, redirectTo, newEmail, seconds }
}

type Subject = Readonly<{ user: Addressee; made: Omit<Changed<unknown>, 'result'> | null }>

/** Whom the link is for: whoever has the address, or a user who is made now. */
async function subject(tx: ChangeScope, input: GenerateLinkInput, { email, normal }: Address, hash: string | null): Promise<Subject> {
  const known =
    input.ifMissing === 'CREATE' && input.newEmail == null ? await findUserOfAddress(tx, normal) : await lockUserOfAddress(tx, normal)
  const forNew = (['password', 'userMetadata'] as const).filter((name) => input[name] != null)
  if (known !== null && forNew.length > 0)
    throw new DomainErrors(
      forNew.map((name) => invalidInput(['input', name], 'This is only for a user who is made by it, with `ifMissing: CREATE`.')),
    )
  if (known !== null) return { user: known, made: null }
  const isInvite = input.type === 'INVITE'
  const attributes = { email, emailNormal: normal }
  const invitedAt = isInvite ? tx.now : null
  const { result, ...made } = await insertUser(tx, { attributes, userMetadata: input.userMetadata ?? {}, hash, invitedAt })
  return { user: { id: result.userId, email, emailNormal: normal }, made: { ...made, type: isInvite ? 'user.invited' : 'user.created' } }
}

function describe(
  { links }: AuthenticationScope,
  type: LinkType,
  { token, code, expiresAt }: IssuedToken,
  redirectTo: string | null,
): GeneratedLink {
  const link = actionLink(links, { type, token, redirectTo })
  return { actionLink: link, emailOtp: code, hashedToken: token, verificationType: type, redirectTo, expiresAt }
}
