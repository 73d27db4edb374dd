import { type OldDirectory, OldDirectoryError } from '../../ports/old-directory.ts'
import type { AuthenticationScope } from '../authentication.ts'
import { change, recordFailure } from '../change.ts'
import { DomainError } from '../errors.ts'
import { normalizeEmail, normalizeUsername } from '../normalize.ts'
import { passwordMaxBytes } from '../password/password-policy.ts'
import type { Spending } from '../rate-limit.ts'
import { keepingAsItIs } from '../rate-limit.ts'
import { insertUser } from '../user/insert-user.ts'
import { type AskedName, type OldPerson, readOldPerson } from './old-person.ts'

/** A request to Roster has five seconds, and hashing and the database need some of them. All old systems together have this. */
const timeoutMs = 3000

type Sent = Readonly<{ email?: string | null; username?: string | null; password: string }>

/**
 * Looks for somebody whom Roster does not know in the old systems that connections of the strategy PASSWORD name, and makes him a user
 * with this password: `user.created`, by himself. An old system that gives no answer, or one that cannot be understood, is
 * `user.signInFailed` of nobody, and the sign-in goes on as if it knew nobody.
 *
 * It is called for each name that nobody has: the budget is written again as it stands, since for who exists there is something to
 * write, and the same statement reads whether there is an old system.
 *
 * @returns whether there is a user of this name now
 * @throws {RequestError} SERVICE_UNAVAILABLE when too many passwords wait to be hashed
 */
export async function bringFromOldDirectory(scope: AuthenticationScope, sent: Sent, spent: Spending): Promise<boolean> {
  const directories = await readDirectories(scope, spent)
  const asked = askedName(sent)
  if (asked === null || !sent.password.isWellFormed() || Buffer.byteLength(sent.password) > passwordMaxBytes) return false
  const deadline = AbortSignal.timeout(timeoutMs)
  for (const directory of directories) {
    if (deadline.aborted) return false
    const person = await askDirectory(scope, directory, asked, sent.password, deadline)
    if (person !== null) return settle(scope, directory, asked, person, sent.password)
  }
  return false
}

type Row = Readonly<{ id: string; key: string; url: string; sealed: string | null }>

async function readDirectories({ db, secrets }: AuthenticationScope, spent: Spending): Promise<OldDirectory[]> {
  const rows = await db.$queryRaw<Row[]>`
    with kept as (${keepingAsItIs(spent)})
    select connection.id, connection.key, connection.verifier_url as url, secret.sealed_client_secret as sealed
    from roster.connections connection left join roster.connection_secrets secret on secret.connection_id = connection.id
    where connection.verifier_url is not null and connection.enabled and connection.allow_sign_up
    order by connection.key`
  return rows.map(({ id, key, url, sealed }) => {
    const secret = sealed === null ? null : secrets.unseal(sealed, `connection-secret:${id}`)
    return { connectionId: id, key, url, secret }
  })
}

/** As it was typed: an old system may tell upper from lower case. */
function askedName({ email, username }: Sent): AskedName | null {
  const address = typeof email === 'string' ? normalizeEmail(email) : null
  if (address !== null) return { field: 'email', shown: address.email, normal: address.normal }
  const name = typeof username === 'string' ? normalizeUsername(username) : null
  return name && { field: 'username', shown: name.username, normal: name.normal }
}

/** Null: the old system does not know him, or cannot say, or speaks of somebody else. */
async function askDirectory(
  scope: AuthenticationScope,
  directory: OldDirectory,
  { field, shown, normal }: AskedName,
  password: string,
  deadline: AbortSignal,
): Promise<OldPerson | null> {
  try {
    const credentials = field === 'email' ? { email: shown, password } : { username: shown, password }
    const answer = await scope.askOldDirectory(directory, credentials, deadline)
    return answer && readOldPerson(answer, { field, shown, normal })
  } catch (error) {
    if (!(error instanceof OldDirectoryError)) throw error
    if (error.isNew) await recordFailure(scope, 'user.signInFailed', null, directory.key)
    return null
  }
}

/** Another request may have been faster; an address or a username of the person may be somebody else's here. */
async function settle(
  scope: AuthenticationScope,
  { key }: OldDirectory,
  asked: AskedName,
  person: OldPerson,
  password: string,
): Promise<boolean> {
  const hash = await scope.passwords.hash(password)
  try {
    await change(scope, 'user.created', async (tx) => {
      const inserted = await insertUser(tx, { ...person, origin: 'IMPORT', hash })
      return { ...inserted, actorUserId: inserted.result.userId, connection: key }
    })
    return true
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    const where = asked.field === 'email' ? { emailNormal: asked.normal } : { usernameNormal: asked.normal }
    if ((await scope.db.user.count({ where })) > 0) return true
    await recordFailure(scope, 'user.signInFailed', null, key)
    return false
  }
}
