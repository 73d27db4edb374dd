import { randomInt, timingSafeEqual } from 'node:crypto'
import { hashOpaqueToken, newOpaqueToken } from '../crypto/opaque-token.ts'
import type { Secrets } from '../crypto/secrets.ts'
import { type OneTimeToken, Prisma } from '../generated/prisma/client.ts'
import type { ChangeScope } from './change.ts'
import { newId } from './id.ts'
import type { ReadScope } from './scope.ts'

/** What a link or code is good for; it is good for nothing else. */
export type LinkType = 'SIGNUP' | 'INVITE' | 'MAGIC_LINK' | 'RECOVERY' | 'EMAIL_CHANGE_CURRENT' | 'EMAIL_CHANGE_NEW' | 'REAUTHENTICATION'

/** How long a link works. */
export const linkSeconds: { readonly [Type in LinkType]: number } = {
  SIGNUP: 86_400,
  INVITE: 604_800,
  MAGIC_LINK: 600,
  RECOVERY: 3600,
  EMAIL_CHANGE_CURRENT: 3600,
  EMAIL_CHANGE_NEW: 3600,
  REAUTHENTICATION: 300,
}

/** How long a code works at the most, however long its link does (OWASP ASVS 5.0 §6.5.5). */
export const codeSeconds = 600
/** How often a code may be tried (§6.6.3). The link beside it is not harmed by guesses. */
export const maxCodeTries = 5

/** What is handed out. Neither is kept. */
export type IssuedToken = Readonly<{ token: string; code: string; expiresAt: Date }>

type Issue = Readonly<{
  type: LinkType
  userId: string
  /** The user's address now, compared form; empty for a user without one. */
  emailNormal: string
  newEmail?: Readonly<{ email: string; normal: string }> | null
  redirectTo?: string | null
  /** How long the link works, when not as long as its type says. */
  seconds?: number | null
}>

/** Makes a link's token and a code. What the user has had of this type is void from then on. The caller has locked the user. */
export async function issueToken({ db, now }: Pick<ChangeScope, 'db' | 'now'>, secrets: Secrets, issue: Issue): Promise<IssuedToken> {
  const { type, userId, emailNormal, newEmail = null, redirectTo = null, seconds = null } = issue
  const id = newId()
  const token = newOpaqueToken()
  const code = newCode()
  const expiresAt = new Date(now.getTime() + (seconds ?? linkSeconds[type]) * 1000)
  const hashes = { tokenHash: Uint8Array.from(hashOpaqueToken(token)), codeHash: Uint8Array.from(hashCode(secrets, id, code)) }
  const change = { newEmail: newEmail?.email ?? null, newEmailNormal: newEmail?.normal ?? null }
  await db.oneTimeToken.deleteMany({ where: { userId, type } })
  const data = { id, userId, type, ...hashes, emailNormal, ...change, redirectTo, createdAt: now, expiresAt }
  await db.oneTimeToken.create({ data, select: { id: true } })
  return { token, code, expiresAt }
}

/** A code of six digits, each as likely as the others. */
export function newCode(): string {
  return String(randomInt(1_000_000)).padStart(6, '0')
}

/** The row of a link's token; null when there is none for this purpose. It may be used or expired. */
export async function findToken({ db }: Pick<ReadScope, 'db'>, type: LinkType, token: string): Promise<OneTimeToken | null> {
  const row = await db.oneTimeToken.findUnique({ where: { tokenHash: Uint8Array.from(hashOpaqueToken(token)) } })
  return row?.type === type ? row : null
}

/** Whose code it is said to be. */
export type CodeHolder = Readonly<{ userId: string } | { emailNormal: string }>

/** A code that was tried: whether it is the right one, and whether it came in time. */
export type TriedCode = Readonly<{ row: OneTimeToken; isRight: boolean; isInTime: boolean }>

/**
 * Tries a code against the one that was issued last. The try counts before anything is compared, in one statement, so that of any
 * number at once five are looked at. Null when there is nothing to be tried. Call it outside of a change.
 */
export async function tryCode(
  { db, clock }: ReadScope,
  secrets: Secrets,
  type: LinkType,
  holder: CodeHolder,
  code: string,
): Promise<TriedCode | null> {
  const counted = await db.$queryRaw<{ id: string }[]>`
    update roster.one_time_tokens set attempts = attempts + 1
    where id = (${latestOf(type, holder)}) and used_at is null and attempts < ${maxCodeTries}
    returning id`
  const id = counted[0]?.id
  const row = id === undefined ? null : await db.oneTimeToken.findUnique({ where: { id } })
  if (row === null) return null
  const isRight = timingSafeEqual(row.codeHash, hashCode(secrets, row.id, code))
  const endsAt = Math.min(row.expiresAt.getTime(), row.createdAt.getTime() + codeSeconds * 1000)
  return { row, isRight, isInTime: clock.now().getTime() < endsAt }
}

/** Uses a token up: of any number at once, one gets it. */
export async function claimToken({ db, now }: Pick<ChangeScope, 'db' | 'now'>, id: string): Promise<boolean> {
  const { count } = await db.oneTimeToken.updateMany({ where: { id, usedAt: null, expiresAt: { gt: now } }, data: { usedAt: now } })
  return count === 1
}

/** A new address is told the code too, so it can be named as well as the one that stands. */
function latestOf(type: LinkType, holder: CodeHolder): Prisma.Sql {
  const tokens = Prisma.sql`select id, created_at from roster.one_time_tokens where type = ${type}`
  const of = (condition: Prisma.Sql) => Prisma.sql`${tokens} and ${condition}`
  if ('userId' in holder) return latest(of(Prisma.sql`user_id = ${holder.userId}::uuid`))
  const { emailNormal } = holder
  const known = of(Prisma.sql`user_id = (select id from roster.users where email_normal = ${emailNormal})`)
  if (type !== 'EMAIL_CHANGE_NEW') return latest(known)
  return latest(Prisma.sql`${known} union all ${of(Prisma.sql`new_email_normal = ${emailNormal}`)}`)
}

function latest(tokens: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`select id from (${tokens}) as issued order by created_at desc, id desc limit 1`
}

function hashCode(secrets: Secrets, id: string, code: string): Buffer {
  return secrets.digest('one-time code', `${id}:${code}`)
}
